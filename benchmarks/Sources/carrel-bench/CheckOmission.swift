import ArgumentParser
import Workload

/// Whether this program tells the truth about a server that stands still.
struct CheckOmission: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-omission",
        abstract: "Stop the server for a second, and see whether the 99th percentile tells.",
        discussion: """
            In 60 s with 1 s of standstill, 1.67 % of the requests are due while nothing answers and \
            wait between 0 and 1 s, evenly; so 1 % wait 0.4 s or longer. A program that times from \
            sending, or sends only after an answer, sees next to nothing: coordinated omission \
            (Gil Tene, "How NOT to Measure Latency"). Fails when the p99 is below that.

            EXAMPLE
              carrel-bench check-omission
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "Requests a second.")
    var rate = 1000.0

    @Option(help: "Seconds to run.")
    var seconds = 60.0

    @Option(help: "Seconds the server stands still.")
    var pause = 1.0

    @Option(help: "How many chunks the session holds.")
    var size = 1000

    struct Result: Encodable {
        let rate: Double
        let seconds: Double
        let pause: Double
        let times: Times
        let refused: Int
        let expectedP99Milliseconds: Double
    }

    func validate() throws {
        guard pause > seconds / 100, seconds > 2 * pause + 1 else {
            throw ValidationError("--pause is more than a hundredth of --seconds, less than half")
        }
    }

    func run() throws {
        let (stored, asked) = try common.sources()
        try ServerProcess.with(common) { server in
            let session = try StudySession(
                size, of: stored, on: try server.connect(), progress: fillProgress(size))
            let questions = try (0..<500).map { Question(vector: try asked.vector($0)) }
            let load = try Load(
                questions, session: session.id, on: server.address, connections: 32, depth: 60)
            _ = try load.run(.open(rate: rate / 2, seconds: 2))
            server.pause(after: seconds / 2, for: pause)
            let measured = try load.run(.open(rate: rate, seconds: seconds))
            // A hundredth of all waits longer than this; some slack for where the pause falls.
            let expected = (pause - seconds / 100) * 1000
            let times = Times(nanoseconds: measured.nanoseconds)
            let recorder = Recorder(
                options: common, vectors: stored.name, status: try server.status())
            try recorder.add(
                "check-omission",
                Result(
                    rate: rate, seconds: seconds, pause: pause, times: times,
                    refused: measured.refused, expectedP99Milliseconds: expected))
            say(
                "p50 \(Times.text(times.p50)), p99 \(Times.text(times.p99)), "
                    + "max \(Times.text(times.max)), \(measured.refused) refused; "
                    + "expected a p99 of about \(Int(expected)) ms or more")
            guard times.p99 / 1000 > expected * 0.95, measured.refused == 0 else {
                throw WorkloadError("the standstill does not show: latency is counted wrongly")
            }
        }
    }
}
