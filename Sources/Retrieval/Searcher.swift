// One query, top to bottom. `search` is the request's path; each call it makes is a file here.

package import Embedding
package import Postgres

import Library
import Vectors

/// Answers searches from PostgreSQL: plans, finds candidates, scores them exactly, expands.
///
/// Holds no state about sessions. Copies share the pool and the catalogue.
package struct Searcher: Sendable {
    let pool: Pool
    let embedders: EmbedderRegistry
    let planner: Planner
    let catalogue = Catalogue()

    package init(pool: Pool, embedders: EmbedderRegistry, planner: Planner = Planner()) {
        self.pool = pool
        self.embedders = embedders
        self.planner = planner
    }

    /// The nearest chunks of one session, exactly scored, with what they stand in.
    ///
    /// Everything is read in one snapshot of the database, so hits, revision and model belong
    /// together whatever is written meanwhile. A text is embedded before the snapshot is taken, so
    /// that no connection waits for a model.
    ///
    /// - Throws: `RetrievalError`; `PostgresError` and `EmbeddingError` as they come;
    ///   `CancellationError`.
    package func search(_ request: SearchRequest) async throws -> SearchAnswer {
        try request.check()
        var watch = Stopwatch(deadline: request.deadline)
        let query = try await queryVector(of: request)
        try watch.split(\.embed)
        return try await pool.withTransaction(isolation: .repeatableRead, readOnly: true) { db in
            try watch.split(\.queue)
            let path = try await plan(request, for: query, on: db)
            let candidates = try await path.source.candidates(for: path.query, on: db)
            try watch.split(\.candidates)
            let scored = ExactScores.rank(candidates, for: request, query: query.vector)
            try watch.split(\.rerank)
            let hits = try await hits(of: scored, for: request, on: db)
            try watch.split(\.expand)
            return SearchAnswer(
                hits: hits, meta: path.meta(of: candidates, took: watch.times))
        }
    }
}
