// Candidates from pgvector's graph.

import Foundation
import Library
import Postgres
import Vectors

/// pgvector's HNSW index, walked until enough matching rows came up (iterative scan, strict order).
///
/// The walk gives up after `hnsw.max_scan_tuples` rows, whether or not it has found enough. Rows
/// would be missing then, silently; so an answer that is too short is asked for again, exactly.
struct HNSWSource: CandidateSource {
    let efSearch: Int

    func candidates(
        for query: CandidateQuery, on transaction: Transaction
    ) async throws -> CandidateRows {
        let found = try await ChunkRepository.candidatesHNSW(
            sessionID: query.session, vector: query.vector.values, limit: query.depth,
            efSearch: efSearch, filter: query.filter, on: transaction)
        guard found.count >= query.depth else {
            return try await ExactSource().candidates(for: query, on: transaction)
        }
        return CandidateRows(
            found, plan: .hnsw, certificate: .approximate(efSearch: efSearch),
            examined: found.count)
    }
}
