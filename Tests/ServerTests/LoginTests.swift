// Logins and tokens over real sockets, and what ends them, on connections that are open.

import Accounts
import Foundation
import Library
import Postgres
import Testing
import Wire

@Suite("Coming in with a password")
struct LoginTests {
    @Test("Who registers is in, on this connection and with the access token on others")
    func register() async throws {
        try await withServer(registration: true) { test in
            let client = try await test.stranger()
            let (answer, tokens) = try await client.register("eve")
            #expect(answer.at("result", "profile", "handle")?.string == "eve")
            #expect(answer.at("result", "profile", "role")?.string == "USER")
            #expect(
                try await client.call(2, "session.create", "{\"title\":\"Mine\"}").at("result")
                    != nil)
            let other = try await test.stranger(accessToken: tokens.access)
            let list = try await other.call(1, "session.list")
            #expect(list.at("result", "sessions")?.array?.count == 1)
        }
    }

    @Test("A handle that is taken, and an address taken in any case, is a conflict")
    func taken() async throws {
        try await withServer(registration: true) { test in
            _ = try await test.stranger().register("eve")
            for (handle, email) in [("eve", "other@example.org"), ("eva", "EVE@Example.org")] {
                let answer = try await test.stranger().call(
                    1, "auth.register",
                    "{\"handle\":\"\(handle)\",\"email\":\"\(email)\",\"password\":\"long enough\"}"
                )
                #expect(answer.errorKind == "conflict")
            }
        }
    }

    @Test("Registration is closed unless it was opened; an administrator makes accounts then")
    func closed() async throws {
        try await withServer { test in
            let refused = try await test.stranger().register("eve").0
            #expect(refused.errorKind == "forbidden")
            #expect(test.passwords.statistics.done == 0)
            let account = """
                {"handle":"eve","email":"eve@example.org","password":"long enough"}
                """
            let bob = try await test.client(key: test.otherKey)
            #expect(try await bob.call(1, "account.create", account).errorKind == "forbidden")
            let ada = try await test.client()
            #expect(try await ada.call(1, "account.create", account).at("result") != nil)
            let login = try await test.stranger().login("eve", "long enough")
            #expect(login.answer.at("result") != nil)
        }
    }

    @Test("A login takes the handle or the address in any case, and only the right password")
    func names() async throws {
        try await withServer(registration: true) { test in
            _ = try await test.stranger().register("eve")
            for name in ["eve", "EVE", "eve@example.org", "Eve@EXAMPLE.org"] {
                #expect(try await test.stranger().login(name).answer.at("result") != nil)
            }
            let wrong = try await test.stranger().login("eve", "long enougH").answer
            #expect(wrong.errorKind == "unauthenticated")
        }
    }

    @Test(
        "An unknown name, an inactive account and one without a password cost one verification each"
    )
    func equalWork() async throws {
        try await withServer(registration: true) { test in
            _ = try await test.stranger().register("eve")
            _ = try await test.stranger().register("off")
            try await test.sql("UPDATE carrel.profiles SET is_active = false WHERE handle = 'off'")
            var texts: Set<String> = []
            for name in ["eve", "nobody", "nobody@example.org", "bob", "off"] {
                let before = test.passwords.statistics.done
                let answer = try await test.stranger().login(
                    name, name == "off" ? "long enough" : "a wrong one"
                ).answer
                #expect(answer.errorKind == "unauthenticated", "\(name)")
                #expect(test.passwords.statistics.done == before + 1, "\(name)")
                texts.insert(answer.at("error", "message")?.string ?? "")
            }
            #expect(texts.count == 1)
        }
    }

    @Test("After ten wrong passwords a name waits, whether or not there is such an account")
    func pause() async throws {
        try await withServer(registration: true) { test in
            _ = try await test.stranger().register("eve")
            for name in ["eve", "nobody"] {
                for _ in 1...10 {
                    let answer = try await test.stranger().login(name, "a wrong one").answer
                    #expect(answer.errorKind == "unauthenticated")
                }
                let done = test.passwords.statistics.done
                let paused = try await test.stranger().login(name).answer
                #expect(paused.errorKind == "busy")
                #expect(
                    (1...60_000).contains(
                        paused.at("error", "data", "retryAfterMs")?.int ?? 0))
                #expect(test.passwords.statistics.done == done)
            }
            try await test.sql(
                "UPDATE carrel.login_attempts SET last_at = last_at - interval '61 seconds'")
            #expect(try await test.stranger().login("eve").answer.at("result") != nil)
            // Forgotten by the login that succeeded.
            #expect(
                try await test.stranger().login("eve", "wrong").answer.errorKind
                    == "unauthenticated")
        }
    }

    @Test("Of many wrong passwords at once no more than ten are looked at")
    func pauseAtOnce() async throws {
        try await withServer(registration: true) { test in
            _ = try await test.stranger().register("eve")
            let before = test.passwords.statistics.done
            let kinds = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 1...30 {
                    group.addTask {
                        try await test.stranger().login("eve", "a wrong one").answer.errorKind
                    }
                }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(kinds.allSatisfy { $0 == "unauthenticated" || $0 == "busy" })
            #expect(test.passwords.statistics.done - before <= 10)
        }
    }

    @Test("Nobody logs in where somebody is in; after a logout somebody else may")
    func oneAtATime() async throws {
        try await withServer(registration: true) { test in
            _ = try await test.stranger().register("eve")
            let client = try await test.stranger()
            _ = try await client.register("kim")
            let id =
                try await client.call(2, "session.create", "{\"title\":\"Kim's\"}")
                .at("result", "session", "id")?.string ?? ""
            let handle =
                try await client.call(3, "session.open", "{\"session\":\"\(id)\"}")
                .at("result", "handle")?.string ?? ""
            #expect(try await client.login("eve").answer.errorKind == "invalid_request")
            #expect(try await client.call(4, "auth.logout").at("result") != nil)
            #expect(try await client.call(5, "session.list").errorKind == "unauthenticated")
            #expect(try await client.login("eve").answer.at("result") != nil)
            let stale = try await client.call(6, "document.list", "{\"session\":\"\(handle)\"}")
            #expect(stale.errorKind == "session_closed")
            let list = try await client.call(7, "session.list")
            #expect(list.at("result", "sessions")?.array?.count == 0)
        }
    }

    @Test("Methods of coming in are refused before `initialize`")
    func order() async throws {
        try await withServer(registration: true) { test in
            let client = try await LineClient.connect(test.port)
            let answer = try await client.login("eve").answer
            #expect(answer.errorKind == "not_initialized")
        }
    }

    @Test("Changing the password needs the old one and ends the other logins")
    func changePassword() async throws {
        try await withServer(registration: true) { test in
            let client = try await test.stranger()
            _ = try await client.register("eve")
            let (_, other) = try await test.stranger().login("eve")
            func change(_ id: Int, _ old: String) async throws -> JSONValue {
                try await client.call(
                    id, "auth.password.change",
                    "{\"password\":\"\(old)\",\"newPassword\":\"longer still\"}")
            }
            #expect(try await change(2, "wrong one").errorKind == "unauthenticated")
            #expect(try await change(3, "long enough").at("result") != nil)
            #expect(try await client.call(4, "session.list").at("result") != nil)
            #expect(try await test.isRefused(accessToken: other.access))
            #expect(try await test.stranger().login("eve").answer.errorKind == "unauthenticated")
            let login = try await test.stranger().login("eve", "longer still").answer
            #expect(login.at("result") != nil)
        }
    }
}
