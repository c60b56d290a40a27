// The graph of vectors, kept up after the fact: which sessions are behind, and a few rows more.
//
// A row costs milliseconds in the graph and tenths of one in its table, so the two are written apart.
// What is in the graph is known by revision: all rows up to `study_sessions.graph_revision` are, and
// searches compare later ones one by one. So a graph that is behind costs time, never an answer.

package import Postgres
package import struct Foundation.UUID

package enum GraphRepository {
    /// What one call of `extend` came to.
    package enum Step: Sendable, Equatable {
        /// So many rows were added, and there may be more.
        case added(Int)
        /// Every row there was is in the graph now; so many were missing.
        case complete(added: Int)
        /// Somebody else is at it, or the session is gone.
        case taken
    }

    /// How much of a session is in the graph.
    package struct Coverage: Sendable, Equatable {
        package var graphRevision: Int64
        /// Rows written after it.
        package var pending: Int

        package init(graphRevision: Int64, pending: Int) {
            self.graphRevision = graphRevision
            self.pending = pending
        }
    }

    /// Sessions of at least `minimum` chunks whose graph is behind, the one longest unchanged first.
    package static func behind(
        minimum: Int, limit: Int, on db: some Queryable
    ) async throws -> [UUID] {
        try await db.query(selectBehind, minimum, limit).map { row throws(PostgresError) in
            try row.get(0)
        }
    }

    /// Nil when the session is gone.
    package static func coverage(sessionID: UUID, on db: some Queryable) async throws -> Coverage? {
        guard let row = try await db.query(selectCoverage, sessionID).first else { return nil }
        let pending: Int64 = try row.get(1)
        return Coverage(graphRevision: try row.get(0), pending: Int(pending))
    }

    /// Copies up to `limit` rows that are missing into the graph, oldest first.
    ///
    /// One caller at a time: the others are told that it is taken. It reads one snapshot, and writers
    /// of a session commit their revisions in order, so a revision whose rows are all there is
    /// complete for good.
    ///
    /// - Throws: a `PostgresError` with `foreign_key_violation` when a document was deleted meanwhile;
    ///   nothing was written then, and the next call finds it gone.
    package static func extend(
        sessionID: UUID, limit: Int, on transaction: Transaction
    ) async throws -> Step {
        let isMine: Bool = try await transaction.query(lock, sessionID)[0].get(0)
        guard isMine, let row = try await transaction.query(copyMissing, sessionID, limit).first
        else { return .taken }
        let added: Int64 = try row.get(0)
        let complete = added < Int64(limit)
        // Of the last revision that was copied there may be more rows.
        let revision: Int64 = complete ? try row.get(2) : try row.get(1) - 1
        try await transaction.execute(advance, sessionID, revision)
        return complete ? .complete(added: Int(added)) : .added(Int(added))
    }

    /// About how many chunks of all sessions are in the graph; 0 when nothing is known yet.
    package static func estimatedRows(on db: some Queryable) async throws -> Int {
        let rows: Int64 = try await db.query(selectEstimate)[0].get(0)
        return Int(max(0, rows))
    }

    /// `reltuples` is −1 until the first VACUUM or ANALYZE.
    private static let selectEstimate = Statement(
        "graph.estimatedRows",
        """
        SELECT reltuples::bigint
        FROM pg_class
        WHERE oid = 'carrel.chunk_graph'::regclass
        """)

    private static let selectBehind = Statement(
        "graph.selectBehind",
        """
        SELECT id
        FROM carrel.study_sessions
        WHERE chunk_count >= $1 AND graph_revision < revision
        ORDER BY updated_at
        LIMIT $2
        """)

    // Plan: Index Only Scan using document_chunks_session_id_revision_idx.
    private static let selectCoverage = Statement(
        "graph.selectCoverage",
        """
        SELECT s.graph_revision,
            (
                SELECT count(*)
                FROM carrel.document_chunks AS c
                WHERE c.session_id = s.id AND c.revision > s.graph_revision
            )
        FROM carrel.study_sessions AS s
        WHERE s.id = $1
        """)

    private static let lock = Statement(
        "graph.lock",
        "SELECT pg_try_advisory_xact_lock(hashtextextended('carrel.chunk_graph ' || $1::uuid, 0))")

    private static let copyMissing = Statement(
        "graph.copyMissing",
        """
        WITH missing AS (
            SELECT c.session_id, c.id, c.revision, c.embedding
            FROM carrel.study_sessions AS s
            JOIN carrel.document_chunks AS c
                ON c.session_id = s.id AND c.revision > s.graph_revision
            WHERE s.id = $1
                AND c.embedding IS NOT NULL
                AND NOT EXISTS (
                    SELECT
                    FROM carrel.chunk_graph AS g
                    WHERE g.session_id = c.session_id
                        AND g.chunk_id = c.id
                        AND g.revision = c.revision
                )
            ORDER BY c.revision, c.id
            LIMIT $2
        ),
        added AS (
            INSERT INTO carrel.chunk_graph AS g (session_id, chunk_id, revision, embedding)
            SELECT session_id, id, revision, embedding::halfvec(768) FROM missing
            ON CONFLICT (session_id, chunk_id)
                DO UPDATE SET revision = excluded.revision, embedding = excluded.embedding
            RETURNING g.revision
        )
        SELECT count(a.revision), max(a.revision), s.revision
        FROM carrel.study_sessions AS s
        LEFT JOIN added AS a ON true
        WHERE s.id = $1
        GROUP BY s.revision
        """)

    /// It changes no answer, so the revision of the session stays.
    private static let advance = Statement(
        "graph.advance",
        """
        UPDATE carrel.study_sessions
        SET graph_revision = $2
        WHERE id = $1 AND graph_revision < $2
        """)
}
