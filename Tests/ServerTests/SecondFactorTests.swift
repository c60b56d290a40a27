// The second factor over real sockets, with a clock of the test's own.

import Accounts
import Foundation
import Library
import Postgres
import Synchronization
import Testing
import Wire

@Suite("The second factor")
struct SecondFactorTests {
    /// Seconds since 1970, moved by the test.
    private final class Clock: Sendable {
        private let now = Mutex<Int64>(1_800_000_000)
        var seconds: Int64 { now.withLock { $0 } }
        func advance(_ seconds: Int64) { now.withLock { $0 += seconds } }
    }

    private struct Enrolled {
        let test: TestServer
        let client: LineClient
        let clock: Clock
        let totp: TOTP

        var code: String { totp.code(step: TOTP.step(at: clock.seconds)) }

        /// The kind of the refusal; nil when the login succeeded.
        func refusal(_ code: String?, password: String = "long enough") async throws -> String? {
            try await login(code, password: password).errorKind
        }

        func login(_ code: String?, password: String = "long enough") async throws -> JSONValue {
            try await test.stranger().login("eve", password, code: code).answer
        }
    }

    /// An account that has a secret and, unless it says otherwise, confirmed it.
    private func withEnrolled(
        confirms: Bool = true, _ body: @escaping @Sendable (Enrolled) async throws -> Void
    ) async throws {
        let clock = Clock()
        try await withServer(
            registration: true, clock: Timepiece(seconds: { clock.seconds })
        ) { test in
            let client = try await test.stranger()
            _ = try await client.register("eve")
            let wrong = try await client.call(
                1, "auth.totp.enable", "{\"password\":\"wrong one\"}")
            #expect(wrong.errorKind == "unauthenticated")
            let answer = try await client.call(
                2, "auth.totp.enable", "{\"password\":\"long enough\"}")
            let secret = answer.at("result", "secret")?.string ?? ""
            #expect(answer.at("result", "uri")?.string?.contains("secret=\(secret)&") == true)
            let enrolled = Enrolled(
                test: test, client: client, clock: clock,
                totp: try #require(TOTP(base32: secret)))
            if confirms {
                let confirmed = try await client.call(
                    3, "auth.totp.confirm", "{\"code\":\"\(enrolled.code)\"}")
                #expect(confirmed.at("result", "enabled")?.bool == true)
                clock.advance(60)
            }
            try await body(enrolled)
        }
    }

    @Test("It counts for nothing before its first code, and its secret is sealed")
    func pending() async throws {
        try await withEnrolled(confirms: false) { eve in
            #expect(try await eve.login(nil).at("result") != nil)
            let stored: [UInt8] = try await eve.test.pool.withConnection(as: .service) { db in
                try await db.query(
                    Statement(
                        "secret",
                        "SELECT totp_secret_enc FROM carrel.profiles WHERE handle = 'eve'")
                ).single()
            }
            // Header, nonce, secret, tag: 3, 12, 20 and 16.
            #expect(stored.count == 51)
            let wrong = try await eve.client.call(4, "auth.totp.confirm", "{\"code\":\"000000\"}")
            #expect(wrong.errorKind == "invalid_params")
            #expect(wrong.at("error", "data", "field")?.string == "code")
            let none = try await eve.client.call(5, "auth.totp.disable", "{\"code\":\"000000\"}")
            #expect(none.errorKind == "conflict")
        }
    }

    @Test("Deleting the account takes a code too")
    func deletion() async throws {
        try await withEnrolled { eve in
            let password = "\"password\":\"long enough\""
            let missing = try await eve.client.call(4, "account.delete", "{\(password)}")
            #expect(missing.errorKind == "unauthenticated", "\(missing.text)")
            #expect(missing.at("error", "data", "field")?.string == "code")
            let wrong = try await eve.client.call(
                5, "account.delete", "{\(password),\"code\":\"000000\"}")
            #expect(wrong.errorKind == "invalid_params", "\(wrong.text)")
            #expect(wrong.at("error", "data", "field")?.string == "code")
            #expect(try await eve.client.call(6, "session.list").at("result") != nil)
            let deleted = try await eve.client.call(
                7, "account.delete", "{\(password),\"code\":\"\(eve.code)\"}")
            #expect(deleted.at("result", "deleted")?.bool == true, "\(deleted.text)")
        }
    }

    @Test("Once confirmed every login needs a code of now, the step before or the next")
    func window() async throws {
        try await withEnrolled { eve in
            let missing = try await eve.login(nil)
            #expect(missing.errorKind == "unauthenticated")
            #expect(missing.at("error", "data", "field")?.string == "code")
            let step = TOTP.step(at: eve.clock.seconds)
            for (offset, isGood) in [(-2, false), (2, false), (-1, true), (0, true), (1, true)]
                as [(Int64, Bool)]
            {
                let answer = try await eve.login(eve.totp.code(step: step + offset))
                #expect((answer.at("result") != nil) == isGood, "\(offset)")
            }
        }
    }

    @Test("A code is good once, and none of an earlier step after it")
    func replay() async throws {
        try await withEnrolled { eve in
            let step = TOTP.step(at: eve.clock.seconds)
            #expect(try await eve.login(eve.code).at("result") != nil)
            let again = try await eve.refusal(eve.code)
            let earlier = try await eve.refusal(eve.totp.code(step: step - 1))
            #expect(again == "unauthenticated" && earlier == "unauthenticated")
            eve.clock.advance(30)
            #expect(try await eve.login(eve.code).at("result") != nil)
        }
    }

    @Test("Of logins with one code at once exactly one comes in")
    func replayAtOnce() async throws {
        try await withEnrolled { eve in
            for _ in 1...3 {
                let code = eve.code
                let answers = try await withThrowingTaskGroup(of: JSONValue.self) { group in
                    for _ in 1...4 { group.addTask { try await eve.login(code) } }
                    return try await group.reduce(into: [JSONValue]()) { $0.append($1) }
                }
                #expect(answers.filter { $0.at("result") != nil }.count == 1)
                eve.clock.advance(30)
            }
        }
    }

    @Test("Twenty wrong codes lock it, for right ones too, until an administrator unlocks it")
    func lock() async throws {
        try await withEnrolled { eve in
            for _ in 1...20 {
                let wrong = try await eve.refusal("00000x")
                #expect(wrong == "unauthenticated")
            }
            // Whoever does not know the password learns nothing of it.
            let locked = try await eve.refusal(eve.code)
            let stranger = try await eve.refusal(eve.code, password: "wrong one")
            #expect(locked == "forbidden" && stranger == "unauthenticated")
            let ada = try await eve.test.client()
            let accounts = try await ada.call(1, "account.list")
            let id =
                accounts.at("result", "accounts")?.array?
                .first { $0.at("handle")?.string == "eve" }?.at("id")?.string ?? ""
            #expect(
                try await ada.call(2, "account.unlock", "{\"account\":\"\(id)\"}").at("result")
                    != nil)
            #expect(try await eve.login(eve.code).at("result") != nil)
        }
    }

    @Test("Every code that is refused leaves an entry in the audit log, once it is locked too")
    func refusalsAreNoted() async throws {
        try await withEnrolled { eve in
            func failures() async throws -> Int {
                try await eve.test.actions().count { $0 == "auth.failed" }
            }
            let before = try await failures()
            for _ in 1...20 { _ = try await eve.refusal("00000x") }
            #expect(try await failures() == before + 20)
            #expect(try await eve.refusal(eve.code) == "forbidden")
            #expect(try await failures() == before + 21)
            let disabled = try await eve.client.call(
                10, "auth.totp.disable", "{\"code\":\"\(eve.code)\"}")
            #expect(disabled.errorKind == "forbidden")
            #expect(try await failures() == before + 22)
        }
    }

    @Test("Of many wrong codes at once no more than twenty are looked at")
    func lockAtOnce() async throws {
        try await withEnrolled { eve in
            let kinds = try await withThrowingTaskGroup(of: String?.self) { group in
                for number in 1...40 {
                    group.addTask {
                        try await eve.client.call(
                            1000 + number, "auth.totp.disable",
                            "{\"code\":\"00000x\"}"
                        ).errorKind
                    }
                }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(kinds.filter { $0 == "invalid_params" }.count == 20)
            #expect(kinds.filter { $0 == "forbidden" }.count == 20)
        }
    }

    @Test("A code takes it away, and then none is needed; a key cannot manage it")
    func disable() async throws {
        try await withEnrolled { eve in
            let made = try await eve.client.call(
                10, "apikey.create", "{\"name\":\"k\",\"scopes\":[\"read\",\"write\"]}")
            let key = try await eve.test.client(key: made.at("result", "secret")?.string ?? "")
            let disable = "{\"code\":\"\(eve.code)\"}"
            let refused = try await key.call(1, "auth.totp.disable", disable)
            #expect(refused.errorKind == "forbidden")
            let again = try await eve.client.call(
                11, "auth.totp.enable", "{\"password\":\"long enough\"}")
            #expect(again.errorKind == "conflict")
            let off = try await eve.client.call(12, "auth.totp.disable", disable)
            #expect(off.at("result", "enabled")?.bool == false)
            #expect(try await eve.login(nil).at("result") != nil)
        }
    }
}
