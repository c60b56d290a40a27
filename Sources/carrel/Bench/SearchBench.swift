// How fast a session is searched over the socket, and whether the answers are right.

import Crypto
import Documents
import Foundation
import Vectors
import Wire

struct SearchBench {
    struct Result: Encodable, Sendable {
        let chunks: Int
        let queries: Int
        let plan: String
        let recall10: Double
        let server: EvaluationReport.Times
        let roundTrip: EvaluationReport.Times
        /// Of the chunk ids of all answers in order: equal hashes mean equal answers.
        let answersSHA256: String
    }

    private static let batch = 256
    private static let k = 10
    private static let warmUp = 20

    let server: Remote
    let stored: VectorSource
    let asked: VectorSource
    let queries: Int
    let quiet: Bool

    /// One session of `size` chunks: filled if it is not there yet, asked in a closed loop by one client
    /// (the next query leaves when the answer is in), compared with brute force.
    func run(size: Int) async throws -> Result {
        guard size <= stored.rows else {
            throw Failure("\(stored.name) has \(stored.rows) rows, not \(size)")
        }
        let handle = try await fill(size)
        let asked = try (0..<(Self.warmUp + queries)).map {
            try self.asked.vector($0 % self.asked.rows)
        }
        for vector in asked.prefix(Self.warmUp) { _ = try await ask(vector, handle) }

        let progress = Progress("ask \(size) chunks", unit: "queries", quiet: quiet)
        var answers: [TimedAnswer] = []
        for vector in asked.dropFirst(Self.warmUp) {
            answers.append(try await ask(vector, handle))
            progress.update(done: answers.count, total: queries)
        }
        progress.finish()
        let found = answers.map(\.chunks)
        return Result(
            chunks: size, queries: queries,
            plan: Set(answers.map(\.plan)).sorted().joined(separator: ", "),
            recall10: try recall(found, of: Array(asked.dropFirst(Self.warmUp)), size),
            server: .init(milliseconds: answers.map(\.serverMilliseconds)),
            roundTrip: .init(milliseconds: answers.map(\.roundTripMilliseconds)),
            answersSHA256: Self.hash(found))
    }

    private func ask(_ vector: UnitVector, _ handle: String) async throws -> TimedAnswer {
        try await server.timedSearch(
            session: handle, vector: Vector.encode(vector.values), k: Self.k)
    }

    /// The session's handle.
    ///
    /// Like `CorpusLoad`, a call's chunks are a document of their own, so that a fill cut short
    /// goes on.
    private func fill(_ size: Int) async throws -> String {
        let session = try await server.session(titled: "bench \(stored.name), \(size) chunks")
        let handle = try await server.open(session.id)
        let present = Set(try await server.documents(in: handle).map(\.fileName))
        let progress = Progress("store \(size) chunks", unit: "chunks", quiet: quiet)
        var added = 0
        for start in stride(from: 0, to: size, by: Self.batch) {
            let end = min(start + Self.batch, size)
            let document = "rows \(start + 1) to \(end)"
            guard !present.contains(document) else { continue }
            let chunks = try (start..<end).map { index in
                Remote.ImportedPassage(
                    id: Self.chunkID(index).uuidString, text: Self.text(index),
                    vectorB64: Vector.encode(try stored.vector(index).values), dtype: "f32")
            }
            _ = try await server.importChunks(chunks, into: document, session: handle)
            added += chunks.count
            progress.update(done: added, total: size)
        }
        if added > 0 { progress.finish() }
        return handle
    }

    /// The part of the true ten nearest that was found, over all queries.
    ///
    /// Brute force over fp32 rows, ties by chunk id: what the server calls exact.
    private func recall(
        _ found: [[UUID]], of queries: [UnitVector], _ size: Int
    ) throws -> Double {
        let block = Block(try (0..<size).map { try stored.vector($0) })
        let ids = (0..<size).map { Self.chunkID($0) }
        var right = 0
        for (query, found) in zip(queries, found) {
            let nearest = TopK.select(
                Self.k, distances: Scorer.distances(from: query, to: block),
                tieBreak: { ids[$0].uuidString < ids[$1].uuidString })
            right += Set(nearest.map { ids[$0.index] }).intersection(found).count
        }
        return Double(right) / Double(queries.count * min(Self.k, size))
    }

    private static func chunkID(_ index: Int) -> UUID {
        ContentID.uuid5(namespace: namespace, name: "\(index)")
    }

    /// Made once, at random; names the ids above and nothing else.
    private static let namespace = UUID(uuidString: "0D9A5C44-3F6B-4B57-8E0A-91C2D7B6E35F")!

    /// About 860 bytes, as long as a real passage, so that answers weigh what they weigh in earnest.
    private static func text(_ index: Int) -> String {
        "Passage \(index). "
            + String(repeating: "A sentence about nothing in particular. ", count: 21)
    }

    private static func hash(_ answers: [[UUID]]) -> String {
        let text = answers.map { $0.map(\.uuidString).joined(separator: ",") }
            .joined(separator: "\n")
        return SHA256.hash(data: Data(text.utf8)).prefix(8)
            .map { String(format: "%02x", $0) }.joined()
    }
}
