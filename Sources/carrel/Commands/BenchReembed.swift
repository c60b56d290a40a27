import ArgumentParser
import Embedding
import Foundation
import Postgres
import Workload

/// `carrel bench reembed`.
struct BenchReembed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reembed",
        abstract: "Give sessions another model while they are searched, and measure both.",
        discussion: """
            For each size a session is filled (once), searched at an even pace beside another \
            session, and taken to the server's other model: with vectors that are supplied, or, \
            for the sizes of --embedded, with the model's own. Each step's time and rate is told, \
            that of the switch itself, and what searches took during each step. Needs a local \
            model beside the hashing one, and the server's database: use a server of its own \
            (--home), as the sessions stay.

            EXAMPLE
              carrel bench reembed --sizes 10000,100000 --embedded 2000
            """)

    @Option(help: "How many chunks; several, with commas between.")
    var sizes = "1000"

    @Option(help: "The same, of sessions whose texts the model embeds.")
    var embedded = ""

    @Option(help: "How many chunks the other session holds.")
    var other = 10_000

    @Option(help: "Searches a second, of each of the two.")
    var rate = 100.0

    @Option(help: "Seconds of quiet before and after.")
    var seconds = 10.0

    @OptionGroup var remote: RemoteOptions

    private func counts(_ text: String) throws -> [Int] {
        try text.split(separator: ",").map {
            guard let count = Int($0), (1...1_000_000).contains(count) else {
                throw ValidationError("sizes are numbers up to 1,000,000, got \"\($0)\"")
            }
            return count
        }
    }

    func validate() throws {
        guard try !(counts(sizes) + counts(embedded)).isEmpty else {
            throw ValidationError("--sizes or --embedded wants at least one")
        }
        guard other > 0, rate > 0, seconds > 0 else {
            throw ValidationError("--other, --rate and --seconds are positive")
        }
    }

    func run() async throws {
        let models = try EmbedderChoice().registry(remote.place.home).all.map(\.identity.name)
        guard models.count > 1 else {
            throw Failure("there is no model but \(models[0]): nowhere to go")
        }
        let (supplied, embedded) = (try counts(sizes), try counts(embedded))
        let results = try await remote.withServerAddress { address in
            try await Database(remote.place.home).withAddresses { addresses in
                let pool = Pool(try PostgresConfiguration(url: addresses.app), size: 3)
                return try await ensuring {
                    let bench = ReembedBench(
                        server: ServerAddress(
                            host: address.host, port: address.port, apiKey: address.apiKey),
                        remote: try await Remote.connect(address), pool: pool, models: models,
                        rate: rate, seconds: seconds, otherSize: other, quiet: remote.json)
                    var results: [ReembedBench.Result] = []
                    for size in supplied { results.append(try await bench.run(size, .supplied)) }
                    for size in embedded { results.append(try await bench.run(size, .embedded)) }
                    await bench.remote.close()
                    return results
                } finally: {
                    await pool.shutdown()
                }
            }
        }
        if remote.json { try results.printJSON() } else { results.forEach(Self.show) }
    }

    private static func show(_ result: ReembedBench.Result) {
        Terminal.say(
            "\(result.chunks) chunks from \(result.fromModel) to \(result.toModel), "
                + "vectors \(result.making.rawValue)")
        var table = Table(
            .text("step"), .number("seconds"), .number("chunks/s"), .number("own p50"),
            .number("p99"), .number("other p50"), .number("p99"))
        func text(_ milliseconds: Double?) -> String {
            milliseconds.map { String(format: "%.2f ms", $0) } ?? "-"
        }
        for step in result.steps {
            let isWork = !["idle", "plan", "resume", "after"].contains(step.name)
            table.add(
                step.name, String(format: "%.2f", step.seconds),
                isWork ? String(format: "%.0f", step.chunksPerSecond) : "",
                text(step.own?.p50Milliseconds), text(step.own?.p99Milliseconds),
                text(step.other?.p50Milliseconds), text(step.other?.p99Milliseconds))
        }
        table.print()
        let embedding = result.textsPerSecond.map { String(format: ", %.1f texts/s", $0) } ?? ""
        Terminal.say(
            String(
                format: "switch %.0f ms; p99 over idle: own %.2f, other %.2f",
                result.switchMilliseconds, result.ownRatio, result.otherRatio) + embedding
                + "; \(result.modelChanged) searches told that the model changed, "
                + "\(result.refused) of the other session refused")
    }
}
