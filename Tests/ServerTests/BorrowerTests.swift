import Accounts
import Foundation
import Library
import Postgres
import Server
import Testing
import Wire

@Suite("What loan documents say, over a socket")
struct BorrowerTests {
    @Test("A borrower is kept with incomes and accounts, exact and without its numbers")
    func kept() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            let created = try await client.call(
                10, "borrower.create",
                """
                {"session":"\(handle)","name":"Ada Ott","ssn":"123-45-6789","confidence":"0.97",\
                "address":{"city":"Bern","street":"Gasse 1"}}
                """)
            let id = try #require(created.at("result", "borrower", "id")?.string, "\(created.text)")
            #expect(created.at("result", "borrower", "hasSsn")?.bool == true)
            #expect(created.at("result", "borrower", "confidence")?.string == "0.97")
            let scope = "\"session\":\"\(handle)\",\"borrower\":\"\(id)\""
            for (number, amount) in ["9999999999.99", "0.10", "-250.5", "85000"].enumerated() {
                let income = try await client.call(
                    20 + number, "borrower.addIncome",
                    """
                    {\(scope),"amount":"\(amount)","period":"annual","year":\(2020 + number),\
                    "sourceType":"w2","employer":"Acme"}
                    """)
                #expect(income.at("result", "income") != nil, "\(income.text)")
            }
            let account = try await client.call(
                30, "borrower.addAccount",
                "{\(scope),\"number\":\"CH93 0076-2011 6238 52957\",\"type\":\"bank\"}")
            #expect(
                account.at("result", "account", "lastFour")?.string == "2957", "\(account.text)")
            let got = try await client.call(31, "borrower.get", "{\(scope)}")
            let borrower = try #require(got.at("result", "borrower"))
            #expect(
                borrower.at("incomes")?.array?.compactMap { $0.at("amount")?.string }
                    == ["85000.00", "-250.50", "0.10", "9999999999.99"])
            #expect(borrower.at("address", "city")?.string == "Bern")
            #expect(borrower.at("accounts", "0", "type")?.string == "bank")
            // Nothing of the numbers is in an answer, nor in the rows but sealed or hashed.
            #expect(!got.text.contains("0076") && !got.text.contains("45-6789"))
            let rows = try await test.pool.withConnection(as: .service) { db in
                try await db.query(
                    Statement(
                        "rows",
                        """
                        SELECT b::text || a::text, b.ssn_hash, a.number_enc, a.session_id, a.id
                        FROM carrel.borrowers AS b JOIN carrel.account_numbers AS a
                            ON a.borrower_id = b.id
                        """)
                )
            }
            let row = try #require(rows.first)
            let text: String = try row.get(0)
            #expect(!text.contains("123456789") && !text.contains("0076"))
            let hash: String = try row.get(1)
            #expect(hash.utf8.count == 64)
        }
    }

    @Test("A borrower is found by SSN however it is written, and by no other")
    func bySSN() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            for (number, ssn) in ["123-45-6789", "123-45-6780"].enumerated() {
                _ = try await client.call(
                    10 + number, "borrower.create",
                    """
                    {"session":"\(handle)","name":"B\(number)","ssn":"\(ssn)","confidence":"1"}
                    """)
            }
            _ = try await client.call(
                12, "borrower.create",
                "{\"session\":\"\(handle)\",\"name\":\"None\",\"confidence\":\"0\"}")
            for (number, ssn) in ["123456789", "123 45 6789", "123-45-6789"].enumerated() {
                let list = try await client.call(
                    20 + number, "borrower.list",
                    "{\"session\":\"\(handle)\",\"ssn\":\"\(ssn)\"}")
                #expect(
                    list.at("result", "borrowers")?.array?.compactMap { $0.at("name")?.string }
                        == ["B0"], "\(list.text)")
            }
            let all = try await client.call(
                30, "borrower.list", "{\"session\":\"\(handle)\",\"limit\":2}")
            #expect(
                all.at("result", "borrowers")?.array?.compactMap { $0.at("name")?.string }
                    == ["None", "B1"])
            let next = try #require(all.at("result", "next")?.string)
            let rest = try await client.call(
                31, "borrower.list",
                "{\"session\":\"\(handle)\",\"limit\":2,\"cursor\":\"\(next)\"}")
            #expect(rest.at("result", "borrowers", "0", "name")?.string == "B0")
            #expect(rest.at("result", "next") == nil)
        }
    }

    @Test(
        "What cannot be an SSN, an account, an amount or a confidence is refused and not repeated",
        arguments: [
            (
                "borrower.create", "\"name\":\"x\",\"confidence\":\"1\",\"ssn\":\"000-12-3456\"",
                "ssn"
            ),
            (
                "borrower.create", "\"name\":\"x\",\"confidence\":\"1\",\"ssn\":\"666-12-3456\"",
                "ssn"
            ),
            (
                "borrower.create", "\"name\":\"x\",\"confidence\":\"1\",\"ssn\":\"900-12-3456\"",
                "ssn"
            ),
            (
                "borrower.create", "\"name\":\"x\",\"confidence\":\"1\",\"ssn\":\"123-00-3456\"",
                "ssn"
            ),
            (
                "borrower.create", "\"name\":\"x\",\"confidence\":\"1\",\"ssn\":\"123-12-0000\"",
                "ssn"
            ),
            (
                "borrower.create", "\"name\":\"x\",\"confidence\":\"1\",\"ssn\":\"123-123456\"",
                "ssn"
            ),
            ("borrower.create", "\"name\":\"x\",\"confidence\":\"1.01\"", "confidence"),
            ("borrower.create", "\"name\":\"x\",\"confidence\":\"0.975\"", "confidence"),
            ("borrower.create", "\"name\":\"x\",\"confidence\":0.97", "confidence"),
            ("borrower.create", "\"name\":\"\",\"confidence\":\"1\"", "name"),
            ("borrower.addAccount", "\"number\":\"1234\",\"type\":\"bank\"", "number"),
            ("borrower.addAccount", "\"number\":\"12 34/56\",\"type\":\"bank\"", "number"),
            ("borrower.addAccount", "\"number\":\"123456\",\"type\":\"savings\"", "type"),
            ("borrower.addIncome", "\"amount\":\"1e3\"", "amount"),
            ("borrower.addIncome", "\"amount\":\"10000000000.00\"", "amount"),
            ("borrower.addIncome", "\"amount\":85000.1", "amount"),
            ("borrower.addIncome", "\"amount\":\"5\",\"period\":\"daily\"", "period"),
            (
                "borrower.addIncome", "\"amount\":\"5\",\"period\":\"annual\",\"year\":20250",
                "year"
            ),
        ])
    func refused(method: String, members: String, field: String) async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            let answer = try await client.call(
                10, method,
                """
                {"session":"\(handle)","borrower":"\(UUID().uuidString)",\(members)}
                """)
            #expect(answer.errorKind == "invalid_params", "\(answer.text)")
            #expect(answer.at("error", "data", "field")?.string == field, "\(answer.text)")
            if field == "ssn" { #expect(!answer.text.contains("3456"), "\(answer.text)") }
        }
    }

    @Test("A retry adds nothing, a deletion takes all records, and the next one finds nobody")
    func retriesAndDeletion() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            let create =
                "{\"session\":\"\(handle)\",\"name\":\"A\",\"confidence\":\"1\","
                + "\"idempotencyKey\":\"b\"}"
            let first = try await client.call(10, "borrower.create", create)
            let id = try #require(first.at("result", "borrower", "id")?.string)
            let second = try await client.call(11, "borrower.create", create)
            #expect(second.at("result", "borrower", "id")?.string == id)
            let scope = "\"session\":\"\(handle)\",\"borrower\":\"\(id)\""
            let account =
                "{\(scope),\"number\":\"123456\",\"type\":\"loan\",\"idempotencyKey\":\"a\"}"
            for number in 12..<14 {
                _ = try await client.call(number, "borrower.addAccount", account)
            }
            let got = try await client.call(20, "borrower.get", "{\(scope)}")
            #expect(got.at("result", "borrower", "accounts")?.array?.count == 1)
            let deleted = try await client.call(21, "borrower.delete", "{\(scope)}")
            #expect(deleted.at("result", "deleted")?.bool == true)
            for (number, method) in ["borrower.get", "borrower.delete"].enumerated() {
                let answer = try await client.call(22 + number, method, "{\(scope)}")
                #expect(answer.errorKind == "not_found")
                #expect(answer.at("error", "data", "field")?.string == "borrower")
            }
            let late = try await client.call(
                24, "borrower.addAccount", "{\(scope),\"number\":\"123456\",\"type\":\"loan\"}")
            #expect(late.errorKind == "not_found")
            let count: Int = try await test.pool.withConnection(as: .service) { db in
                try await db.query(
                    Statement("count", "SELECT count(*) FROM carrel.account_numbers")
                ).single()
            }
            #expect(count == 0)
        }
    }
}
