import ArgumentParser
import Foundation

struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draft, show, edit and accept a session's plan of study.",
        discussion: """
            A draft is made from the session's own content, without a language model: headings, \
            clusters of passages, distinctive words. Accepting it makes its topics, and passages are \
            related to them.

            EXAMPLE
              carrel plan draft --session "Operating systems"
              carrel plan show --session "Operating systems" --json > plan.json
              carrel plan edit plan.json --session "Operating systems"
              carrel plan accept --session "Operating systems"
            """,
        subcommands: [Draft.self, Show.self, Edit.self, Accept.self],
        defaultSubcommand: Show.self)

    struct Draft: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Draft a plan from what the session holds.",
            discussion: "EXAMPLE\n  carrel plan draft --session \"Operating systems\"")

        @Option(help: "The language of the content (default: found by its stop words).")
        var language: String?

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let found = try await server.session(named: session.session)
            let plan = try await server.draftPlan(
                in: try await server.open(found.id), language: language)
            await server.close()
            if remote.json { try plan.printJSON() } else { plan.say() }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the plan as it stands.",
            discussion: "EXAMPLE\n  carrel plan show --session \"Operating systems\" --json")

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let found = try await server.session(named: session.session)
            let plan = try await server.plan(of: found.id)
            await server.close()
            guard let plan else {
                throw Failure("\(found.title) has no plan yet; see `carrel plan draft`")
            }
            if remote.json { try plan.printJSON() } else { plan.say() }
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put the topics of a file in place of the plan's.",
            discussion: """
                The file is JSON as `carrel plan show --json` prints it: topics, each with a title \
                and perhaps subtopics, in order.

                EXAMPLE
                  carrel plan edit plan.json --session "Operating systems"
                """)

        @Argument(help: "The file, or - for standard input.")
        var file: String

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let data =
                file == "-"
                ? FileHandle.standardInput.readDataToEndOfFile()
                : FileManager.default.contents(atPath: file)
            guard let data, let plan = try? JSONDecoder().decode(PlanShape.self, from: data) else {
                throw Failure("\(file) holds no plan; see `carrel plan show --json`")
            }
            let server = try await remote.connect()
            let found = try await server.session(named: session.session)
            let edited = try await server.editPlan(plan, in: try await server.open(found.id))
            await server.close()
            if remote.json { try edited.printJSON() } else { edited.say() }
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the plan's topics, and relate passages to them.",
            discussion: "EXAMPLE\n  carrel plan accept --session \"Operating systems\"")

        @Flag(help: "Remove topics that are not in the plan, with their chats.")
        var replace = false

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let found = try await server.session(named: session.session)
            let handle = try await server.open(found.id)
            let job = try await server.acceptPlan(in: handle, replacing: replace)
            try await server.relate(job, quiet: remote.json)
            let topics = try await server.topics(in: handle)
            await server.close()
            if remote.json { try topics.printJSON() } else { topics.say() }
        }
    }
}

extension PlanShape {
    fileprivate func say() {
        for topic in topics {
            let share = topic.evidence.map { " (\(Int(($0.share * 100).rounded())) %)" } ?? ""
            Terminal.say("\((topic.order ?? 0) + 1). \(topic.title)\(share)")
            for subtopic in topic.subtopics ?? [] { Terminal.say("   - \(subtopic)") }
        }
    }
}
