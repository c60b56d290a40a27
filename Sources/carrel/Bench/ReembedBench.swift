// What giving a session another model costs, step by step, and what it does to searches that go on
// meanwhile: of that session, and of another.

import Foundation
import Ingestion
import Library
import Postgres
import Workload

struct ReembedBench: Sendable {
    /// Who makes the vectors.
    enum Making: String, Encodable, Sendable {
        /// Nobody: they are supplied, as `carrel reembed load` does it.
        case supplied
        /// The server's own model.
        case embedded
    }

    struct Step: Encodable, Sendable {
        let name: String
        let seconds: Double
        let chunksPerSecond: Double
        let own: EvaluationReport.Times?
        let other: EvaluationReport.Times?
    }

    struct Result: Encodable, Sendable {
        let chunks: Int
        let making: Making
        let fromModel: String
        let toModel: String
        /// First idle, then the plan; the last is after the switch.
        var steps: [Step] = []
        /// Of texts that were embedded, as the run counts it; nil when none were.
        let textsPerSecond: Double?
        /// The transaction that searches see, from the session's lock to before its commit.
        let switchMilliseconds: Double
        /// The 99th percentile from the third step on, divided by that of the first.
        let ownRatio: Double
        let otherRatio: Double
        /// Searches of the session itself that were refused because their handles were of the model before.
        let modelChanged: Int
        /// Searches of the other session that were refused.
        let refused: Int
    }

    let server: ServerAddress
    let remote: Remote
    let pool: Pool
    /// What the server embeds with; the first two are gone between.
    let models: [String]
    let rate: Double
    /// Of quiet, before and after.
    let seconds: Double
    let otherSize: Int
    let quiet: Bool

    func run(_ size: Int, _ making: Making) async throws -> Result {
        let own = try await session(size, number: 41)
        let other = try await session(otherSize, number: 42)
        let pressures = [own, other].map {
            SearchPressure(server: server, session: $0, rate: rate)
        }
        async let ownReadings = onOwnThread { try pressures[0].run() }
        async let otherReadings = onOwnThread { try pressures[1].run() }
        var course = Course()
        let run: ReembedRunShape
        do {
            course.begin("warm")
            for session in [own, other] { try await inMemory(session) }
            course.begin("idle")
            try await Task.sleep(for: .seconds(seconds))
            run = try await switched(own, making, &course, pressures[0].change)
        } catch {
            pressures.forEach { $0.end.raise() }
            _ = try? await (ownReadings, otherReadings)
            throw error
        }
        pressures.forEach { $0.end.raise() }
        return course.result(
            of: run, making, own: try await ownReadings, other: try await otherReadings)
    }

    /// Waits until a session that was just stored has been read, and a moment for its codes to be made.
    private func inMemory(_ session: String) async throws {
        let parameters = SearchParameters(
            session: try await remote.open(named: session), text: "matter", k: 1)
        while try await remote.search(parameters).meta.plan != "scan" {
            try await Task.sleep(for: .milliseconds(200))
        }
        try await Task.sleep(for: .seconds(3))
    }

    private func session(_ size: Int, number: Int) async throws -> String {
        let (server, quiet) = (server, quiet)
        return try await onOwnThread {
            let progress = Progress("store \(size) chunks", unit: "chunks", quiet: quiet)
            let session = try StudySession(
                size, of: VectorSource(clustered: 1), on: try ServerConnection(server),
                number: number
            ) { progress.update(done: $0, total: size) }
            if session.filling.chunks > 0 { progress.finish() }
            return session.id
        }
    }

    /// From the start to the switch, and while what was staged is deleted and the session read again.
    private func switched(
        _ session: String, _ making: Making, _ course: inout Course, _ change: Signal
    ) async throws -> ReembedRunShape {
        course.begin("plan")
        guard let id = UUID(uuidString: session) else { throw Failure("no id: \(session)") }
        // Of a bench that was stopped.
        let last = try await remote.reembeddings(of: id).first?.state
        if let last, !["SWITCHED", "CANCELLED", "FAILED"].contains(last) {
            _ = try await remote.reembeddings("cancel", of: id)
        }
        var to: String?
        for model in models where to == nil {
            let plan = try await remote.planReembedding(model: model, session: id, price: nil)
            if plan.first?.fromModel != model { to = model }
        }
        guard let to else { throw Failure("the server has no other model") }
        var terms = ReembedTermsShape(model: to)
        terms.session = id
        // Vectors out of the air agree with nothing.
        terms.force = true
        terms.paused = true
        guard let begun = try await remote.startReembedding(terms).runs.first else {
            throw Failure("nothing was begun")
        }
        if making == .supplied { try await supply(begun, &course) }
        course.begin("resume")
        _ = try await remote.resumeReembeddings(of: id, isForced: true)
        while true {
            let job = try await pool.withConnection(as: .service) { db in
                try await JobRepository.get(id: begun.job, on: db)
            }
            guard let job, !job.isPaused, job.state != .failed, job.state != .cancelled else {
                throw Failure("the run did not get to its switch: \(job?.stage ?? "it is gone")")
            }
            if let stage = job.stage, job.state == .running { course.begin(stage) }
            if job.state == .succeeded { break }
            try await Task.sleep(for: .milliseconds(4))
        }
        change.raise()
        course.begin("after")
        try await Task.sleep(for: .seconds(seconds))
        course.end()
        let runs = try await remote.reembeddings(of: id)
        guard let run = runs.first(where: { $0.job == begun.job }) else {
            throw Failure("the run is gone")
        }
        return run
    }

    /// Stages a vector for every child, in transactions of a thousand, by one connection.
    private func supply(_ begun: ReembedRunShape, _ course: inout Course) async throws {
        let source = VectorSource(clustered: 1, part: 2)
        let vectors = try (0..<1_000).map { try source.vector($0) }
        let (session, job) = (begun.session, begun.job)
        course.begin("list")
        let run = try await pool.withConnection(as: .service) { db in
            try await ReembeddingRepository.get(sessionID: session, jobID: job, on: db)
        }
        guard let run else { throw Failure("the run is gone") }
        var wanted: [WantedText] = []
        var after: UUID?
        repeat {
            let (texts, next) = try await pool.withConnection(as: .service) { db in
                try await ReembeddingRepository.texts(
                    of: run, after: after, limit: 1_000, bytes: .max, on: db)
            }
            wanted += texts
            after = next
        } while after != nil
        course.begin("stage")
        for start in stride(from: 0, to: wanted.count, by: vectors.count) {
            let part = wanted[start..<min(start + vectors.count, wanted.count)]
            let batch = zip(part, vectors).map {
                StagedVector(chunkID: $0.chunkID, digest: $0.digest, vector: $1, isGiven: true)
            }
            _ = try await pool.withTransaction(as: .service) { db in
                try await ReembeddingRepository.stage(
                    batch, sessionID: session, stageID: run.stageID, on: db)
            }
        }
    }
}
