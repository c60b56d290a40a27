import Accounts
import ArgumentParser
import Foundation
import Library
import Postgres

struct Account: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make accounts, list them, and shut them out.",
        discussion: """
            Works on the database itself, so it needs no key and no running server; a \
            server that runs notices at once.

            EXAMPLE
              carrel account create ada ada@example.org
            """,
        subcommands: [
            Create.self, List.self, Password.self, Deactivate.self, Reactivate.self, Role.self,
            Unlock.self, Delete.self,
        ])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an account.",
            discussion: """
                The password is asked for, or taken from CARREL_PASSWORD.

                EXAMPLE
                  carrel account create ada ada@example.org --admin
                """)

        @Argument(help: "Its handle: 2 to 32 of a-z, 0-9, dot, hyphen, underscore.")
        var handle: String

        @Argument(help: "Its email address.")
        var email: String

        @Flag(help: "Make it an administrator.")
        var admin = false

        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let name = try AccountName(handle: handle, email: email)
            let hash = try await hashOfNewPassword()
            let profile = try await database.chosen.withConnection(as: .service) { connection in
                try await connection.withTransaction { transaction in
                    try await Administration.create(
                        name, passwordHash: hash, role: admin ? .admin : .user, by: nil,
                        visit("account.create"), on: transaction)
                }
            }
            Terminal.say(profile.id.uuidString.lowercased())
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the accounts, oldest first.",
            discussion: "EXAMPLE\n  carrel account list")

        @OptionGroup var database: DatabaseOptions

        @Flag(help: "Print JSON for machines.")
        var json = false

        private struct Line: Encodable {
            let id: UUID
            let handle: String
            let email: String
            let role: String
            let active: Bool
            let createdAt: Date
        }

        func run() async throws {
            let profiles = try await database.chosen.withConnection(as: .service) { connection in
                try await ProfileRepository.list(limit: 100_000, on: connection)
            }
            let lines = profiles.map {
                Line(
                    id: $0.id, handle: $0.handle, email: $0.email, role: $0.role.rawValue,
                    active: $0.isActive, createdAt: $0.createdAt)
            }
            if json { return try lines.printJSON() }
            var table = Table(.text("handle"), .elastic("email"), .text("role"), .text("state"))
            for line in lines {
                table.add(line.handle, line.email, line.role, line.active ? "active" : "shut out")
            }
            table.print(orWhenEmpty: "no accounts")
        }
    }

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an account a new password; its logins end.",
            discussion: """
                For who forgot theirs, and for the first account, which has none.

                EXAMPLE
                  carrel account password ada
                """)

        @Argument(help: "Its handle.")
        var handle: String

        @Flag(help: "Take its second factor away too.")
        var removeSecondFactor = false

        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let hash = try await hashOfNewPassword()
            try await change(handle, database) { id, transaction in
                try await Administration.resetPassword(
                    hash: hash, removingSecondFactor: removeSecondFactor, of: id, by: nil,
                    visit("account.password"), on: transaction)
            }
            Terminal.say("\(handle) has a new password")
        }
    }

    struct Deactivate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shut an account out, at once.",
            discussion: "EXAMPLE\n  carrel account deactivate ada")

        @Argument(help: "Its handle.")
        var handle: String

        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await change(handle, database) { id, transaction in
                _ = try await Administration.deactivate(
                    id, by: nil, visit("account.deactivate"), on: transaction)
            }
            Terminal.say("\(handle) is shut out")
        }
    }

    struct Reactivate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let an account in again.",
            discussion: "EXAMPLE\n  carrel account reactivate ada")

        @Argument(help: "Its handle.")
        var handle: String

        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await change(handle, database) { id, transaction in
                _ = try await Administration.reactivate(
                    id, by: nil, visit("account.reactivate"), on: transaction)
            }
            Terminal.say("\(handle) may come in")
        }
    }

    struct Role: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an account an administrator, or a user again.",
            discussion: "EXAMPLE\n  carrel account role ada admin")

        enum Choice: String, ExpressibleByArgument { case user, admin }

        @Argument(help: "Its handle.")
        var handle: String

        @Argument(help: "user or admin.")
        var role: Choice

        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await change(handle, database) { id, transaction in
                _ = try await Administration.setRole(
                    role == .admin ? .admin : .user, of: id, by: nil, visit("account.setRole"),
                    on: transaction)
            }
            Terminal.say("\(handle) is \(role == .admin ? "an administrator" : "a user")")
        }
    }

    struct Unlock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let codes of a second factor count again.",
            discussion: """
                After twenty wrong ones none is looked at any more.

                EXAMPLE
                  carrel account unlock ada
                """)

        @Argument(help: "Its handle.")
        var handle: String

        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await change(handle, database) { id, transaction in
                _ = try await Administration.unlock(
                    id, by: nil, visit("account.unlock"), on: transaction)
            }
            Terminal.say("\(handle) may show codes again")
        }
    }
}

extension Account {
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete an account with everything that is its own, for good.",
            discussion: """
                Its sessions, documents, keys, clouds and shares go; the audit log stays. The bytes \
                of its documents are removed by the server that runs, or by the next. \
                `carrel account deactivate` shuts out and can be taken back.

                EXAMPLE
                  carrel account delete ada --yes
                """)

        @Argument(help: "Its handle.")
        var handle: String

        @Flag(help: "Yes, delete everything.")
        var yes = false

        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            guard yes else {
                throw ValidationError("this cannot be undone; say --yes to delete \(handle)")
            }
        }

        func run() async throws {
            var sessions = 0
            try await change(handle, database) { id, transaction in
                sessions = try await Administration.delete(
                    id, by: nil, visit("account.delete"), on: transaction
                ).sessions.count
            }
            Terminal.say("deleted \(handle) (\(sessions) sessions)")
        }
    }
}

private func visit(_ action: String) -> Visit { Visit(action, command: "carrel account") }

private func hashOfNewPassword() async throws -> String {
    let password = try Accounts.Password(new: try Terminal.password("Password: "))
    return try await PasswordLane().hash(password)
}

/// Does something to the account of a handle, in one transaction.
private func change(
    _ handle: String, _ database: DatabaseOptions,
    _ work: (UUID, Transaction) async throws -> Void
) async throws {
    try await database.chosen.withConnection(as: .service) { connection in
        try await connection.withTransaction { transaction in
            guard let profile = try await ProfileRepository.getByHandle(handle, on: transaction)
            else { throw Failure("there is no account \"\(handle)\"; see `carrel account list`") }
            try await work(profile.id, transaction)
        }
    }
}
