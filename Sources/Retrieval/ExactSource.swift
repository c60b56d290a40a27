// Candidates by comparing every row that matches, in SQL.

import Foundation
import Library
import Postgres
import Vectors

/// Every matching row compared by PostgreSQL, ordered by distance and then by id.
///
/// pgvector sums in single precision, so its order can differ from the exact one where rows are
/// nearly equal. What is handed on is therefore deeper than k, and deep enough: the last row lies
/// farther than the k-th by more than SQL can be wrong, or there is no row left. Without that an
/// answer could not be called proven.
struct ExactSource: CandidateSource {
    /// How far the distances of two rows, as pgvector computes them, can be from the truth.
    ///
    /// Each of its three sums of 768 products errs by at most 768·2⁻²⁴ relative to the sum of
    /// magnitudes, which is at most 1 for unit vectors (Higham, *Accuracy and Stability of Numerical
    /// Algorithms*, §3.1); the norms enter through a square root, by half. Twice that for two rows.
    static let roundingOfSQL: Float = 2 * 2 * 768 * 0x1p-24

    func candidates(
        for query: CandidateQuery, on transaction: Transaction
    ) async throws -> CandidateRows {
        let matching = try await ChunkRepository.countMatching(
            sessionID: query.session, filter: query.filter, on: transaction)
        var depth = query.depth
        while true {
            let found = try await ChunkRepository.candidatesExact(
                sessionID: query.session, vector: query.vector.values, limit: depth,
                filter: query.filter, on: transaction)
            let rows = CandidateRows(
                found, plan: .exact, certificate: .proven, examined: matching)
            // Frequent: settled at once. Rare: many near copies of one text around the k-th.
            if depth >= matching || isSettled(rows, query: query) { return rows }
            depth = min(matching, depth * 4)
        }
    }

    /// No row that was left behind can belong to the k nearest.
    private func isSettled(_ rows: CandidateRows, query: CandidateQuery) -> Bool {
        let distances = Scorer.distances(from: query.vector, to: rows.vectors)
        guard let last = distances.last, distances.count > query.k else { return false }
        let kth = distances.sorted()[query.k - 1]
        return kth + Self.roundingOfSQL < last
    }
}

extension CandidateRows {
    init(_ found: Candidates, plan: PlanKind, certificate: Certificate, examined: Int) {
        self.init(
            ids: found.ids,
            vectors: Block(count: found.count, dimension: UnitVector.dimension) { elements in
                for index in found.vectors.indices { elements[index] = found.vectors[index] }
            },
            plan: plan, certificate: certificate, examined: examined)
    }
}
