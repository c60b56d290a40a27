// Who lives on the server of this test: Vera, whose things are tried; those who try; Carol, to whom
// something is shared; and a stranger.

import Foundation
import Library
import Postgres
import Server
import TestSupport
import Wire

/// Somebody who asks.
struct Caller {
    enum Standing {
        /// Nobody is in on the connection.
        case stranger
        /// An account with nothing.
        case fresh
        case user
        case administrator
        /// A key of Vera's own that is bound to her second session.
        case bound
    }

    let name: String
    let standing: Standing
    let voice: Conversation
    /// For what comes before anybody is introduced.
    var greeter: Conversation?
    /// What is this caller's own, and not Vera's.
    let domain: Domain
    /// What is Vera's, and must not be found.
    let foreign: Belongings
    let foreignSession: PlantedSession
    /// Which texts this caller may not read.
    let secrets: [String]
    let handle: String?
    let planted: [String: String]

    /// What this caller would put into a parameter of that name.
    func own(_ parameter: String) -> String {
        switch parameter {
        case "handle": handle ?? "h_00000000000000000000000000000000"
        case "account": "bob"
        default: planted[parameter] ?? "00000000-0000-4000-8000-000000000001"
        }
    }

    func voice(for method: ProtocolDescription.Entry) -> Conversation {
        method.needs == "greeting" ? greeter ?? voice : voice
    }
}

struct Household {
    /// Whose things nobody else may find.
    struct Victim {
        let voice: Conversation
        let profile: String
        let first: PlantedSession
        /// Where somebody's key is bound to it.
        let second: PlantedSession?
        let belongings: Belongings
    }

    let test: TestServer
    let vera: Victim
    let carol: Conversation
    let callers: [Caller]

    /// Has everybody move in. A worker must be at work. `names` are the callers wanted.
    static func move(
        into test: TestServer, callers names: Set<String>, web: TinyWebServer
    ) async throws -> Household {
        let carol = Conversation(try await test.stranger())
        _ = try await carol.result(
            "auth.register",
            "{\"handle\":\"carol\",\"email\":\"carol@example.org\",\"password\":\"long enough\"}")
        func planter(_ voice: Conversation, _ name: String, _ number: Int) -> Planter {
            Planter(
                voice: voice, name: name, number: number, reader: "carol", web: web.url("/notes/"))
        }
        let (voice, profile) = try await registered("vera", test)
        let first = try await planter(voice, "vera", 1).session()
        let second =
            names.contains("bound") ? try await planter(voice, "vera", 2).session() : nil
        if second == nil {
            _ = try await voice.result("session.create", "{\"title\":\"\(first.marker) b\"}")
        }
        try await settle(test)
        let vera = Victim(
            voice: voice, profile: profile, first: first, second: second,
            belongings: try await Belongings.read(.account(profile), on: test.pool))
        var callers: [Caller] = []
        func add(
            _ name: String, _ standing: Caller.Standing, _ voice: Conversation,
            _ domain: Domain, planted: PlantedSession? = nil
        ) {
            callers.append(
                Caller(
                    name: name, standing: standing, voice: voice, domain: domain,
                    foreign: vera.belongings, foreignSession: first,
                    secrets: [first.marker, second?.marker, Planter.accountMarker("vera")]
                        .compactMap(\.self),
                    handle: planted?.handle,
                    planted: planted?.own ?? [:]))
        }
        if names.contains("ben") {
            let (voice, profile) = try await registered("ben", test)
            let planted = try await planter(voice, "ben", 1).session()
            add("ben", .user, voice, .account(profile), planted: planted)
        }
        if names.contains("ada") {
            let voice = Conversation(try await test.client())
            let planted = try await planter(voice, "ada", 1).session()
            add(
                "ada", .administrator, voice, .account(try await test.id(of: "ada")),
                planted: planted)
        }
        if names.contains("bob") {
            let voice = Conversation(try await test.client(key: test.otherKey))
            add("bob", .fresh, voice, .account(try await test.id(of: "bob")))
        }
        if names.contains("stranger") {
            add(
                "stranger", .stranger, Conversation(try await test.stranger()),
                .account("00000000-0000-4000-8000-000000000000"))
            callers[callers.count - 1].greeter = Conversation(
                try await LineClient.connect(test.port))
        }
        if let second {
            let bound = try await voice.result(
                "apikey.create",
                "{\"name\":\"bound\",\"scopes\":[\"read\",\"write\"],\"session\":\"\(second.id)\"}"
            ).id("secret")
            let voice = Conversation(try await test.client(key: bound))
            let handle = try await voice.result(
                "session.open", "{\"session\":\"\(second.id)\"}"
            ).id("handle")
            callers.append(
                Caller(
                    name: "bound", standing: .bound, voice: voice, domain: .session(second.id),
                    foreign: try await Belongings.read(.session(first.id), on: test.pool),
                    foreignSession: first, secrets: [first.marker], handle: handle,
                    planted: second.own))
        }
        try await settle(test)
        return Household(test: test, vera: vera, carol: carol, callers: callers)
    }

    private static func registered(
        _ name: String, _ test: TestServer
    ) async throws -> (Conversation, profile: String) {
        let voice = Conversation(try await test.stranger())
        let profile = try await voice.result(
            "auth.register",
            "{\"handle\":\"\(name)\",\"email\":\"\(name)@example.org\",\"password\":\"long enough\"}"
        ).id("profile", "id")
        // A second login, so that there are two of those too.
        _ = try await Conversation(try await test.stranger()).result(
            "auth.login", "{\"login\":\"\(name)\",\"password\":\"long enough\"}")
        return (voice, profile)
    }

    /// Waits until nothing is being worked on.
    static func settle(_ test: TestServer) async throws {
        while true {
            let open = try await test.pool.withConnection(as: .service) { db in
                try await db.query(openJobs).single(Int.self)
            }
            if open == 0 { return }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private static let openJobs = Statement(
        "isolation.openJobs",
        """
        SELECT count(*) FROM carrel.jobs WHERE state IN ('QUEUED', 'RUNNING') AND NOT is_paused
        """)

    /// A folder of the web in which there is nothing.
    static func emptyWeb() throws -> TinyWebServer {
        try TinyWebServer { _, send in
            _ = send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
    }
}

extension TestServer {
    func id(of handle: String) async throws -> String {
        try await pool.withConnection(as: .service) { db in
            try await db.query(
                Statement(
                    "isolation.profile", "SELECT id::text FROM carrel.profiles WHERE handle = $1"),
                handle
            ).single(String.self)
        }
    }

    /// Whether anybody has used this idempotency key.
    func hasKey(_ key: String) async throws -> Bool {
        try await pool.withConnection(as: .service) { db in
            try await db.query(
                Statement("isolation.key", "SELECT FROM carrel.idempotency_keys WHERE key = $1"),
                key
            ).count > 0
        }
    }
}
