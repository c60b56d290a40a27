// How long a login lasts, and that its end is noticed by connections that are open.

import Accounts
import Foundation
import Library
import Postgres
import Retrieval
import Testing
import Wire

@Suite("Staying in")
struct TokenTests {
    @Test("A refresh gives new tokens and ends the old access token; the connection stays")
    func refresh() async throws {
        try await withServer(registration: true) { test in
            let client = try await test.stranger()
            let (_, first) = try await client.register("eve")
            let (_, second) = try await client.refresh(first)
            #expect(second.access != first.access && second.refresh != first.refresh)
            #expect(try await client.call(2, "session.list").at("result") != nil)
            #expect(try await test.isRefused(accessToken: first.access))
            #expect(try await !test.isRefused(accessToken: second.access))
        }
    }

    @Test("A refresh token shown a second time ends the login, on every connection of it")
    func reuse() async throws {
        try await withServer(registration: true) { test in
            let client = try await test.stranger()
            let (_, first) = try await client.register("eve")
            let (_, second) = try await client.refresh(first)
            let thief = try await test.stranger()
            #expect(try await thief.refresh(first).answer.errorKind == "unauthenticated")
            #expect(try await client.call(2, "session.list").errorKind == "unauthenticated")
            #expect(try await client.refresh(second).answer.errorKind == "unauthenticated")
            #expect(try await test.isRefused(accessToken: second.access))
            let actions = try await test.actions()
            #expect(actions.filter { $0 == "auth.refresh.reused" }.count == 1)
        }
    }

    @Test("Of refreshes of one token at once exactly one renews, and the login is over after all")
    func refreshRace() async throws {
        try await withServer(registration: true) { test in
            for round in 0..<5 {
                let (_, tokens) = try await test.stranger().register("eve\(round)")
                let answers = try await withThrowingTaskGroup(of: JSONValue.self) { group in
                    for _ in 0..<4 {
                        group.addTask { try await test.stranger().refresh(tokens).answer }
                    }
                    return try await group.reduce(into: [JSONValue]()) { $0.append($1) }
                }
                let winners = answers.compactMap { $0.at("result", "accessToken")?.string }
                #expect(winners.count == 1)
                for token in winners { #expect(try await test.isRefused(accessToken: token)) }
            }
        }
    }

    @Test("An access token that has run out is refused on open connections until it is renewed")
    func expiry() async throws {
        try await withServer(registration: true) { test in
            let client = try await test.stranger()
            let (_, tokens) = try await client.register("eve")
            try await test.sql(
                "UPDATE carrel.token_families SET access_expires_at = now() - interval '1 second'")
            #expect(try await client.call(2, "session.list").errorKind == "unauthenticated")
            #expect(try await test.isRefused(accessToken: tokens.access))
            let renewed = try await client.refresh(tokens)
            #expect(renewed.answer.at("result") != nil)
            #expect(try await client.call(3, "session.list").at("result") != nil)
            try await test.sql(
                "UPDATE carrel.refresh_tokens SET expires_at = now() - interval '1 second'")
            let late = try await client.refresh(renewed.tokens).answer
            #expect(late.errorKind == "unauthenticated")
        }
    }

    @Test("A logout is noticed at once by every method on the login's other connections")
    func logout() async throws {
        try await withServer(registration: true) { test in
            let first = try await test.stranger()
            let (_, mine) = try await first.register("eve")
            let second = try await test.stranger(accessToken: mine.access)
            let third = try await test.stranger()
            let other = try await third.login("eve")
            let (_, handle) = try await second.openSession()
            #expect(try await first.call(2, "auth.logout").at("result") != nil)
            for (number, call) in [
                ("session.list", "{}"), ("session.create", "{\"title\":\"x\"}"),
                ("document.list", "{\"session\":\"\(handle)\"}"),
                ("search", "{\"session\":\"\(handle)\",\"text\":\"why\"}"),
                (
                    "search",
                    "{\"session\":\"\(handle)\",\"text\":\"why\",\"consistency\":\"cached\"}"
                ),
                ("apikey.list", "{}"), ("rpc.discover", "{}"),
            ].enumerated() {
                let answer = try await second.call(10 + number, call.0, call.1)
                #expect(answer.errorKind == "unauthenticated", "\(call.0): \(answer.text)")
            }
            // Another login of the account is not touched, unless all are meant.
            #expect(try await third.call(5, "session.list").at("result") != nil)
            let all = try await test.stranger().call(
                1, "auth.logout",
                "{\"refreshToken\":\"\(other.tokens.refresh)\",\"everywhere\":true}")
            #expect(all.at("result") != nil)
            #expect(try await third.call(6, "session.list").errorKind == "unauthenticated")
        }
    }

    @Test("A revoked key is noticed at once, whatever consistency its searches ask for")
    func revokedKey() async throws {
        try await withServer(registration: true) { test in
            let owner = try await test.stranger()
            _ = try await owner.register("eve")
            let made = try await owner.call(
                2, "apikey.create", "{\"name\":\"laptop\",\"scopes\":[\"read\",\"write\"]}")
            let client = try await test.client(
                key: made.at("result", "secret")?.string ?? "")
            let (session, handle) = try await client.openSession()
            try await client.call(
                20, "chunk.import",
                "{\"session\":\"\(handle)\",\"document\":\"d\",\"chunks\":[{\"text\":\"why\"}]}")
            // In memory, heard of, vouched for: what spares a search its read.
            let following = Task { await test.snapshots.follow() }
            defer { following.cancel() }
            _ = try await test.snapshots.build(UUID(uuidString: session)!)
            let vector = Array(repeating: "1", count: 768).joined(separator: ",")
            func search(_ id: Int, _ consistency: String) async throws -> JSONValue {
                try await client.call(
                    id, "search",
                    """
                    {"session":"\(handle)","vector":[\(vector)],"consistency":"\(consistency)"}
                    """)
            }
            for id in 21...23 {
                #expect(try await search(id, "cached").at("result", "hits") != nil)
            }
            let key = made.at("result", "key", "id")?.string ?? ""
            #expect(
                try await owner.call(3, "apikey.revoke", "{\"key\":\"\(key)\"}").at("result")
                    != nil)
            for (id, consistency) in [(30, "cached"), (31, "session"), (32, "strong")] {
                #expect(
                    try await search(id, consistency).errorKind == "unauthenticated",
                    "\(consistency)")
            }
            #expect(try await client.call(33, "session.list").errorKind == "unauthenticated")
        }
    }

    @Test("A login that was ended stops the news of a job it follows")
    func subscription() async throws {
        try await withServer(registration: true) { test in
            let client = try await test.stranger()
            _ = try await client.register("eve")
            let (_, handle) = try await client.openSession()
            let job =
                try await client.call(
                    10, "document.ingest",
                    "{\"session\":\"\(handle)\",\"fileName\":\"a.txt\",\"text\":\"Some text.\"}"
                ).at("result", "job", "id")?.string ?? ""
            _ = try await client.call(11, "job.subscribe", "{\"job\":\"\(job)\"}")
            _ = try await client.next("progress") { $0.at("method")?.string == "$/progress" }
            #expect(try await client.call(12, "auth.logout").at("result") != nil)
            try await test.sql("UPDATE carrel.jobs SET progress_done = 1, progress_total = 2")
            try await Task.sleep(for: .milliseconds(500))
            _ = try await client.call(13, "ping")
            await #expect(throws: (any Error).self) {
                try await client.next("progress", within: .milliseconds(100)) {
                    $0.at("method")?.string == "$/progress"
                }
            }
        }
    }
}
