import ArgumentParser
import Foundation

struct Session: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, list, show and delete study sessions.",
        discussion: """
            A session is a wall: a search sees one session's documents and no other's. Wherever a \
            command takes --session, an id or a title will do.

            EXAMPLE
              carrel session create "Operating systems" --description "autumn term"
              carrel session list
            """,
        subcommands: [Create.self, List.self, Show.self, Delete.self],
        defaultSubcommand: List.self)

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a session and print its id.",
            discussion: "EXAMPLE\n  carrel session create \"Operating systems\"")

        @Argument(help: "What the session is called.")
        var title: String

        @Option(help: "What it is about.")
        var description: String?

        @Option(help: "The embedding model of its chunks (default: the server's).")
        var model: String?

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let session = try await server.createSession(
                title: title, description: description, model: model)
            if remote.json { try session.printJSON() } else { Terminal.say("\(session.id)") }
            await server.close()
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the sessions of this account.",
            discussion: "EXAMPLE\n  carrel session list --json")

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let sessions = try await server.sessions()
            await server.close()
            if remote.json { return try sessions.printJSON() }
            var table = Table(
                .text("id"), .elastic("title"), .text("status"), .number("chunks"), .text("model"),
                .text("created"))
            for session in sessions {
                table.add(
                    session.id.uuidString.lowercased(), session.title, session.status,
                    "\(session.chunkCount)", session.model, String(session.createdAt.prefix(10)))
            }
            table.print(orWhenEmpty: "no sessions yet; make one with `carrel session create TITLE`")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one session and its documents.",
            discussion: "EXAMPLE\n  carrel session show \"Operating systems\"")

        @Argument(help: "Its id or its title.")
        var session: String

        @OptionGroup var remote: RemoteOptions

        private struct Answer: Encodable {
            let session: SessionShape
            let documents: [DocumentShape]
        }

        func run() async throws {
            let server = try await remote.connect()
            let found = try await server.session(named: session)
            let documents = try await server.documents(in: try await server.open(found.id))
            await server.close()
            if remote.json {
                return try Answer(session: found, documents: documents).printJSON()
            }
            Terminal.say("\(found.title) (\(found.id.uuidString.lowercased()))")
            if let description = found.description { Terminal.say(description) }
            Terminal.say(
                "\(found.status), \(found.chunkCount) chunks, model \(found.model), "
                    + "revision \(found.revision)\n")
            var table = Table(
                .elastic("document"), .text("type"), .text("status"), .number("pages"),
                .number("bytes"), .elastic("reason"))
            for document in documents {
                table.add(
                    document.fileName, document.fileType, document.status,
                    document.pageCount.map(String.init) ?? "", "\(document.bytes)",
                    document.error ?? "")
            }
            table.print(orWhenEmpty: "no documents yet; add some with `carrel ingest PATH…`")
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a session with all its documents.",
            discussion: "EXAMPLE\n  carrel session delete \"Operating systems\"")

        @Argument(help: "Its id or its title.")
        var session: String

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let found = try await server.session(named: session)
            try await server.deleteSession(found.id)
            await server.close()
            if remote.json {
                try found.printJSON()
            } else {
                Terminal.say("deleted \(found.title) (\(found.chunkCount) chunks)")
            }
        }
    }
}
