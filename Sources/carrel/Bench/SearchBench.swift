// The smoke of search over the socket: does it answer, rightly, and about how fast. The real
// measurements are `carrel-bench`, in benchmarks/; both measure with `Workload`.

import Workload

struct SearchBench: Sendable {
    struct Result: Encodable, Sendable {
        let chunks: Int
        let queries: Int
        let plan: String
        let recall10: Double
        let server: EvaluationReport.Times
        let roundTrip: EvaluationReport.Times
        /// Of the chunk ids of all answers in order: equal digests mean equal answers.
        let answers: String
    }

    private static let k = 10
    private static let warmUp = 20

    let server: ServerAddress
    let stored: VectorSource
    let asked: VectorSource
    let queries: Int
    let quiet: Bool

    /// One session of `size` chunks: filled if it is not there yet, asked in a closed loop by one client
    /// (the next query leaves when the answer is in), compared with brute force.
    ///
    /// Blocks its thread.
    func run(size: Int) throws -> Result {
        let progress = Progress("store \(size) chunks", unit: "chunks", quiet: quiet)
        let session = try StudySession(size, of: stored, on: try ServerConnection(server)) {
            progress.update(done: $0, total: size)
        }
        if session.filling.chunks > 0 { progress.finish() }
        let vectors = try (0..<queries).map { try asked.vector($0 % asked.rows) }
        let load = try Load(vectors.map { Question(vector: $0) }, session: session.id, on: server)
        _ = try load.run(.closed(count: Self.warmUp))
        let measured = try load.run(.closed(count: queries), keeping: queries)
        guard measured.refused == 0 else {
            throw Failure("\(measured.refused) of \(queries) searches were refused")
        }
        let answers = try measured.answers.map { try Answer.read($0) }
        let exact = try ExactNearest(size, of: stored)
        let right = zip(vectors, answers).reduce(0) {
            $0 + exact.right($1.1.rows, for: $1.0, k: Self.k)
        }
        return Result(
            chunks: size, queries: queries,
            plan: Set(answers.map(\.meta.plan)).sorted().joined(separator: ", "),
            recall10: Double(right) / Double(queries * min(Self.k, size)),
            server: .init(
                milliseconds: answers.map { $0.meta.tookUs.values.reduce(0, +) / 1000 }),
            roundTrip: .init(milliseconds: measured.nanoseconds.map { Double($0) / 1e6 }),
            answers: answers.digest)
    }
}
