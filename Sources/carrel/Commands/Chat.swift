import ArgumentParser
import Foundation

struct Chat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List and read chats, and say something in one.",
        discussion: """
            A session has one general chat, and one for each topic; they are made when something is \
            first said in them.

            EXAMPLE
              carrel chat say "What is a zombie?" --topic Processes -s "Systems"
              carrel chat show --topic Processes -s "Operating systems"
            """,
        subcommands: [List.self, Show.self, Say.self],
        defaultSubcommand: List.self)

    struct TopicOption: ParsableArguments {
        @Option(help: "The topic's id or title (default: the general chat).")
        var topic: String?
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the chats of a session.",
            discussion: "EXAMPLE\n  carrel chat list --session \"Operating systems\"")

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let (server, handle) = try await remote.open(session)
            let chats = try await server.chats(in: handle)
            let topics = try await server.topics(in: handle)
            await server.close()
            if remote.json { return try chats.printJSON() }
            var table = Table(.elastic("about"), .text("started"), .text("since"), .text("id"))
            for chat in chats {
                let title = topics.first { $0.id == chat.topic }?.title
                table.add(
                    title ?? "general", chat.started ? "yes" : "",
                    String(chat.createdAt.prefix(10)), chat.id.uuidString.lowercased())
            }
            table.print(orWhenEmpty: "no chats yet; see `carrel chat say`")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what was said in a chat.",
            discussion: "EXAMPLE\n  carrel chat show --topic Processes -s \"Operating systems\"")

        @OptionGroup var subject: TopicOption
        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let (server, handle) = try await remote.open(session)
            let chat = try await server.chat(about: subject.topic, in: handle, making: false)
            var said: [MessageShape] = []
            if let chat { said = try await server.messages(in: chat.id, session: handle) }
            await server.close()
            if remote.json { return try said.printJSON() }
            for message in said { Terminal.say("\(message.role): \(message.content)") }
        }
    }

    struct Say: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say something in a chat; it is made if it is not there.",
            discussion: "EXAMPLE\n  carrel chat say \"What is a zombie?\" -s \"Operating systems\"")

        @Argument(help: "What is said.")
        var content: String

        @Option(help: "Who says it: user, assistant or system.")
        var role = "user"

        @Option(name: .customLong("cite"), help: "The id of a chunk it rests on; may be repeated.")
        var cited: [String] = []

        @OptionGroup var subject: TopicOption
        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let (server, handle) = try await remote.open(session)
            guard let chat = try await server.chat(about: subject.topic, in: handle, making: true)
            else { throw Failure("the chat is gone") }
            let message = try await server.say(
                content, as: role, citing: cited, in: chat.id, session: handle)
            await server.close()
            if remote.json { try message.printJSON() } else { Terminal.say("\(message.id)") }
        }
    }
}
