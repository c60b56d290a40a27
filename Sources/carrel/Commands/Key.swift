import Accounts
import ArgumentParser
import Foundation
import Library
import Postgres

struct Key: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, list and revoke API keys.",
        discussion: """
            Works on the database itself, so it needs no key and no running server. A key is shown \
            once, when it is made; only its hash is stored.

            EXAMPLE
              carrel key create laptop --scopes read,write
            """,
        subcommands: [Create.self, List.self, Revoke.self, RotateMaster.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key and print it, once.",
            discussion: "EXAMPLE\n  carrel key create reader --scopes read --days 30")

        @Argument(help: "What to call it.")
        var name: String

        @Option(help: "What it may do: read, write, admin, separated by commas.")
        var scopes = "read,write"

        @Option(help: "Bind the key to one session, by id.")
        var session: String?

        @Option(help: "After how many days it ends (default: never).")
        var days: Int?

        @Option(help: "Whose, by handle (default: the first account).")
        var account: String?

        @OptionGroup var database: DatabaseOptions

        @Flag(help: "Print JSON for machines.")
        var json = false

        private struct Answer: Encodable {
            let id: UUID
            let name: String
            let key: String
        }

        private func parsedScopes() throws -> Set<Scope> {
            Set(
                try scopes.split(separator: ",").map {
                    guard let scope = Scope(rawValue: String($0)) else {
                        throw ValidationError("there is no scope \"\($0)\": read, write, admin")
                    }
                    return scope
                })
        }

        private func parsedSession() throws -> UUID? {
            try session.map {
                guard let id = UUID(uuidString: $0) else {
                    throw ValidationError("--session wants a session's id, got \"\($0)\"")
                }
                return id
            }
        }

        func validate() throws {
            _ = try (parsedScopes(), parsedSession())
            guard days.map({ $0 > 0 }) ?? true else {
                throw ValidationError("--days wants 1 or more")
            }
        }

        func run() async throws {
            let (scopes, session) = try (parsedScopes(), parsedSession())
            let created = try await database.chosen.withConnection(as: .service) { connection in
                try await connection.withTransaction { db in
                    let created = try await KeyService.create(
                        profileID: try await Key.account(account, db), name: name, scopes: scopes,
                        sessionID: session,
                        expiresAt: days.map { Date(timeIntervalSinceNow: Double($0) * 86_400) },
                        on: db)
                    try await created.key.recordCreation(by: "carrel key", on: db)
                    return created
                }
            }
            if json {
                let answer = Answer(
                    id: created.key.id, name: created.key.name, key: created.secret.text)
                return try answer.printJSON()
            }
            Terminal.say(created.secret.text)
            Terminal.note("kept as a hash only: this key cannot be shown again")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the keys, without their secrets.",
            discussion: "EXAMPLE\n  carrel key list")

        @Option(help: "Whose, by handle (default: the first account).")
        var account: String?

        @OptionGroup var database: DatabaseOptions

        @Flag(help: "Print JSON for machines.")
        var json = false

        private struct Line: Encodable {
            let id: UUID
            let name: String
            let scopes: [String]
            let session: UUID?
            let state: String
            let lastUsedAt: Date?
            let createdAt: Date

            init(_ key: ApiKey) {
                (id, name, scopes, session) = (key.id, key.name, key.scopes, key.sessionID)
                (lastUsedAt, createdAt) = (key.lastUsedAt, key.createdAt)
                let isOver = key.expiresAt.map { $0 < Date() } ?? false
                state = key.revoked ? "revoked" : isOver ? "expired" : "valid"
            }
        }

        func run() async throws {
            let lines = try await database.chosen.withConnection(as: .service) { connection in
                try await KeyService.list(
                    profileID: try await Key.account(account, connection), on: connection
                ).map(Line.init)
            }
            if json { return try lines.printJSON() }
            var table = Table(
                .text("id"), .elastic("name"), .text("scopes"), .text("state"), .text("last used"))
            for line in lines {
                table.add(
                    line.id.uuidString.lowercased(), line.name, line.scopes.joined(separator: ","),
                    line.state, line.lastUsedAt?.formatted(.iso8601) ?? "never")
            }
            table.print(orWhenEmpty: "no keys")
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a key for good.", discussion: "EXAMPLE\n  carrel key revoke laptop")

        @Argument(help: "Its id or its name.")
        var key: String

        @Option(help: "Whose, by handle (default: the first account).")
        var account: String?

        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.chosen.withConnection(as: .service) { connection in
                let owner = try await Key.account(account, connection)
                let keys = try await KeyService.list(profileID: owner, on: connection)
                guard
                    let found = keys.first(where: {
                        $0.id == UUID(uuidString: key) || $0.name == key
                    })
                else { throw Failure("there is no key \"\(key)\"; see `carrel key list`") }
                try await connection.withTransaction { db in
                    try await KeyService.revoke(id: found.id, profileID: owner, on: db)
                    try await AuditRepository.record(
                        action: "apikey.revoke", actor: owner,
                        target: AuditTarget(.apiKey, found.id), session: found.sessionID,
                        metadata: ["by": "carrel key"], on: db)
                }
                Terminal.say("revoked \(found.name)")
            }
        }
    }

    /// The account whose keys these are: the first one unless another is named.
    private static func account(_ handle: String?, _ db: some Queryable) async throws -> UUID {
        if let handle {
            guard let profile = try await ProfileRepository.getByHandle(handle, on: db) else {
                throw Failure("there is no account \"\(handle)\"; see `carrel account list`")
            }
            return profile.id
        }
        guard let profile = try await ProfileRepository.first(on: db) else {
            throw Failure("there is no account yet; the first `carrel serve` makes one")
        }
        return profile.id
    }
}

extension ApiKey {
    /// The entry of the audit log for a key that a command made, not a method.
    func recordCreation(by command: String, on transaction: Transaction) async throws {
        try await AuditRepository.record(
            action: "apikey.create", actor: profileID, target: AuditTarget(.apiKey, id),
            session: sessionID,
            metadata: ["by": command, "scopes": scopes.joined(separator: ",")], on: transaction)
    }
}
