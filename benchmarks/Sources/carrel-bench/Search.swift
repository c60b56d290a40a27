import ArgumentParser
import Foundation
import Workload

/// Latency, throughput, recall and memory by size of the session.
struct Search: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Search sessions of several sizes.",
        discussion: """
            For each size: one client in a closed loop with vectors and with texts, one at a fixed rate \
            (times count from when a request was due), and the throughput of several clients. Answers \
            are judged by brute force.

            EXAMPLE
              carrel-bench search --sizes 1000,10000,50000
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "How many chunks a session holds; several, separated by commas.")
    var sizes = "1000,10000,50000"

    @Option(help: "Queries of the closed loop.")
    var count = 2000

    @Option(help: "Text queries, each embedded by the server; 0 for none.")
    var texts = 100

    @Option(help: "Requests a second in the open loop; 0 for none.")
    var rate = 500.0

    @Option(help: "Seconds of each open loop.")
    var seconds = 10.0

    @Option(help: "Numbers of clients for the throughput; empty for none.")
    var clients = "1,4,16,64"

    @Option(help: "Requests each of those clients keeps under way.")
    var pipelined = 4

    @Option(help: "Further members of each request, such as '\"exactness\":\"proven\"'.")
    var options = ""

    func validate() throws {
        guard try !numbers(sizes).isEmpty, count > 0, (1...64).contains(pipelined) else {
            throw ValidationError("--sizes and --count want at least one, --pipelined 1 to 64")
        }
    }

    private func numbers(_ list: String) throws -> [Int] {
        try list.split(separator: ",").map {
            guard let number = Int($0), number > 0 else {
                throw ValidationError("expected numbers separated by commas, got \"\(list)\"")
            }
            return number
        }
    }

    struct Result: Encodable {
        let chunks: Int
        let plans: [String: Int]
        let certificates: [String: Int]
        let recall10: Double
        /// Equal over runs, or the answers are not.
        let answers: String
        let closed: Times
        /// A bare echo of lines as long as a request and its answer, on this machine, just before.
        let echo: Times
        /// Means of `meta.tookUs` over the queries: microseconds by stage, in the server.
        let stages: [String: Double]
        let texts: Times?
        let open: Times?
        let openRate: Double
        var throughput: [String: Double] = [:]
        var throughputTimes: [String: Times] = [:]
        let stored: StudySession.Filling
        let residentBytes: Int
    }

    func run() throws {
        let (stored, asked) = try common.sources()
        try ServerProcess.with(common) { server in
            let recorder = Recorder(
                options: common, vectors: stored.name, status: try server.status())
            say(
                "chunks  echo p50  closed p50       p99  open p50       p99  text p50  recall@10  plan      "
                    + "answers           resident   queries/s at clients")
            for size in try numbers(sizes) {
                let result = try measure(size, stored, asked, server)
                try recorder.add("search", result)
                say(Self.line(result))
            }
        }
    }

    private func measure(
        _ size: Int, _ stored: VectorSource, _ asked: VectorSource, _ server: ServerProcess
    ) throws -> Result {
        let session = try StudySession(
            size, of: stored, on: try server.connect(), progress: fillProgress(size))
        let vectors = try (0..<min(count, asked.rows)).map { try asked.vector($0) }
        let questions = vectors.map { Question(vector: $0, options: options) }
        let one = try Load(questions, session: session.id, on: server.address)
        try warm(one)
        let length = try one.run(.closed(count: 1), keeping: 1).answers[0].count
        let echo = try Echo.measure(request: one.requestBytes, answer: length + 1)
        let closed = try one.run(.closed(count: count), keeping: vectors.count)
        try require(closed)
        let answers = try closed.answers.map { try Answer.read($0) }
        let exact = try ExactNearest(size, of: stored)
        let right = zip(vectors, answers).reduce(0) {
            $0 + exact.right($1.1.rows, for: $1.0, k: 10)
        }
        var open: LoadResult?
        if rate > 0 {
            let load = try Load(
                questions, session: session.id, on: server.address, connections: 4, depth: 32)
            open = try load.run(.open(rate: rate, seconds: seconds))
        }
        var texted: LoadResult?
        if texts > 0 {
            let load = try Load(
                (0..<texts).map { Question(text: Passage.question($0), options: options) },
                session: session.id, on: server.address)
            _ = try load.run(.closed(count: 5))
            texted = try load.run(.closed(count: texts))
            try require(texted!)
        }
        var result = Result(
            chunks: size, plans: tally(answers.map(\.meta.plan)),
            certificates: tally(answers.map { $0.meta.certificate?.kind ?? "none" }),
            recall10: Double(right) / Double(answers.count * min(10, size)),
            answers: answers.digest, closed: Times(nanoseconds: closed.nanoseconds),
            echo: Times(nanoseconds: echo), stages: stages(answers),
            texts: texted.map { Times(nanoseconds: $0.nanoseconds) },
            open: open.map { Times(nanoseconds: $0.nanoseconds) }, openRate: rate,
            stored: session.filling, residentBytes: server.residentBytes)
        for clients in try numbers(clients) {
            let load = try Load(
                questions, session: session.id, on: server.address, connections: clients,
                depth: pipelined)
            _ = try load.run(.closed(count: max(200, count / 10)))
            let measured = try load.run(.closed(count: count))
            result.throughput["\(clients)"] =
                Double(measured.nanoseconds.count) / measured.seconds
            result.throughputTimes["\(clients)"] = Times(nanoseconds: measured.nanoseconds)
        }
        return result
    }

    /// Asks until the session is in memory, or for two seconds where it never will be.
    private func warm(_ load: Load) throws {
        let deadline = ContinuousClock.now.advanced(by: .seconds(2))
        var plan = ""
        repeat {
            let asked = try load.run(.closed(count: 20), keeping: 20)
            try require(asked)
            plan = try Answer.read(asked.answers[19]).meta.plan
        } while plan != "scan" && ContinuousClock.now < deadline
        _ = try load.run(.closed(count: 100))
    }

    private func require(_ result: LoadResult) throws {
        guard result.refused == 0 else {
            let first = result.answers.first { !$0.isEmpty }
                .map { String(decoding: $0.prefix(300), as: UTF8.self) }
            throw WorkloadError("\(result.refused) searches were refused. \(first ?? "")")
        }
    }

    private func tally(_ words: [String]) -> [String: Int] {
        Dictionary(words.map { ($0, 1) }, uniquingKeysWith: +)
    }

    private func stages(_ answers: [Answer]) -> [String: Double] {
        let sums = answers.reduce(into: [:]) { $0.merge($1.meta.tookUs, uniquingKeysWith: +) }
        return sums.mapValues { ($0 / Double(answers.count) * 10).rounded() / 10 }
    }

    private static func line(_ r: Result) -> String {
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        let plan = r.plans.keys.sorted().joined(separator: "+")
        let rates = r.throughput.sorted { Int($0.key)! < Int($1.key)! }
            .map { "\($0.key): \(Int($0.value))" }.joined(separator: ", ")
        return right("\(r.chunks)", 6) + right(Times.text(r.echo.p50), 10)
            + right(Times.text(r.closed.p50), 12)
            + right(Times.text(r.closed.p99), 10)
            + right(r.open.map { Times.text($0.p50) } ?? "–", 10)
            + right(r.open.map { Times.text($0.p99) } ?? "–", 10)
            + right(r.texts.map { Times.text($0.p50) } ?? "–", 10)
            + right(String(format: "%.4f", r.recall10), 11) + "  "
            + plan.padding(toLength: 8, withPad: " ", startingAt: 0) + "  \(r.answers)"
            + right("\(r.residentBytes >> 20) MiB", 11) + "   \(rates)"
    }
}
