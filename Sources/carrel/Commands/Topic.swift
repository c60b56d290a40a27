import ArgumentParser
import Foundation

struct Topic: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, make, change, order and delete a session's topics.",
        discussion: """
            Passages are related to topics by likeness; `carrel search --topic` looks only at those \
            of one topic. Wherever a topic is wanted, its id or its title will do.

            EXAMPLE
              carrel topic list --session "Operating systems"
              carrel topic tick "Processes" --session "Operating systems"
            """,
        subcommands: [List.self, Create.self, Tick.self, Order.self, Delete.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the topics in order, with how much is about each.",
            discussion: "EXAMPLE\n  carrel topic list --session \"Operating systems\"")

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let (server, handle) = try await remote.open(session)
            let topics = try await server.topics(in: handle)
            await server.close()
            if remote.json { try topics.printJSON() } else { topics.say() }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a topic after the others, and relate passages to it.",
            discussion: "EXAMPLE\n  carrel topic create \"Memory\" --subtopic Paging -s \"Systems\""
        )

        @Argument(help: "What it is called.")
        var title: String

        @Option(name: .customLong("subtopic"), help: "What belongs under it; may be repeated.")
        var subtopics: [String] = []

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let (server, handle) = try await remote.open(session)
            let (topic, job) = try await server.createTopic(title, subtopics, in: handle)
            try await server.relate(job, quiet: remote.json)
            await server.close()
            if remote.json { try topic.printJSON() } else { Terminal.say("\(topic.id)") }
        }
    }

    struct Tick: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Mark a topic as completed.",
            discussion: "EXAMPLE\n  carrel topic tick \"Processes\" --session \"Operating systems\""
        )

        @Argument(help: "Its id or its title.")
        var topic: String

        @Flag(help: "Take the mark away again.")
        var undo = false

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let (server, handle) = try await remote.open(session)
            let found = try await server.topic(named: topic, in: handle)
            let ticked = try await server.tick(found.id, completed: !undo, in: handle)
            await server.close()
            if remote.json { try ticked.printJSON() } else { Terminal.say(ticked.title) }
        }
    }

    struct Order: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put the topics in the order in which they are named.",
            discussion: "EXAMPLE\n  carrel topic order \"Memory\" \"Processes\" -s \"Systems\"")

        @Argument(help: "All topics, by id or title.")
        var topics: [String]

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let (server, handle) = try await remote.open(session)
            var ids: [UUID] = []
            for topic in topics { ids.append(try await server.topic(named: topic, in: handle).id) }
            try await server.reorder(ids, in: handle)
            let ordered = try await server.topics(in: handle)
            await server.close()
            if remote.json { try ordered.printJSON() } else { ordered.say() }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a topic and its chat.",
            discussion: "EXAMPLE\n  carrel topic delete \"Processes\" -s \"Operating systems\"")

        @Argument(help: "Its id or its title.")
        var topic: String

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let (server, handle) = try await remote.open(session)
            let found = try await server.topic(named: topic, in: handle)
            try await server.relate(
                try await server.deleteTopic(found.id, in: handle), quiet: remote.json)
            await server.close()
            if remote.json { try found.printJSON() } else { Terminal.say("deleted \(found.title)") }
        }
    }
}

extension [TopicShape] {
    func say() {
        var table = Table(
            .number("#"), .elastic("topic"), .elastic("subtopics"), .text("done"),
            .number("documents"), .number("chunks"), .text("id"))
        for (index, topic) in enumerated() {
            table.add(
                "\(index + 1)", topic.title, topic.subtopics.joined(separator: ", "),
                topic.completed ? "yes" : "", "\(topic.documents ?? 0)", "\(topic.chunks ?? 0)",
                topic.id.uuidString.lowercased())
        }
        table.print(orWhenEmpty: "no topics yet; see `carrel plan draft` and `carrel topic create`")
    }
}
