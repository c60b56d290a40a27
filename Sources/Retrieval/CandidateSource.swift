// The seam of retrieval. A source brings rows that may belong to the answer, with their vectors; what
// follows (exact scores, threshold, expansion) does not know which one ran.

package import Foundation
package import Library
package import Postgres
package import Vectors

/// What a source is asked for: the nearest rows of one session, under one filter.
package struct CandidateQuery: Sendable {
    package var session: UUID
    package var vector: UnitVector
    package var filter: SearchFilter
    /// How many hits are wanted.
    package var k: Int
    /// How many rows to bring for that, at first.
    package var depth: Int
}

/// Rows that may belong to the answer, with their fp32 vectors and what may be said of them.
package struct CandidateRows: Sendable {
    package var ids: [UUID]
    /// One row per id, in the same order: `[n × 768]`.
    package var vectors: Block
    /// What ran in the end, which need not be what was planned.
    package var plan: PlanKind
    package var certificate: Certificate
    /// Rows whose distance was taken on the way.
    package var examined: Int
}

/// Finds candidates in one way.
package protocol CandidateSource: Sendable {
    func candidates(
        for query: CandidateQuery, on transaction: Transaction
    ) async throws -> CandidateRows
}
