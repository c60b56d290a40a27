import ArgumentParser
import Embedding
import Foundation
import Vectors
import Workload

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this machine.",
        discussion: "EXAMPLE\n  carrel bench search --sizes 1000,10000,50000",
        subcommands: [
            Searching.self, Encoding.self, Scanning.self, BenchLogin.self, BenchReembed.self,
        ])

    struct Searching: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "search",
            abstract: "Search sessions of several sizes over the socket.",
            discussion: """
                Fills one session per size (once: a second run finds them), asks in a closed loop with \
                one client, compares the answers with brute force, and prints a hash of them. Without \
                --vectors, seeded clusters. Starts a server for itself when none runs. \
                benchmarks/README.md has the full measurements.

                EXAMPLE
                  carrel bench search
                  carrel bench search --sizes 1000,10000,50000 \\
                    --vectors ../shared/data/vectors/pool.f16.npy \\
                    --queries ../shared/data/vectors/queries.f16.npy
                """)

        @Option(help: "How many chunks a session holds; several, separated by commas.")
        var sizes = "1000"

        @Option(help: "A NumPy file of vectors to store (f2 or f4, at most 768 wide).")
        var vectors: String?

        @Option(help: "A NumPy file of vectors to ask with.")
        var queries: String?

        @Option(help: "How many queries per size.")
        var count = 200

        @OptionGroup var remote: RemoteOptions

        func validate() throws {
            guard try !parsedSizes().isEmpty, count > 0 else {
                throw ValidationError("--sizes and --count want at least one")
            }
        }

        private func parsedSizes() throws -> [Int] {
            try sizes.split(separator: ",").map {
                guard let size = Int($0), size > 0 else {
                    throw ValidationError(
                        "--sizes wants numbers separated by commas, got \"\($0)\"")
                }
                return size
            }
        }

        private struct Report: Encodable {
            let vectors: String
            let results: [SearchBench.Result]
            let residentBytes: Int
        }

        func run() async throws {
            let stored = try vectors.map(VectorSource.init(file:)) ?? VectorSource(clustered: 1)
            let asked =
                try queries.map(VectorSource.init(file:)) ?? VectorSource(clustered: 1, part: 1)
            let sizes = try parsedSizes()
            let (count, quiet) = (count, remote.json)
            try await remote.withServerAddress { address in
                let server = ServerAddress(
                    host: address.host, port: address.port, apiKey: address.apiKey)
                let report = try await onOwnThread {
                    let bench = SearchBench(
                        server: server, stored: stored, asked: asked, queries: count, quiet: quiet)
                    return Report(
                        vectors: stored.name, results: try sizes.map { try bench.run(size: $0) },
                        residentBytes: try ServerConnection(server)
                            .call("server.status", as: StatusShape.self).residentBytes)
                }
                if remote.json { try report.printJSON() } else { Self.show(report) }
            }
        }

        private static func show(_ report: Report) {
            var table = Table(
                .number("chunks"), .number("server p50"), .number("p99"),
                .number("round trip p50"), .number("p99"), .number("recall@10"), .text("plan"),
                .text("answers"))
            for result in report.results {
                let times = [
                    result.server.p50Milliseconds, result.server.p99Milliseconds,
                    result.roundTrip.p50Milliseconds, result.roundTrip.p99Milliseconds,
                ].map { String(format: "%.2f ms", $0) }
                table.add(
                    "\(result.chunks)", times[0], times[1], times[2], times[3],
                    String(format: "%.4f", result.recall10), result.plan, result.answers)
            }
            table.print()
            Terminal.say(
                "\(report.vectors), one client, closed loop; server resident in "
                    + "\(report.residentBytes / 1_048_576) MiB")
        }
    }

    struct Encoding: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "embed",
            abstract: "Time the local model.",
            discussion: """
                Encodes passages several times after one round that does not count, then questions one \
                by one. No server is needed. The texts are the "text" of a file of JSON lines, or \
                paragraphs of the sample documents.

                EXAMPLE
                  carrel bench embed
                  carrel bench embed --texts ../shared/data/squad-dev-a/corpus.jsonl
                """)

        @Option(help: "A file of texts: JSON lines, each a string or an object with a \"text\".")
        var texts: String?

        @Option(
            help: "The folder of the model (default: $CARREL_MODEL_DIR, else below CARREL_HOME).")
        var model: String?

        @Option(help: "How many passages (default: all of --texts, or 64 of the sample's).")
        var count: Int?

        @Option(help: "How many rounds are timed.")
        var rounds = 3

        @Option(help: "How the model computes: fp32, bf16 or auto.")
        var arithmetic = "auto"

        @OptionGroup var place: HomeOption

        @Flag(help: "Print JSON for machines.")
        var json = false

        func validate() throws {
            guard Arithmetic(rawValue: arithmetic) != nil, count ?? 1 > 0, rounds > 0 else {
                throw ValidationError("--arithmetic is fp32, bf16 or auto; the counts start at 1")
            }
        }

        private struct Line: Decodable {
            let text: String

            private enum CodingKeys: CodingKey { case text }

            init(from decoder: any Decoder) throws {
                if let text = try? decoder.singleValueContainer().decode(String.self) {
                    self.text = text
                } else {
                    text = try decoder.container(keyedBy: CodingKeys.self)
                        .decode(String.self, forKey: .text)
                }
            }
        }

        func run() async throws {
            let all = try passages()
            let passages = Array(all.prefix(count ?? (texts == nil ? 64 : all.count)))
            var options = BertEmbedder.Options()
            options.arithmetic = Arithmetic(rawValue: arithmetic) ?? .auto
            let report = try await EncoderBenchmark.run(
                model: model ?? place.home.model, texts: passages, options: options, rounds: rounds)
            if json { return try report.printJSON() }
            var table = Table(.text("what"), .elastic("measured"))
            table.add("passages", "\(report.passages), \(report.tokens) tokens")
            table.add("how", "\(report.library), \(report.arithmetic), \(report.threads) threads")
            table.add("passages/s", String(format: "%.1f", report.passagesPerSecond))
            table.add(
                "one query",
                String(
                    format: "p50 %.2f ms, p99 %.2f ms", report.queryP50, report.queryP99))
            table.add("vectors", report.hash)
            table.print()
        }

        private func passages() throws -> [String] {
            if let texts {
                guard let data = FileManager.default.contents(atPath: texts) else {
                    throw Failure("there is no \(texts)")
                }
                return try JSONLines.decode(Line.self, from: data, file: texts).map(\.text)
            }
            let sample = try Intake.files(at: ["data/sample"])
                .filter { $0.hasSuffix(".md") || $0.hasSuffix(".txt") }
            let paragraphs = sample.compactMap { try? String(contentsOfFile: $0, encoding: .utf8) }
                .flatMap { $0.split(separator: "\n\n") }
                .filter { $0.count > 200 }
            guard !paragraphs.isEmpty else { throw Failure("no paragraphs in data/sample") }
            return paragraphs.map(String.init)
        }
    }
}
