import Accounts
import Foundation
import Postgres
import Testing
import Wire

@Suite("A session is a wall between accounts, keys and connections")
struct AccountTests {
    @Test("Another account's session, document and job are not found")
    func otherAccount() async throws {
        try await withServer { test in
            let (mine, handle, id) = try await test.session()
            let job =
                try await mine.call(
                    3, "document.ingest",
                    "{\"session\":\"\(handle)\",\"fileName\":\"a.txt\",\"text\":\"Some text.\"}"
                ).at("result", "job", "id")?.string ?? ""
            let stranger = try await test.client(key: test.otherKey)
            for (number, call) in [
                ("session.get", "{\"session\":\"\(id)\"}"),
                ("session.open", "{\"session\":\"\(id)\"}"),
                ("session.delete", "{\"session\":\"\(id)\"}"),
                ("session.update", "{\"session\":\"\(id)\",\"status\":\"CHUNKING\"}"),
                ("job.get", "{\"job\":\"\(job)\"}"), ("job.cancel", "{\"job\":\"\(job)\"}"),
                ("job.subscribe", "{\"job\":\"\(job)\"}"),
            ].enumerated() {
                let answer = try await stranger.call(10 + number, call.0, call.1)
                #expect(answer.errorKind == "not_found", "\(call.0): \(answer.text)")
            }
            let list = try await stranger.call(30, "session.list")
            #expect(list.at("result", "sessions")?.array?.count == 0)
            #expect(try await mine.call(31, "job.get", "{\"job\":\"\(job)\"}").at("result") != nil)
        }
    }

    @Test("A handle is worth nothing on another connection, nor once its session is gone")
    func handles() async throws {
        try await withServer { test in
            let (client, handle, id) = try await test.session()
            let other = try await test.client()
            let elsewhere = try await other.call(
                1, "document.list", "{\"session\":\"\(handle)\"}")
            #expect(elsewhere.errorKind == "session_closed")
            let again = try await client.call(5, "session.open", "{\"session\":\"\(id)\"}")
            #expect(again.at("result", "handle")?.string == handle)
            #expect(
                try await other.call(2, "session.delete", "{\"session\":\"\(id)\"}")
                    .at("result", "deleted")?.bool == true)
            for (number, call) in [
                ("search", ",\"text\":\"why\""), ("document.list", ""), ("chunk.list", ""),
                ("job.list", ""),
                ("document.ingest", ",\"fileName\":\"a.txt\",\"text\":\"b\""),
                ("chunk.import", ",\"document\":\"d\",\"chunks\":[{\"text\":\"t\"}]"),
            ].enumerated() {
                let answer = try await client.call(
                    10 + number, call.0, "{\"session\":\"\(handle)\"\(call.1)}")
                #expect(answer.errorKind == "session_closed", "\(call.0): \(answer.text)")
            }
        }
    }

    @Test("A key that may only read changes nothing; one bound to a session sees only that")
    func scopes() async throws {
        try await withServer { test in
            let (client, handle, id) = try await test.session()
            _ = try await client.call(3, "session.create", "{\"title\":\"Other\"}")
            let secret = try await test.pool.withConnection(as: .service) { db in
                let owner = try await KeyService.authenticate(test.key, on: db)
                return try await KeyService.create(
                    profileID: owner.profileID, name: "reader", scopes: [.read],
                    sessionID: UUID(uuidString: id), on: db
                ).secret.text
            }
            let reader = try await test.client(key: secret)
            let list = try await reader.call(1, "session.list")
            #expect(list.at("result", "sessions")?.array?.count == 1)
            #expect(list.at("result", "sessions", "0", "id")?.string == id)
            let forbidden = try await reader.call(2, "session.create", "{\"title\":\"x\"}")
            #expect(forbidden.errorKind == "forbidden")
            #expect(try await reader.call(3, "server.status").errorKind == "forbidden")
            _ = handle
        }
    }

    @Test("A retry with its key gives the first answer; the key of another method is a conflict")
    func idempotency() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            let create = "{\"title\":\"Twice\",\"idempotencyKey\":\"k1\"}"
            let first = try await client.call(10, "session.create", create)
            let second = try await client.call(11, "session.create", create)
            let id = first.at("result", "session", "id")?.string
            #expect(id != nil && second.at("result", "session", "id")?.string == id)
            let other = try await test.client(key: test.otherKey)
            let theirs = try await other.call(1, "session.create", create)
            #expect(theirs.at("result", "session", "id")?.string != id)

            let importing = """
                {"session":"\(handle)","document":"notes","idempotencyKey":"k2",\
                "chunks":[{"text":"one"},{"text":"two"}]}
                """
            let imported = try await client.call(12, "chunk.import", importing)
            let repeated = try await client.call(13, "chunk.import", importing)
            #expect(imported.at("result", "chunks")?.array?.count == 2)
            // PostgreSQL's jsonb keeps the members, not their order.
            for member in ["document", "chunks", "revision"] {
                #expect(
                    repeated.at("result", member)?.text == imported.at("result", member)?.text)
            }
            let misused = try await client.call(
                14, "session.create", "{\"title\":\"x\",\"idempotencyKey\":\"k2\"}")
            #expect(misused.errorKind == "conflict")
        }
    }
}
