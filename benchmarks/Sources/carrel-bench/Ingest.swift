import ArgumentParser
import Foundation
import Workload

/// Whether storing disturbs searching, and how fast it is.
struct Ingest: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Search a session at a fixed rate while it is being filled, against idle.",
        discussion: """
            Idle and busy phases take turns, so that what else the machine does meets both. Then \
            chunks are stored alone, for the rate.

            EXAMPLE
              carrel-bench ingest --size 10000
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "How many chunks the session holds at the start.")
    var size = 10_000

    @Option(help: "Searches a second.")
    var rate = 200.0

    @Option(help: "Seconds of each phase.")
    var seconds = 10.0

    @Option(help: "How many pairs of phases.")
    var pairs = 2

    @Option(help: "Chunks a call while searching; a call every 100 ms.")
    var batch = 16

    @Option(help: "Chunks to store alone, for the rate.")
    var alone = 5_120

    struct Result: Encodable {
        let chunks: Int
        let idle: Times
        let busy: Times
        let storedWhileBusy: Int
        let busySeconds: Double
        let aloneChunks: Int
        let aloneChunksPerSecond: Double
        let bytesPerChunk: Double
    }

    func run() throws {
        let (stored, asked) = try common.sources()
        try ServerProcess.with(common) { server in
            // A session of its own, made anew: it grows.
            let number = Int(Date().timeIntervalSince1970)
            let session = try StudySession(
                size, of: stored, on: try server.connect(), number: number,
                progress: fillProgress(size))
            let questions = try (0..<500).map { Question(vector: try asked.vector($0)) }
            let load = try Load(
                questions, session: session.id, on: server.address, connections: 4, depth: 32)
            _ = try load.run(.open(rate: rate, seconds: 2))
            var (idle, busy): ([Int64], [Int64]) = ([], [])
            let feeder = Feeder(server, session, stored, batch: batch, number: number)
            for _ in 0..<pairs {
                idle += try load.run(.open(rate: rate, seconds: seconds)).nanoseconds
                try feeder.start()
                busy += try load.run(.open(rate: rate, seconds: seconds)).nanoseconds
                try feeder.stop()
            }
            let (aloneRate, bytes) = try storeAlone(stored, server, number + 1)
            let result = Result(
                chunks: size, idle: Times(nanoseconds: idle), busy: Times(nanoseconds: busy),
                storedWhileBusy: feeder.count, busySeconds: seconds * Double(pairs),
                aloneChunks: alone, aloneChunksPerSecond: aloneRate, bytesPerChunk: bytes)
            let recorder = Recorder(
                options: common, vectors: stored.name, status: try server.status())
            try recorder.add("ingest", result)
            report(result)
            let connection = try server.connect()
            let _: ServerConnection.Nothing = try connection.call(
                "session.delete", ["session": session.id])
        }
    }

    /// Chunks a second into a new session, and what it then takes in memory.
    private func storeAlone(
        _ source: VectorSource, _ server: ServerProcess, _ number: Int
    ) throws -> (Double, Double) {
        let before = server.residentBytes
        let connection = try server.connect()
        let session = try StudySession(
            alone, of: source, on: connection, number: number, progress: { _ in })
        let grown = Double(server.residentBytes - before) / Double(alone)
        let _: ServerConnection.Nothing = try connection.call(
            "session.delete", ["session": session.id])
        return (Double(alone) / session.filling.seconds, grown)
    }

    private func report(_ r: Result) {
        say("searches at \(Int(rate))/s in a session of \(size), from when each was due")
        say("  idle        p50 \(Times.text(r.idle.p50))  p99 \(Times.text(r.idle.p99))")
        say(
            "  ingesting   p50 \(Times.text(r.busy.p50))  p99 \(Times.text(r.busy.p99))   "
                + String(
                    format: "%.0f chunks/s meanwhile; p99 %.2f x idle",
                    Double(r.storedWhileBusy) / r.busySeconds, r.busy.p99 / r.idle.p99))
        say(
            String(
                format: "stored alone  %.0f chunks/s, %d chunks, 256 a call",
                r.aloneChunksPerSecond, r.aloneChunks))
    }
}

/// Stores further chunks into a session from another thread, a call every 100 ms.
final class Feeder: @unchecked Sendable {
    private let server: ServerProcess
    private let session: StudySession
    private let source: VectorSource
    private let batch: Int
    private let number: Int
    private let lock = NSLock()
    private var isRunning = false
    private var next: Int
    private var failure: (any Error)?
    private let ended = DispatchSemaphore(value: 0)

    init(
        _ server: ServerProcess, _ session: StudySession, _ source: VectorSource, batch: Int,
        number: Int
    ) {
        (self.server, self.session, self.source) = (server, session, source)
        (self.batch, self.number, next) = (batch, number, session.size)
    }

    /// Chunks stored so far.
    var count: Int { lock.withLock { next - session.size } }

    func start() throws {
        let connection = try server.connect()
        let handle = try connection.open(session.id)
        lock.withLock { isRunning = true }
        let feed = Feed(connection: connection, handle: handle)
        Thread.detachNewThread { [self] in
            do {
                while lock.withLock({ isRunning }) {
                    try store(feed)
                    Thread.sleep(forTimeInterval: 0.1)
                }
            } catch {
                lock.withLock { failure = error }
            }
            ended.signal()
        }
    }

    func stop() throws {
        lock.withLock { isRunning = false }
        ended.wait()
        if let failure = lock.withLock({ failure }) { throw failure }
    }

    /// One thread at a time has it.
    private struct Feed: @unchecked Sendable {
        let connection: ServerConnection
        let handle: String
    }

    private func store(_ feed: Feed) throws {
        let first = lock.withLock { next }
        let rows = first..<min(first + batch, source.rows)
        guard !rows.isEmpty else { return }
        try feed.connection.store(
            rows, of: source, as: "later rows", in: feed.handle, session: number)
        lock.withLock { next = rows.upperBound }
    }
}
