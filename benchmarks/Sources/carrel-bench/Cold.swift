import ArgumentParser
import Foundation
import Workload

/// What a session costs that nobody has asked yet.
struct Cold: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Time a session's first answer, and until it is in memory.",
        discussion: """
            Each round starts a server anew, asks once, then goes on until an answer comes from memory \
            (plan `scan`). Rounds alternate between finding a snapshot file and building from \
            the database.

            EXAMPLE
              carrel-bench cold --size 10000
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "How many chunks the session holds.")
    var size = 10_000

    @Option(help: "How many rounds of each kind.")
    var rounds = 5

    @Option(help: "Seconds to wait for the session to be in memory.")
    var patience = 20.0

    struct Round: Encodable {
        /// Whether a snapshot file was there at the start.
        let file: Bool
        let firstMilliseconds: Double
        let firstPlan: String
        /// From the first request to the first answer from memory having arrived; nil if none came.
        let residentMilliseconds: Double?
        /// What the session added to the process, per chunk, its text included.
        let bytesPerChunk: Double
    }

    func run() throws {
        let (stored, asked) = try common.sources()
        let session = try ServerProcess.with(common) {
            try StudySession(size, of: stored, on: try $0.connect(), progress: fillProgress(size))
        }
        let questions = try (0..<100).map { Question(vector: try asked.vector($0)) }
        var measured: [Round] = []
        for number in 0..<2 * rounds {
            let keepsFile = number % 2 == 0
            let folder = "\(Self.home(common))/snapshots"
            let path = "\(folder)/\(session.id.lowercased()).session"
            if !keepsFile { try? FileManager.default.removeItem(atPath: folder) }
            // Whether there is one is looked at, not assumed: an older server writes none.
            let file = keepsFile && FileManager.default.fileExists(atPath: path)
            try ServerProcess.with(common) { server in
                let round = try self.round(session, questions, file, server)
                measured.append(round)
                wait(for: path)
                let recorder = Recorder(
                    options: common, vectors: stored.name, status: try server.status())
                try recorder.add("cold", round)
            }
        }
        report(measured)
    }

    /// The file is written after the session is in memory, of sessions that are worth one.
    private func wait(for path: String) {
        guard size >= 1_000 else { return }
        let deadline = ContinuousClock.now.advanced(by: .seconds(patience))
        while !FileManager.default.fileExists(atPath: path), ContinuousClock.now < deadline {
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    private static func home(_ options: CommonOptions) -> String {
        options.home
            ?? (ProcessInfo.processInfo.environment["CARREL_HOME"] ?? "data/var") + "/bench/server"
    }

    private func round(
        _ session: StudySession, _ questions: [Question], _ file: Bool, _ server: ServerProcess
    ) throws -> Round {
        let load = try Load(questions, session: session.id, on: server.address)
        let before = server.residentBytes
        let started = ContinuousClock.now
        let first = try load.run(.closed(count: 1), keeping: 1)
        var answer = try Answer.read(first.answers[0])
        let firstPlan = answer.meta.plan
        let deadline = started.advanced(by: .seconds(patience))
        var resident = answer.meta.plan == "scan" ? started.duration(to: .now) : nil
        while resident == nil, ContinuousClock.now < deadline {
            // A question every 2 ms: the snapshot is built beside them, not against them.
            Thread.sleep(forTimeInterval: 0.002)
            answer = try Answer.read(try load.run(.closed(count: 1), keeping: 1).answers[0])
            if answer.meta.plan == "scan" { resident = started.duration(to: .now) }
        }
        _ = try load.run(.closed(count: 50))
        return Round(
            file: file, firstMilliseconds: Double(first.nanoseconds.first ?? 0) / 1e6,
            firstPlan: firstPlan, residentMilliseconds: resident.map { $0 / .milliseconds(1) },
            bytesPerChunk: Double(server.residentBytes - before) / Double(size))
    }

    private func report(_ rounds: [Round]) {
        say("snapshot file  first answer  plan       in memory after  bytes/chunk   (medians)")
        for file in [true, false] {
            let group = rounds.filter { $0.file == file }
            guard !group.isEmpty else { continue }
            func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
            let resident = group.compactMap(\.residentMilliseconds)
            let plans = Set(group.map(\.firstPlan)).sorted().joined(separator: "+")
            say(
                (file ? "yes" : "no ").padding(toLength: 15, withPad: " ", startingAt: 0)
                    + String(format: "%9.2f ms  ", median(group.map(\.firstMilliseconds)))
                    + plans.padding(toLength: 11, withPad: " ", startingAt: 0)
                    + (resident.isEmpty
                        ? "          never" : String(format: "%12.1f ms", median(resident)))
                    + String(format: "%13.0f", median(group.map(\.bytesPerChunk))))
        }
    }
}
