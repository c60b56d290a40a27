import ArgumentParser
import Foundation
import Library
import Postgres

struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what was done, and check that the record is unchanged.",
        discussion: """
            Every security-relevant action leaves one entry, bound by its hash to the entry before.

            EXAMPLE
              carrel audit list
              carrel audit verify
            """,
        subcommands: [List.self, Verify.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List entries, newest first.",
            discussion: "EXAMPLE\n  carrel audit list --limit 20")

        @Option(help: "How many.")
        var limit = 50

        @Option(help: "Only what concerns this session, by id.")
        var session: String?

        @Flag(help: "Everybody's entries; for administrators.")
        var all = false

        @OptionGroup var remote: RemoteOptions

        func validate() throws {
            guard (1...500).contains(limit) else { throw ValidationError("--limit is 1 to 500") }
        }

        func run() async throws {
            let server = try await remote.connect()
            let entries = try await server.auditEntries(limit: limit, session: session, all: all)
            await server.close()
            if remote.json { return try entries.printJSON() }
            var table = Table(
                .number("no"), .text("at"), .text("action"), .elastic("target"), .text("from"))
            for entry in entries {
                let target = entry.target.map { "\($0.type) \($0.id.uuidString.lowercased())" }
                table.add("\(entry.id)", entry.at, entry.action, target ?? "", entry.ip ?? "")
            }
            table.print(orWhenEmpty: "no entries")
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every entry of the log, and its end.",
            discussion: """
                Finds entries that were edited, deleted, reordered or cut off at the end. Who may \
                rewrite the whole database can also write a new log that holds together. Keep the \
                hash this prints somewhere else: given back with --kept it must still be there, and \
                vouches for everything before it.

                Asks the database as its owner (CARREL_MIGRATE_URL), who sees every entry.

                EXAMPLE
                  carrel audit verify --kept 5f0c…
                """)

        @Option(help: "A hash printed earlier: 64 hexadecimal digits.")
        var kept: String?

        @OptionGroup var database: DatabaseOptions

        @Flag(help: "Print JSON for machines.")
        var json = false

        private struct Answer: Encodable {
            let entries: Int
            let last: Int64
            let hash: String
            let findings: [String]
        }

        private func keptHash() throws -> [UInt8]? {
            try kept.map { text in
                let digits = text.compactMap(\.hexDigitValue)
                guard digits.count == 64, text.count == 64 else {
                    throw ValidationError("--kept wants 64 hexadecimal digits")
                }
                return stride(from: 0, to: 64, by: 2).map {
                    UInt8(digits[$0] * 16 + digits[$0 + 1])
                }
            }
        }

        func validate() throws { _ = try keptHash() }

        func run() async throws {
            let kept = try keptHash()
            let chain = try await database.chosen.withMigratingConnection { connection in
                try await AuditRepository.verify(kept: kept, on: connection)
            }
            let answer = Answer(
                entries: chain.count, last: chain.last, hash: chain.hash.hexadecimal,
                findings: chain.findings.map(\.description))
            if json {
                try answer.printJSON()
            } else {
                answer.findings.forEach(Terminal.say)
                Terminal.say("\(answer.entries) entries, the last with hash \(answer.hash)")
            }
            guard answer.findings.isEmpty else {
                throw Failure("the audit log is not as it was written")
            }
        }
    }
}
