// Which topics a chunk is about, decided by the database where the chunk is written: the same rule
// for a new chunk and for one that is looked at again.

package import Postgres
package import struct Foundation.UUID

/// A chunk is related to the topics it is nearly most similar to, if it is similar enough at all.
///
/// A topic's similarity is that of its nearest vector: the title's or one of the subtopics'. The
/// numbers were measured with MiniLM on real documents: docs/decisions/0020.
package enum TopicRelations {
    /// The least cosine at which a chunk is about a topic.
    package static let floor = 0.25
    /// How far below the most similar topic another may be.
    package static let margin = 0.05
    /// A document is about a topic when one in so many of its child chunks is.
    package static let documentShare = 10

    /// What `relate` did with some chunks.
    package struct Step: Sendable {
        /// The last chunk looked at; nil when there was none.
        package let last: UUID?
        package let looked: Int
        /// Whether rows were written, with a revision of their own.
        package let changed: Int
    }

    /// The topics of a vector as an SQL array, in the order of their ids; empty for NULL.
    ///
    /// `$1` is the session in every statement that this stands in. `<#>` is the negative product.
    static func topics(of vector: String) -> String {
        """
        ARRAY(
            SELECT near.topic_id
            FROM (
                SELECT v.topic_id,
                    max(-(v.embedding <#> \(vector))) AS similarity,
                    max(max(-(v.embedding <#> \(vector)))) OVER () AS best
                FROM carrel.topic_vectors AS v
                JOIN carrel.study_sessions AS s
                    ON s.id = v.session_id AND s.embedding_model_id = v.embedding_model_id
                WHERE v.session_id = $1
                GROUP BY v.topic_id
            ) AS near
            WHERE near.similarity >= \(floor) AND near.similarity >= near.best - \(margin)
            ORDER BY near.topic_id
        )
        """
    }

    /// Looks at up to `limit` chunks after the one of that id, in the order of ids, and writes those
    /// whose topics are others now. Doing it again changes nothing.
    ///
    /// Documents are locked before the session, as everybody does who writes chunks.
    package static func relate(
        sessionID: UUID, after: UUID?, limit: Int, on transaction: Transaction
    ) async throws -> Step {
        try await lockDocuments(sessionID: sessionID, on: transaction)
        let revision = try await SessionRepository.nextRevision(id: sessionID, on: transaction)
        let row = try await transaction.query(update, sessionID, revision, after, limit)[0]
        let step = Step(last: try row.get(0), looked: try row.get(1), changed: try row.get(2))
        if step.changed > 0 {
            try await SessionRepository.bumpRevision(id: sessionID, on: transaction)
        }
        return step
    }

    /// Takes a topic away from every chunk that is related to it. Returns from how many.
    package static func forget(
        topicID: UUID, sessionID: UUID, on transaction: Transaction
    ) async throws -> Int {
        try await lockDocuments(sessionID: sessionID, on: transaction)
        let revision = try await SessionRepository.nextRevision(id: sessionID, on: transaction)
        let count = try await transaction.execute(remove, sessionID, revision, topicID)
        if count > 0 { try await SessionRepository.bumpRevision(id: sessionID, on: transaction) }
        return count
    }

    /// Says anew which topics documents are about, from their chunks; all documents when `documents`
    /// is nil. A session without topics costs one look into an index, and not even the planning of the
    /// rest (2 to 5 ms).
    package static func linkDocuments(
        _ documents: [UUID]? = nil, sessionID: UUID, on transaction: Transaction
    ) async throws {
        guard try await transaction.query(selectAny, sessionID).single(Bool.self) else { return }
        try await transaction.execute(link, sessionID, documents)
    }

    /// Locks a session's documents against deletion. Before the session's row, wherever both are
    /// locked: a deletion takes them in that order.
    package static func lockDocuments(sessionID: UUID, on transaction: Transaction) async throws {
        try await transaction.execute(selectDocuments, sessionID)
    }
}

extension TopicRelations {
    private static let selectDocuments = Statement(
        "topics.lockDocuments",
        "SELECT id FROM carrel.documents WHERE session_id = $1 ORDER BY id FOR KEY SHARE")

    // Plan: Index Scan using document_chunks_pkey from the id on, and for each row an Index Scan using
    // topic_vectors_pkey.
    package static let update = Statement(
        "topics.relate",
        """
        WITH batch AS MATERIALIZED (
            SELECT c.id, c.embedding
            FROM carrel.document_chunks AS c
            WHERE c.session_id = $1
                AND c.id > coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid)
            ORDER BY c.id
            LIMIT $4
        ),
        wanted AS MATERIALIZED (
            SELECT batch.id, \(topics(of: "batch.embedding")) AS topics
            FROM batch
        ),
        changed AS (
            UPDATE carrel.document_chunks AS c
            SET related_topic_ids = wanted.topics, revision = $2
            FROM wanted
            WHERE c.session_id = $1
                AND c.id = wanted.id
                AND c.related_topic_ids <> wanted.topics
            RETURNING c.id
        )
        SELECT (SELECT id FROM batch ORDER BY id DESC LIMIT 1),
            (SELECT count(*) FROM batch),
            (SELECT count(*) FROM changed)
        """)

    // Plan: Bitmap Index Scan on document_chunks_related_topic_ids_idx.
    package static let remove = Statement(
        "topics.forget",
        """
        UPDATE carrel.document_chunks
        SET related_topic_ids = array_remove(related_topic_ids, $3), revision = $2
        WHERE session_id = $1 AND related_topic_ids @> ARRAY[$3::uuid]
        """)

    private static let selectAny = Statement(
        "topics.selectAny", "SELECT EXISTS (SELECT FROM carrel.topics WHERE session_id = $1)")

    private static let link = Statement(
        "topics.linkDocuments",
        """
        WITH related AS (
            SELECT c.document_id, t.topic_id, count(*) AS chunks
            FROM carrel.document_chunks AS c
            CROSS JOIN LATERAL unnest(c.related_topic_ids) AS t (topic_id)
            WHERE c.session_id = $1
                AND c.type = 'CHILD'
                AND ($2::uuid[] IS NULL OR c.document_id = ANY($2))
            GROUP BY c.document_id, t.topic_id
        ),
        sizes AS (
            SELECT c.document_id, count(*) AS chunks
            FROM carrel.document_chunks AS c
            WHERE c.session_id = $1
                AND c.type = 'CHILD'
                AND ($2::uuid[] IS NULL OR c.document_id = ANY($2))
            GROUP BY c.document_id
        ),
        wanted AS (
            SELECT r.document_id, r.topic_id
            FROM related AS r
            JOIN sizes AS d ON d.document_id = r.document_id
            JOIN carrel.topics AS t ON t.session_id = $1 AND t.id = r.topic_id
            WHERE r.chunks * \(documentShare) >= d.chunks
        ),
        gone AS (
            DELETE FROM carrel.document_topics AS x
            WHERE x.session_id = $1
                AND ($2::uuid[] IS NULL OR x.document_id = ANY($2))
                AND NOT EXISTS (
                    SELECT
                    FROM wanted AS w
                    WHERE w.document_id = x.document_id AND w.topic_id = x.topic_id
                )
        )
        INSERT INTO carrel.document_topics (session_id, document_id, topic_id)
        SELECT $1, document_id, topic_id
        FROM wanted
        ON CONFLICT DO NOTHING
        """)
}
