// account.delete, over real sockets: what goes, what stays, and who is told.

import Accounts
import Foundation
import Ingestion
import Library
import Postgres
import Retrieval
import TestSupport
import Testing
import Wire

@Suite("An account that is deleted")
struct AccountDeletionTests {
    private func count(_ table: String, _ test: TestServer) async throws -> Int {
        try await test.pool.withConnection(as: .service) { db in
            try await db.query(Statement("count", "SELECT count(*) FROM carrel.\(table)")).single()
        }
    }

    private func id(_ handle: String, _ test: TestServer) async throws -> String? {
        try await test.pool.withConnection(as: .service) { db in
            try await ProfileRepository.getByHandle(handle, on: db)
        }?.id.uuidString.lowercased()
    }

    /// Whether the bytes of a document are stored, asked by the key that its row has.
    private func isStored(_ key: UUID, _ test: TestServer) -> Bool {
        let path = LocalBlobStore(directory: test.blobDirectory).path(of: key)
        return FileManager.default.fileExists(atPath: path)
    }

    private func key(ofDocument id: String, _ test: TestServer) async throws -> UUID {
        let document = try #require(UUID(uuidString: id))
        let text: String = try await test.pool.withConnection(as: .service) { db in
            try await db.query(
                Statement("key", "SELECT file_path FROM carrel.documents WHERE id = $1"), document
            ).single()
        }
        return try #require(UUID(uuidString: text))
    }

    @Test("takes all that is its own with it, and every open connection is refused at once")
    func owner() async throws {
        try await withServer(registration: true) { test in
            let worker = Task { await test.ingestor.run() }
            defer { worker.cancel() }
            let eve = try await test.stranger()
            _ = try await eve.register("eve")
            let (session, handle) = try await eve.openSession()
            let document = try await eve.ingest("a.txt", "A fixed point is unique.", in: handle)
            // Somebody else's connection, to whom the document is shared, and her own second one.
            _ = try await eve.call(
                20, "share.create",
                "{\"session\":\"\(handle)\",\"document\":\"\(document)\",\"account\":\"bob\"}")
            let (bob, mine, _) = try await test.session(key: test.otherKey)
            let bobs = try await bob.ingest("b.txt", "Bob's own text stays.", in: mine)
            let keys = try await (key(ofDocument: document, test), key(ofDocument: bobs, test))
            let theirs = try await bob.call(30, "session.open", "{\"session\":\"\(session)\"}")
                .at("result", "handle")?.string
            let shared = try #require(theirs)
            let (_, tokens) = try await test.stranger().login("eve")
            let second = try await test.stranger(accessToken: tokens.access)
            let opened = try await second.call(1, "session.open", "{\"session\":\"\(session)\"}")
            let other = try #require(opened.at("result", "handle")?.string)
            let search = "{\"session\":\"\(other)\",\"text\":\"fixed point\"}"
            #expect(try await second.call(2, "search", search).at("result") != nil)
            let resident = try #require(UUID(uuidString: session))
            #expect(try await test.snapshots.build(resident) != nil)
            #expect(isStored(keys.0, test) && isStored(keys.1, test))
            let before = try await test.actions().count

            let missing = try await eve.call(40, "account.delete")
            #expect(missing.errorKind == "invalid_params", "\(missing.text)")
            #expect(missing.at("error", "data", "field")?.string == "password")
            let wrong = try await eve.call(41, "account.delete", "{\"password\":\"wrong one\"}")
            #expect(wrong.errorKind == "unauthenticated", "\(wrong.text)")
            #expect(try await eve.call(42, "session.list").at("result") != nil)
            let deleted = try await eve.call(
                43, "account.delete", "{\"password\":\"long enough\"}")
            #expect(deleted.at("result", "deleted")?.bool == true, "\(deleted.text)")

            for (client, method, params) in [
                (eve, "session.list", "{}"), (second, "session.list", "{}"),
                (second, "search", search), (second, "chunk.list", "{\"session\":\"\(other)\"}"),
            ] {
                let answer = try await client.call(50, method, params)
                #expect(answer.errorKind == "unauthenticated", "\(method): \(answer.text)")
            }
            let gone = try await bob.call(
                51, "search", "{\"session\":\"\(shared)\",\"text\":\"fixed\"}")
            #expect(gone.errorKind == "session_closed", "\(gone.text)")
            #expect(!test.snapshots.holds(resident))
            #expect(try await test.stranger().login("eve").answer.errorKind == "unauthenticated")
            #expect(try await test.isRefused(accessToken: tokens.access))

            // Bob's session and document are all that is left.
            for table in ["study_sessions", "documents", "pages", "quotas"] {
                let expected = table == "quotas" ? 2 : 1
                #expect(try await count(table, test) == expected, "\(table)")
            }
            #expect(try await count("shares", test) == 0)
            _ = try await test.ingestor.sweepBlobs()
            #expect(!isStored(keys.0, test) && isStored(keys.1, test))
            #expect(try await count("unclaimed_blobs", test) == 0)

            // The wrong password, the deletion, and who tried to come in afterwards; all of before stays.
            let actions = try await test.actions()
            #expect(
                Array(actions.prefix(4)) == [
                    "auth.failed", "auth.failed", "account.delete", "auth.failed",
                ])
            #expect(actions.count == before + 4, "\(actions)")
            let chain = try await test.pool.withConnection(as: .service) {
                try await AuditRepository.verify(on: $0)
            }
            #expect(chain.findings.isEmpty)
            let again = try await test.stranger().register("eve").answer
            #expect(again.at("result", "profile", "handle")?.string == "eve")
        }
    }

    @Test("is another's only for an administrator; for others there is no such account")
    func administrator() async throws {
        try await withServer { test in
            let (bob, handle, _) = try await test.session(key: test.otherKey)
            let ada = try await test.client()
            let (first, second) = (try await id("ada", test), try await id("bob", test))
            for account in [try #require(first), "00000000-0000-4000-8000-000000000000"] {
                let answer = try await bob.call(
                    10, "account.delete",
                    "{\"account\":\"\(account)\",\"password\":\"long enough\"}")
                #expect(answer.errorKind == "not_found", "\(answer.text)")
            }
            let key = try await ada.call(
                11, "apikey.create", "{\"name\":\"k\",\"scopes\":[\"read\",\"write\"]}")
            let lesser = try await test.client(key: key.at("result", "secret")?.string ?? "")
            let account = "{\"account\":\"\(try #require(second))\"}"
            for params in [account, "{\"password\":\"long enough\"}"] {
                let answer = try await lesser.call(12, "account.delete", params)
                #expect(["not_found", "forbidden"].contains(answer.errorKind), "\(answer.text)")
            }
            #expect(try await bob.call(13, "session.list").at("result") != nil)
            let deleted = try await ada.call(14, "account.delete", account)
            #expect(deleted.at("result", "deleted")?.bool == true, "\(deleted.text)")
            for (method, params) in [
                ("session.list", "{}"), ("search", "{\"session\":\"\(handle)\",\"text\":\"t\"}"),
            ] {
                let answer = try await bob.call(15, method, params)
                #expect(answer.errorKind == "unauthenticated", "\(method): \(answer.text)")
            }
            let again = try await ada.call(16, "account.delete", account)
            #expect(again.errorKind == "not_found", "\(again.text)")
        }
    }

    @Test("is never the last administrator's")
    func lastAdministrator() async throws {
        try await withServer(registration: true) { test in
            let eve = try await test.stranger()
            _ = try await eve.register("eve")
            try await test.sql("UPDATE carrel.profiles SET role = 'ADMIN' WHERE handle = 'eve'")
            let ada = try #require(try await id("ada", test))
            let one = try await eve.call(1, "account.delete", "{\"account\":\"\(ada)\"}")
            #expect(one.at("result", "deleted")?.bool == true, "\(one.text)")
            let last = try await eve.call(2, "account.delete", "{\"password\":\"long enough\"}")
            #expect(last.errorKind == "conflict", "\(last.text)")
            #expect(try await eve.call(3, "session.list").at("result") != nil)
            #expect(try await count("profiles", test) == 2)
        }
    }

    @Test("leaves nothing behind of what is being stored meanwhile")
    func underWay() async throws {
        try await withServer { test in
            var clients: [(LineClient, String)] = []
            for _ in 0..<4 {
                let (client, handle, _) = try await test.session(key: test.otherKey)
                clients.append((client, handle))
            }
            let ada = try await test.client()
            let account = "{\"account\":\"\(try #require(try await id("bob", test)))\"}"
            try await withThrowingTaskGroup { group in
                for (client, handle) in clients {
                    group.addTask {
                        for number in 0..<40 {
                            let answer = try await client.call(
                                100 + number, "chunk.import",
                                """
                                {"session":"\(handle)","document":"d\(number % 3)",\
                                "chunks":[{"text":"text \(number)"}]}
                                """)
                            let refusals = [
                                "unauthenticated", "session_closed", "not_found", "unavailable",
                            ]
                            #expect(
                                answer.at("result") != nil
                                    || refusals.contains(answer.errorKind ?? ""), "\(answer.text)")
                            if answer.errorKind == "unauthenticated" { return }
                        }
                    }
                }
                group.addTask {
                    var number = 100
                    while true {
                        number += 1
                        let answer = try await ada.call(number, "account.delete", account)
                        if answer.at("result") != nil { return }
                        // Two locks in the other order: one of them is told to try again.
                        try #require(answer.errorKind == "unavailable", "\(answer.text)")
                    }
                }
                try await group.waitForAll()
            }
            for table in ["study_sessions", "documents", "document_chunks", "removed_documents"] {
                #expect(try await count(table, test) == 0, "\(table)")
            }
            #expect(try await id("bob", test) == nil)
        }
    }
}
