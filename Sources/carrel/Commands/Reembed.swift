import ArgumentParser
import Foundation

struct Reembed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change the embedding model of a session, or of all.",
        discussion: """
            The server embeds every passage anew beside the session, compares both models on \
            queries of the session's own, and switches in one moment. Searches go on throughout, \
            and see one model or the other, never both. For a week the switch can be taken back.

            EXAMPLE
              carrel reembed plan --model all-MiniLM-L6-v2 --session "Operating systems"
              carrel reembed start --model all-MiniLM-L6-v2 --all --follow
              carrel reembed status
              carrel reembed resume --session "Operating systems" --force
              carrel reembed rollback --session "Operating systems"
            """,
        subcommands: [
            Plan.self, Start.self, Status.self, Pause.self, Resume.self, Cancel.self,
            Rollback.self, Export.self, Load.self,
        ],
        defaultSubcommand: Status.self)
}

/// One session or all: which, has to be said where something is done to them.
struct ReembedTarget: ParsableArguments {
    @Option(name: .shortAndLong, help: "The study session: its id or its title.")
    var session: String?

    @Flag(help: "All sessions of the account.")
    var all = false

    func validate() throws {
        guard (session != nil) != all else {
            throw ValidationError("name one --session, or say --all")
        }
    }

    /// The session's id; nil for all.
    func id(_ server: Remote) async throws -> UUID? {
        guard let session else { return nil }
        return try await server.session(named: session).id
    }
}

extension Reembed {
    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what it would take; nothing is written.",
            discussion: """
                Texts that the model has read for the account before are not counted as work. \
                How fast the model is, is known from earlier runs, or tried on a few passages.

                EXAMPLE
                  carrel reembed plan --model text-embedding-3-small --all --price 0.02
                """)

        @Option(help: "The model to go to, as the server calls it.")
        var model: String

        @Option(help: "What a million tokens cost, to see what it all would.")
        var price: Double?

        @OptionGroup var target: ReembedTarget
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let plans = try await server.planReembedding(
                model: model, session: try await target.id(server), price: price)
            await server.close()
            if remote.json { return try plans.printJSON() }
            var table = Table(
                .elastic("SESSION"), .elastic("FROM"), .number("TEXTS"), .number("TO EMBED"),
                .number("TOKENS"), .number("TIME"), .number("COST"), .elastic(""))
            for plan in plans {
                table.add(
                    plan.title, plan.fromModel, "\(plan.texts)", "\(plan.textsToEmbed)",
                    "\(plan.tokensToEmbed)", plan.seconds.map(Self.time) ?? "?",
                    plan.cost.map { String(format: "%.4f", $0) } ?? "-", plan.obstacle ?? "")
            }
            table.print()
            let left = plans.filter { $0.obstacle == nil }
            let texts = left.reduce(0) { $0 + $1.textsToEmbed }
            Terminal.say("\(left.count) sessions, \(texts) texts to embed with \(model)")
        }

        static func time(_ seconds: Double) -> String {
            let whole = Int(seconds.rounded(.up))
            return whole < 3600
                ? String(format: "%d:%02d", whole / 60, whole % 60)
                : String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Begin; the server's workers do the rest.",
            discussion: """
                Before the switch, queries drawn from the session are asked of both models. Where \
                the first ten hits agree too little, or a file of judgements says that they got \
                worse, the run stops and says so; see `carrel reembed resume --force`.

                A file of judgements is JSON: [{"query": "…", "relevant": [{"chunk": "<id>", \
                "grade": 1}]}].

                EXAMPLE
                  carrel reembed start --model all-MiniLM-L6-v2 -s Analysis --follow
                """)

        @Option(help: "The model to go to, as the server calls it.")
        var model: String

        @Option(help: "The least overlap of the first ten hits, 0 to 1 (default: 0.2).")
        var minOverlap: Double?

        @Option(help: "By how much nDCG@10 may fall, with judgements (default: 0.02).")
        var maxLoss: Double?

        @Option(help: "How many queries to draw from each session (default: 24).")
        var queries: Int?

        @Option(help: "Judged queries, a JSON file.")
        var judgements: String?

        @Option(help: "Hours for which the switch can be taken back (default: 168).")
        var retainHours: Double?

        @Flag(help: "Switch whatever the comparison says.")
        var force = false

        @Flag(help: "Wait to be resumed.")
        var paused = false

        @Flag(help: "Stay, and show how far it is.")
        var follow = false

        @OptionGroup var target: ReembedTarget
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            var terms = ReembedTermsShape(model: model)
            terms.force = force
            terms.minOverlap = minOverlap
            terms.maxLoss = maxLoss
            terms.queries = queries
            terms.retainSeconds = retainHours.map { Int($0 * 3600) }
            terms.paused = paused
            terms.judgements = try judgements.map(Self.read)
            let server = try await remote.connect()
            terms.session = try await target.id(server)
            var begun = try await server.startReembedding(terms)
            if follow { begun.runs = try await server.follow(begun.runs, quiet: remote.json) }
            await server.close()
            try begun.say(remote)
            let stopped = begun.runs.filter { $0.state == "STOPPED" || $0.state == "FAILED" }
            guard stopped.isEmpty else {
                throw Failure("\(stopped.count) of \(begun.runs.count) did not get to the switch")
            }
        }

        private static func read(_ path: String) throws -> [ReembedTermsShape.Judgement] {
            guard let data = FileManager.default.contents(atPath: path),
                let read = try? JSONDecoder().decode(
                    [ReembedTermsShape.Judgement].self, from: data)
            else { throw Failure("\(path) holds no judgements; see `carrel reembed start --help`") }
            return read
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show how far it is: each session's last run, or all of one session.",
            discussion: "EXAMPLE\n  carrel reembed status --follow")

        @Option(name: .shortAndLong, help: "The study session: its id or its title.")
        var session: String?

        @Flag(help: "Stay until nothing waits or runs any more.")
        var follow = false

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let id = session == nil ? nil : try await server.session(named: session!).id
            var runs = try await server.reembeddings(of: id)
            let open = runs.filter(\.isWaiting)
            if follow, !open.isEmpty {
                _ = try await server.follow(open, quiet: remote.json)
                runs = try await server.reembeddings(of: id)
            }
            await server.close()
            if remote.json { try runs.printJSON() } else { runs.say() }
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop until resumed; what is embedded stays.",
            discussion: "EXAMPLE\n  carrel reembed pause --all")

        @OptionGroup var target: ReembedTarget
        @OptionGroup var remote: RemoteOptions

        func run() async throws { try await remote.reembed("pause", target) }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Go on with what was paused, or stopped for a reason.",
            discussion: "EXAMPLE\n  carrel reembed resume -s Analysis --force")

        @Flag(help: "Switch whatever the comparison said.")
        var force = false

        @OptionGroup var target: ReembedTarget
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let resumed = try await server.resumeReembeddings(
                of: try await target.id(server), isForced: force)
            await server.close()
            try resumed.say(remote)
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End it; sessions stay as they are.",
            discussion: "EXAMPLE\n  carrel reembed cancel -s Analysis")

        @OptionGroup var target: ReembedTarget
        @OptionGroup var remote: RemoteOptions

        func run() async throws { try await remote.reembed("cancel", target) }
    }

    struct Rollback: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take the last switch back: the model and the vectors before it.",
            discussion: "EXAMPLE\n  carrel reembed rollback -s Analysis")

        @OptionGroup var target: ReembedTarget
        @OptionGroup var remote: RemoteOptions

        func run() async throws { try await remote.reembed("rollback", target) }
    }
}

extension RemoteOptions {
    fileprivate func reembed(_ verb: String, _ target: ReembedTarget) async throws {
        let server = try await connect()
        let runs = try await server.reembeddings(verb, of: try await target.id(server))
        await server.close()
        try runs.say(self)
    }
}
