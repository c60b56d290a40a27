// Keys of one's own, and other people's accounts, over real sockets.

import Accounts
import Foundation
import Library
import Postgres
import Testing
import Wire

@Suite("Keys and accounts")
struct AdministrationTests {
    private func id(_ handle: String, _ test: TestServer) async throws -> String {
        try await test.pool.withConnection(as: .service) { db in
            try await ProfileRepository.getByHandle(handle, on: db)
        }?.id.uuidString.lowercased() ?? ""
    }

    @Test("A key is made, shown once, listed without its secret, and its name is used once")
    func keys() async throws {
        try await withServer(registration: true) { test in
            let client = try await test.stranger()
            _ = try await client.register("eve")
            let create = "{\"name\":\"laptop\",\"scopes\":[\"read\"]}"
            let made = try await client.call(1, "apikey.create", create)
            let secret = made.at("result", "secret")?.string ?? ""
            #expect(secret.hasPrefix("ck_"))
            #expect(try await client.call(2, "apikey.create", create).errorKind == "conflict")
            let list = try await client.call(3, "apikey.list", "{\"limit\":1}")
            #expect(list.at("result", "keys", "0", "name")?.string == "laptop")
            #expect(!list.text.contains(secret))
            let key = try await test.client(key: secret)
            #expect(try await key.call(1, "session.list").at("result") != nil)
            #expect(
                try await key.call(2, "session.create", "{\"title\":\"x\"}").errorKind
                    == "forbidden")
        }
    }

    @Test("A key without the scope admin, or of one session, makes no keys and changes no password")
    func keysOfKeys() async throws {
        try await withServer { test in
            let ada = try await test.client()
            let (session, _) = try await ada.openSession()
            for (number, extra) in [
                "\"scopes\":[\"read\",\"write\"]",
                "\"scopes\":[\"read\",\"write\",\"admin\"],\"session\":\"\(session)\"",
            ].enumerated() {
                let made = try await ada.call(
                    10 + number, "apikey.create", "{\"name\":\"k\(number)\",\(extra)}")
                let key = try await test.client(key: made.at("result", "secret")?.string ?? "")
                for (call, params) in [
                    ("apikey.create", "{\"name\":\"more\",\"scopes\":[\"read\"]}"),
                    ("apikey.list", "{}"), ("apikey.revoke", "{\"key\":\"\(UUID())\"}"),
                    ("auth.totp.enable", "{\"password\":\"long enough\"}"),
                    (
                        "auth.password.change",
                        "{\"password\":\"long enough\",\"newPassword\":\"long enough\"}"
                    ),
                ] {
                    let answer = try await key.call(1, call, params)
                    #expect(answer.errorKind == "forbidden", "\(call) \(answer.text)")
                }
            }
        }
    }

    @Test("Another account's key and session are not found; a time that has passed is refused")
    func keysOfOthers() async throws {
        try await withServer { test in
            let (ada, _, session) = try await test.session()
            let made = try await ada.call(
                10, "apikey.create", "{\"name\":\"k\",\"scopes\":[\"read\"]}")
            let key = made.at("result", "key", "id")?.string ?? ""
            let bob = try await test.client(key: test.otherKey)
            let revoked = try await bob.call(1, "apikey.revoke", "{\"key\":\"\(key)\"}")
            #expect(revoked.errorKind == "not_found")
            let bound = try await bob.call(
                2, "apikey.create",
                "{\"name\":\"b\",\"scopes\":[\"read\"],\"session\":\"\(session)\"}")
            #expect(bound.errorKind == "not_found")
            let late = try await bob.call(
                3, "apikey.create",
                "{\"name\":\"b\",\"scopes\":[\"read\"],\"expiresAt\":\"2020-01-01T00:00:00Z\"}")
            #expect(late.at("error", "data", "field")?.string == "expiresAt")
        }
    }

    @Test("Methods on accounts are for administrators, whatever scopes a key has")
    func forAdministrators() async throws {
        try await withServer { test in
            let bob = try await test.client(key: test.otherKey)
            let (ada, mine) = (try await id("ada", test), try await id("bob", test))
            for (number, call) in [
                ("account.list", "{}"), ("account.get", "{\"account\":\"\(ada)\"}"),
                ("account.get", "{\"account\":\"\(mine)\"}"),
                ("account.deactivate", "{\"account\":\"\(ada)\"}"),
                ("account.reactivate", "{\"account\":\"\(mine)\"}"),
                ("account.unlock", "{\"account\":\"\(mine)\"}"),
                ("account.setRole", "{\"account\":\"\(mine)\",\"role\":\"ADMIN\"}"),
                ("server.status", "{}"),
            ].enumerated() {
                let answer = try await bob.call(number + 1, call.0, call.1)
                #expect(answer.errorKind == "forbidden", "\(call.0): \(answer.text)")
            }
            let admin = try await test.client()
            let list = try await admin.call(1, "account.list", "{\"limit\":1}")
            // Made in one transaction, they are equally old.
            let first = list.at("result", "accounts", "0", "handle")?.string
            let next = list.at("result", "next")?.string ?? ""
            let rest = try await admin.call(2, "account.list", "{\"cursor\":\"\(next)\"}")
            let second = rest.at("result", "accounts", "0", "handle")?.string
            #expect(Set([first, second]) == ["ada", "bob"])
            let unknown = try await admin.call(
                3, "account.deactivate", "{\"account\":\"\(UUID())\"}")
            #expect(unknown.errorKind == "not_found")
        }
    }

    @Test("Deactivation shuts out open connections at once; after reactivation keys work again")
    func deactivation() async throws {
        try await withServer { test in
            let (bob, handle, _) = try await test.session(key: test.otherKey)
            let ada = try await test.client()
            let theirs = try await id("bob", test)
            let account = "{\"account\":\"\(theirs)\"}"
            #expect(try await ada.call(1, "account.deactivate", account).at("result") != nil)
            #expect(try await bob.call(10, "session.list").errorKind == "unauthenticated")
            let search = try await bob.call(
                11, "search", "{\"session\":\"\(handle)\",\"text\":\"why\"}")
            #expect(search.errorKind == "unauthenticated")
            await #expect(throws: LineClient.Failure.self) {
                try await test.client(key: test.otherKey)
            }
            #expect(try await ada.call(2, "account.reactivate", account).at("result") != nil)
            #expect(try await bob.call(12, "session.list").at("result") != nil)
        }
    }

    @Test("A role that is taken away is gone on open connections")
    func role() async throws {
        try await withServer { test in
            let (ada, bob) = (
                try await test.client(), try await test.client(key: test.otherKey)
            )
            let mine = try await id("bob", test)
            func setRole(_ id: Int, _ role: String) async throws {
                let answer = try await ada.call(
                    id, "account.setRole", "{\"account\":\"\(mine)\",\"role\":\"\(role)\"}")
                #expect(answer.at("result", "account", "role")?.string == role)
            }
            try await setRole(1, "ADMIN")
            #expect(try await bob.call(1, "account.list").at("result") != nil)
            try await setRole(2, "USER")
            #expect(try await bob.call(2, "account.list").errorKind == "forbidden")
        }
    }

    @Test("The last active administrator stays, whoever asks, also when two go at once")
    func lastAdministrator() async throws {
        try await withServer { test in
            let ada = try await test.client()
            let (first, second) = (try await id("ada", test), try await id("bob", test))
            for (number, call) in [
                ("account.deactivate", "{\"account\":\"\(first)\"}"),
                ("account.setRole", "{\"account\":\"\(first)\",\"role\":\"USER\"}"),
            ].enumerated() {
                #expect(try await ada.call(1 + number, call.0, call.1).errorKind == "conflict")
            }
            let promoted = try await ada.call(
                5, "account.setRole", "{\"account\":\"\(second)\",\"role\":\"ADMIN\"}")
            #expect(promoted.at("result") != nil)
            let bob = try await test.client(key: test.otherKey)
            async let one = ada.call(6, "account.deactivate", "{\"account\":\"\(second)\"}")
            async let two = bob.call(6, "account.deactivate", "{\"account\":\"\(first)\"}")
            let answers = try await [one, two]
            #expect(answers.filter { $0.at("result") != nil }.count == 1)
            let active: Int64 = try await test.pool.withConnection(as: .service) { db in
                try await db.query(
                    Statement(
                        "active",
                        "SELECT count(*) FROM carrel.profiles WHERE role = 'ADMIN' AND is_active")
                ).single()
            }
            #expect(active == 1)
        }
    }

    @Test("Each of these leaves one entry in the audit log when it succeeds")
    func audit() async throws {
        try await withServer(registration: true) { test in
            let client = try await test.stranger()
            let (_, tokens) = try await client.register("eve")
            _ = try await test.stranger().login("eve", "wrong one")
            _ = try await test.stranger().login("eve")
            _ = try await client.refresh(tokens)
            let made = try await client.call(
                1, "apikey.create", "{\"name\":\"k\",\"scopes\":[\"read\"]}")
            let key = made.at("result", "key", "id")?.string ?? ""
            try await client.call(2, "apikey.revoke", "{\"key\":\"\(key)\"}")
            try await client.call(
                3, "auth.password.change",
                "{\"password\":\"long enough\",\"newPassword\":\"longer still\"}")
            try await client.call(4, "auth.logout")
            let ada = try await test.client()
            let eve = try await id("eve", test)
            let account = "\"account\":\"\(eve)\""
            for (number, call) in [
                "account.deactivate", "account.reactivate", "account.unlock",
            ].enumerated() {
                try await ada.call(1 + number, call, "{\(account)}")
            }
            try await ada.call(9, "account.setRole", "{\(account),\"role\":\"ADMIN\"}")
            #expect(
                try await test.actions().reversed() == [
                    "auth.register", "auth.failed", "auth.login", "auth.refresh", "apikey.create",
                    "apikey.revoke", "auth.password.change", "auth.logout", "account.deactivate",
                    "account.reactivate", "account.unlock", "account.setRole",
                ])
        }
    }
}
