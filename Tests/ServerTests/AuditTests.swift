import Accounts
import Foundation
import Library
import Postgres
import Server
import Testing
import Wire

@Suite("What is relevant to security leaves an entry in the audit log")
struct AuditTests {
    /// The entries written since the last look, oldest first, without those of setting up.
    private func entries(_ test: TestServer, after last: Int64) async throws -> [AuditEntry] {
        try await test.pool.withConnection(as: .service) { db in
            try await AuditRepository.list(actor: nil, limit: 500, on: db)
        }.filter { $0.id > last }.reversed()
    }

    @Test("Each such method leaves exactly one entry when it succeeds")
    func oneEntryEach() async throws {
        try await withServer { test in
            let client = try await test.client()
            let profile = try await test.pool.withConnection(as: .service) {
                try await KeyService.authenticate(test.key, on: $0).profileID
            }
            var last: Int64 = 0
            var number = 10
            func expectOne(
                _ method: String, _ params: String, of count: Int = 1,
                sourceLocation: SourceLocation = #_sourceLocation
            ) async throws -> JSONValue {
                number += 1
                let answer = try await client.call(number, method, params)
                let new = try await entries(test, after: last)
                #expect(
                    new.map(\.action) == Array(repeating: method, count: count),
                    "\(answer.text)", sourceLocation: sourceLocation)
                for entry in new {
                    #expect(entry.actorID == profile, sourceLocation: sourceLocation)
                    #expect(entry.ip == INET("127.0.0.1"), sourceLocation: sourceLocation)
                    #expect(entry.requestID?.isEmpty == false, sourceLocation: sourceLocation)
                    last = max(last, entry.id)
                }
                return answer
            }
            let session =
                try await expectOne("session.create", "{\"title\":\"A\",\"idempotencyKey\":\"k\"}")
                .at("result", "session", "id")?.string ?? ""
            _ = try await expectOne(
                "session.create", "{\"title\":\"A\",\"idempotencyKey\":\"k\"}", of: 0)
            let handle =
                try await expectOne("session.open", "{\"session\":\"\(session)\"}", of: 0)
                .at("result", "handle")?.string ?? ""
            let file = "\"fileName\":\"a.txt\",\"text\":\"One text.\""
            let document =
                try await expectOne("document.ingest", "{\"session\":\"\(handle)\",\(file)}")
                .at("result", "document", "id")?.string ?? ""
            // The same file again is refused, and nothing was done.
            _ = try await expectOne("document.ingest", "{\"session\":\"\(handle)\",\(file)}", of: 0)
            let upload =
                try await expectOne(
                    "document.upload.begin",
                    "{\"session\":\"\(handle)\",\"fileName\":\"b.txt\",\"bytes\":3}", of: 0
                ).at("result", "upload")?.string ?? ""
            _ = try await expectOne(
                "document.upload.chunk",
                "{\"upload\":\"\(upload)\",\"offset\":0,\"dataB64\":\"YWJj\"}", of: 0)
            _ = try await expectOne("document.upload.commit", "{\"upload\":\"\(upload)\"}")
            _ = try await expectOne(
                "chunk.import",
                "{\"session\":\"\(handle)\",\"document\":\"d\",\"chunks\":[{\"text\":\"t\"}]}")
            let group =
                try await expectOne("group.create", "{\"name\":\"readers\"}")
                .at("result", "group", "id")?.string ?? ""
            let member = "{\"group\":\"\(group)\",\"account\":\"bob\"}"
            _ = try await expectOne("group.addMember", member)
            _ = try await expectOne("group.addMember", member, of: 0)
            let share =
                try await expectOne(
                    "share.create",
                    """
                    {"session":"\(handle)","document":"\(document)","group":"\(group)"}
                    """
                ).at("result", "share", "id")?.string ?? ""
            let revocation = "{\"session\":\"\(handle)\",\"share\":\"\(share)\"}"
            _ = try await expectOne("share.revoke", revocation)
            _ = try await expectOne("share.revoke", revocation, of: 0)
            _ = try await expectOne("group.removeMember", member)
            _ = try await expectOne("group.delete", "{\"group\":\"\(group)\"}")
            _ = try await expectOne(
                "folder.create", "{\"session\":\"\(handle)\",\"name\":\"f\"}", of: 0)
            _ = try await expectOne(
                "search", "{\"session\":\"\(handle)\",\"text\":\"t\"}", of: 0)
            _ = try await expectOne(
                "document.delete", "{\"session\":\"\(handle)\",\"document\":\"\(document)\"}")
            _ = try await expectOne(
                "document.delete", "{\"session\":\"\(handle)\",\"document\":\"\(document)\"}",
                of: 0)
            // One entry, not one for each document that goes with it.
            _ = try await expectOne("session.delete", "{\"session\":\"\(session)\"}")
            let chain = try await test.pool.withConnection(as: .service) {
                try await AuditRepository.verify(on: $0)
            }
            #expect(chain.findings.isEmpty)
        }
    }

    @Test("An authentication that fails leaves one entry, of nobody")
    func failedAuthentication() async throws {
        try await withServer { test in
            let client = try await LineClient.connect(test.port)
            let answer = try await client.call(
                1, "initialize",
                """
                {"protocolVersions":["2026-11-01"],"auth":{"apiKey":"ck_\
                \(String(repeating: "x", count: 43))"}}
                """)
            #expect(answer.errorKind == "unauthenticated")
            let new = try await entries(test, after: 0)
            #expect(new.map(\.action) == ["auth.failed"])
            #expect(new.first?.actorID == nil)
            #expect(new.first?.ip == INET("127.0.0.1"))
            #expect(new.first?.requestID == answer.at("error", "data", "requestId")?.string)
        }
    }

    @Test("An account lists its own entries; an administrator everybody's")
    func listing() async throws {
        try await withServer { test in
            let ada = try await test.client()
            let bob = try await test.client(key: test.otherKey)
            for number in 1...3 {
                try await ada.call(number, "session.create", "{\"title\":\"A\(number)\"}")
            }
            try await bob.call(1, "session.create", "{\"title\":\"B\"}")
            let first = try await ada.call(10, "audit.list", "{\"limit\":2}")
            #expect(first.at("result", "entries")?.array?.count == 2)
            let next = first.at("result", "next")?.string ?? ""
            let second = try await ada.call(
                11, "audit.list", "{\"limit\":2,\"cursor\":\"\(next)\"}")
            #expect(second.at("result", "entries")?.array?.count == 1)
            #expect(second.at("result", "next") == nil)
            #expect(second.at("result", "entries", "0", "action")?.string == "session.create")
            #expect(second.at("result", "entries", "0", "target", "type")?.string == "session")
            let session = second.at("result", "entries", "0", "session")?.string ?? ""
            let one = try await ada.call(12, "audit.list", "{\"session\":\"\(session)\"}")
            #expect(one.at("result", "entries")?.array?.count == 1)
            let theirs = try await bob.call(13, "audit.list", "{\"session\":\"\(session)\"}")
            #expect(theirs.at("result", "entries")?.array?.count == 0)
            let refused = try await bob.call(14, "audit.list", "{\"all\":true}")
            #expect(refused.errorKind == "forbidden")
            try await test.pool.withConnection(as: .service) {
                try await $0.script(
                    "UPDATE carrel.profiles SET role = 'ADMIN' WHERE handle = 'bob'")
            }
            let admin = try await test.client(key: test.otherKey)
            let all = try await admin.call(15, "audit.list", "{\"all\":true}")
            #expect(all.at("result", "entries")?.array?.count == 4)
        }
    }
}
