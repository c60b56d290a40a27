// One query, top to bottom. `search` is the request's path; each call it makes is a file here.

package import Embedding
package import Postgres

import Foundation
import Library
import Vectors

/// Answers searches: from the session's snapshot when it is in memory, else from PostgreSQL.
///
/// Copies share the pool, the catalogue and the snapshots.
package struct Searcher: Sendable {
    package let pool: Pool
    package let embedders: EmbedderRegistry
    let planner: Planner
    let catalogue = Catalogue()
    let scratches = ScratchPool()
    /// The sessions in memory; nil where every search is to be PostgreSQL's.
    package let snapshots: SnapshotCache?

    package init(
        pool: Pool, embedders: EmbedderRegistry, planner: Planner = Planner(),
        snapshots: SnapshotCache? = nil
    ) {
        self.pool = pool
        self.embedders = embedders
        self.planner = planner
        self.snapshots = snapshots
    }

    /// The nearest chunks of one session, exactly scored, with what they stand in.
    ///
    /// Hits, revision and model belong together whatever is written meanwhile: they come from one
    /// snapshot, ours or the database's. A text is embedded before one is taken, so that no
    /// connection waits for a model.
    ///
    /// - Throws: `RetrievalError`; `PostgresError`, `EmbeddingError` and `VectorError` as they come;
    ///   `CancellationError`.
    package func search(_ request: SearchRequest) async throws -> SearchAnswer {
        try request.check()
        return try await following(request) { try await answer(request, by: $0) }
    }

    private func answer(
        _ request: SearchRequest, by model: UUID?
    ) async throws -> SearchAnswer {
        guard request.isPlain, request.visibility == .everything else {
            return try await rank(request, by: model)
        }
        var watch = Stopwatch(deadline: request.deadline)
        let query = try await queryVector(of: request, by: model)
        try watch.split(\.embed)
        if let answer = try await scan(request, for: query, &watch) { return answer }
        try await snapshots?.arrival(of: request.session)
        repeat {
            if let answer = try await scan(request, for: query, &watch) { return answer }
        } while try await snapshots?.shouldWait(for: request.session, until: request.deadline)
            == true
        defer { snapshots?.hasAsked(request.session) }
        return try await ask(request, for: query, &watch)
    }

    /// The answer of PostgreSQL.
    private func ask(
        _ request: SearchRequest, for query: QueryVector, _ watch: inout Stopwatch
    ) async throws -> SearchAnswer {
        try await pool.withTransaction(
            as: request.asker, isolation: .repeatableRead, readOnly: true
        ) { db in
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
