import ArgumentParser
import Foundation

struct Share: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let others read documents, see what is shared, end it.",
        discussion: """
            A recipient opens the session by its id and finds only what is shared in it.

            EXAMPLE
              carrel share create notes.pdf --with ada --session "Operating systems"
              carrel share received
            """,
        subcommands: [List.self, Create.self, Revoke.self, Received.self],
        defaultSubcommand: Received.self)

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Share a document with an account or a group.",
            discussion: "EXAMPLE\n  carrel share create notes.pdf --with ada --days 30 -s s")

        @Argument(help: "The document: its id or its file name.")
        var document: String

        @Option(help: "An account: its handle or its id.")
        var with: String?

        @Option(help: "A group: its name or its id.")
        var group: String?

        @Option(help: "After how many days it ends (default: when revoked).")
        var days: Int?

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func validate() throws {
            guard (with == nil) != (group == nil) else {
                throw ValidationError("share with one account (--with) or one group (--group)")
            }
            guard days.map({ $0 > 0 }) ?? true else {
                throw ValidationError("--days wants 1 or more")
            }
        }

        func run() async throws {
            let server = try await remote.connect()
            let handle = try await server.open(named: session.session)
            var groupID: UUID?
            if let group { groupID = try await server.group(named: group).id }
            let share = try await server.share(
                try await server.document(named: document, in: handle).id, in: handle,
                account: with, group: groupID,
                expiresAt: days.map { Date(timeIntervalSinceNow: Double($0) * 86_400) })
            await server.close()
            if remote.json { try share.printJSON() } else { Terminal.say("\(share.id)") }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what of a session is shared.",
            discussion: "EXAMPLE\n  carrel share list --session \"Operating systems\"")

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let handle = try await server.open(named: session.session)
            let shares = try await server.shares(in: handle)
            await server.close()
            if remote.json { return try shares.printJSON() }
            var table = Table(
                .text("id"), .elastic("document"), .elastic("to"), .text("until"))
            for share in shares {
                table.add(
                    share.id.uuidString.lowercased(), share.document.fileName,
                    share.to.handle ?? share.to.name.map { "group \($0)" } ?? "",
                    share.expiresAt ?? "revoked")
            }
            table.print(orWhenEmpty: "nothing of this session is shared")
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a share at once.",
            discussion: "EXAMPLE\n  carrel share revoke 5f0c… --session s")

        @Argument(help: "Its id, as `carrel share list` shows it.")
        var share: String

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func validate() throws {
            guard UUID(uuidString: share) != nil else {
                throw ValidationError("a share is named by its id, got \"\(share)\"")
            }
        }

        func run() async throws {
            let server = try await remote.connect()
            let handle = try await server.open(named: session.session)
            try await server.revoke(share: share, in: handle)
            await server.close()
            Terminal.say("revoked \(share)")
        }
    }

    struct Received: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what is shared to this account.",
            discussion: "EXAMPLE\n  carrel share received")

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let shares = try await server.sharesReceived()
            await server.close()
            if remote.json { return try shares.printJSON() }
            var table = Table(
                .elastic("document"), .text("from"), .text("session"), .text("until"))
            for share in shares {
                table.add(
                    share.document.fileName, share.from, share.session.uuidString.lowercased(),
                    share.expiresAt ?? "revoked")
            }
            table.print(orWhenEmpty: "nothing is shared to this account")
        }
    }
}
