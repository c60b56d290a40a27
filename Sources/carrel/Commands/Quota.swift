import ArgumentParser
import Foundation

struct Quota: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how much is kept and may be kept; set it for an account.",
        discussion: """
            Counted are the bytes of files, as they were given.

            EXAMPLE
              carrel quota
              carrel quota set ada 500MB
            """,
        subcommands: [Show.self, Assign.self], defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "get", abstract: "Show this account's quota.",
            discussion: "EXAMPLE\n  carrel quota get --json")

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let quota = try await server.quota()
            await server.close()
            if remote.json { return try quota.printJSON() }
            Terminal.say("\(quota.usedBytes) of \(quota.limitBytes) bytes")
        }
    }

    struct Assign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Set an account's quota; for administrators.",
            discussion: "EXAMPLE\n  carrel quota set ada 500MB")

        @Argument(help: "The account: its handle or its id.")
        var account: String

        @Argument(help: "Bytes, or a number followed by KB, MB or GB (1024 each).")
        var limit: String

        @OptionGroup var remote: RemoteOptions

        private func bytes() throws -> Int {
            let units = ["KB": 10, "MB": 20, "GB": 30]
            let shift = units.first { limit.uppercased().hasSuffix($0.key) }?.value
            let digits = shift == nil ? limit : String(limit.dropLast(2))
            guard let number = Int(digits), (0...1 << 20).contains(number) || shift == nil,
                number >= 0
            else { throw ValidationError("a quota is a number of bytes, KB, MB or GB") }
            return number << (shift ?? 0)
        }

        func validate() throws { _ = try bytes() }

        func run() async throws {
            let server = try await remote.connect()
            let quota = try await server.setQuota(of: account, to: try bytes())
            await server.close()
            if remote.json { return try quota.printJSON() }
            Terminal.say("\(account): \(quota.usedBytes) of \(quota.limitBytes) bytes")
        }
    }
}
