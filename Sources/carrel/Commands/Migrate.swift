import ArgumentParser
import Foundation
import Library
import Postgres

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take the database from one shape to another.",
        discussion: """
            Works on CARREL_MIGRATE_URL, else CARREL_DATABASE_URL, else the embedded cluster, which it \
            starts for the moment if no server runs. The role named there must be able to act as \
            carrel_migrate, which owns the tables; a superuser's makes that role and carrel_app, as \
            which the server connects. Each migration is one transaction; of two \
            processes the second waits for the first.

            EXAMPLE
              carrel migrate up
              carrel migrate status
            """,
        subcommands: [Up.self, Down.self, State.self, Verify.self, Diagram.self])

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Apply what is missing.", discussion: "EXAMPLE\n  carrel migrate up --to 3")

        @Option(help: "The last migration to apply.")
        var to: Int?

        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.chosen.withMigratingConnection { connection in
                let applied = try await Migrator().up(to: to, on: connection) {
                    Terminal.say("applied \($0.number) \($0.name)")
                }
                if applied.isEmpty { Terminal.say("nothing to apply") }
            }
        }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Undo migrations, newest first, with the data they hold.",
            discussion: "EXAMPLE\n  carrel migrate down --to 0")

        @Option(help: "The last migration to keep; 0 keeps none.")
        var to: Int

        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.chosen.withMigratingConnection { connection in
                let undone = try await Migrator().down(to: to, on: connection) {
                    Terminal.say("undid \($0.number) \($0.name)")
                }
                if undone.isEmpty { Terminal.say("nothing to undo") }
            }
        }
    }

    struct State: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "List the migrations and when each was applied.",
            discussion: "EXAMPLE\n  carrel migrate status --json")

        @OptionGroup var database: DatabaseOptions

        @Flag(help: "Print JSON for machines.")
        var json = false

        private struct Line: Encodable {
            let number: Int
            let name: String
            let sha256: String
            let appliedAt: Date?
            let appliedBy: String?
        }

        func run() async throws {
            let lines = try await database.chosen.withMigratingConnection { connection in
                try await Migrator().status(on: connection).map {
                    Line(
                        number: $0.migration.number, name: $0.migration.name,
                        sha256: $0.migration.sha256, appliedAt: $0.applied?.appliedAt,
                        appliedBy: $0.applied?.appliedBy)
                }
            }
            if json { return try lines.printJSON() }
            var table = Table(.number("no"), .elastic("migration"), .text("applied"), .text("by"))
            for line in lines {
                table.add(
                    "\(line.number)", line.name, line.appliedAt?.formatted(.iso8601) ?? "not yet",
                    line.appliedBy ?? "")
            }
            table.print()
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare the database with what its migrations make; exit 1 on drift.",
            discussion: "EXAMPLE\n  carrel migrate verify")

        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let found = try await database.chosen.withMigratingConnection { connection in
                try await Migrator().verify(on: connection)
            }
            var table = Table(.text("drift"), .elastic("what"))
            for line in found.missing { table.add("missing", line) }
            for line in found.unexpected { table.add("unexpected", line) }
            table.print()
            if !found.pending.isEmpty {
                let numbers = found.pending.map(String.init).joined(separator: ", ")
                Terminal.say("not applied yet: \(numbers)")
            }
            guard !found.hasDrifted else {
                throw Failure(
                    "the database has drifted: \(found.missing.count) missing, "
                        + "\(found.unexpected.count) unexpected")
            }
            Terminal.say("the database is what its migrations make")
        }
    }

    struct Diagram: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Draw the tables of the database (Mermaid), as in docs/schema.md.",
            discussion: "EXAMPLE\n  carrel migrate diagram")

        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let drawn = try await database.chosen.withMigratingConnection { connection in
                try await SchemaDiagram.read(on: connection)
            }
            Terminal.say(drawn.mermaid)
        }
    }
}
