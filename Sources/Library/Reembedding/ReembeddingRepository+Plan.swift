// What a re-embedding would have to do, counted; nothing is written.

package import Postgres
package import FoundationEssentials

/// The work that one session would be.
package struct ReembeddingWork: Sendable, Equatable {
    package var children = 0
    package var parents = 0
    /// As the model of now counts them, of all children.
    package var tokens = 0
    /// Different texts that the account has no vector of, and their tokens.
    package var newTexts = 0
    package var newTokens = 0
}

extension ReembeddingRepository {
    /// `modelID` nil is a model that nobody has used here.
    package static func work(
        sessionID: UUID, modelID: UUID?, profileID: UUID, on db: some Queryable
    ) async throws -> ReembeddingWork {
        let row = try await db.query(selectWork, sessionID, modelID, profileID)[0]
        var work = ReembeddingWork()
        work.children = try row.get(0)
        work.parents = try row.get(1)
        work.tokens = try row.get(2)
        work.newTexts = try row.get(3)
        work.newTokens = try row.get(4)
        return work
    }

    /// Texts a second that a model took in the account's re-embeddings before; nil when there were
    /// none.
    package static func rate(
        modelID: UUID, profileID: UUID, on db: some Queryable
    ) async throws -> Double? {
        try await db.query(selectRate, modelID, profileID)[0].get(0)
    }

    // A text counts as known where KnownVectors would find it.
    private static let selectWork = Statement(
        "reembedding.selectWork",
        """
        WITH live AS MATERIALIZED (
            SELECT id
            FROM carrel.study_sessions
            WHERE profile_id = $3 AND embedding_model_id = $2
        ),
        stages AS MATERIALIZED (
            SELECT r.session_id, own.id
            FROM carrel.study_sessions AS s
            JOIN carrel.reembeddings AS r ON r.session_id = s.id
            CROSS JOIN LATERAL (
                VALUES (r.stage_id, r.to_model_id), (r.retired_id, r.from_model_id)
            ) AS own (id, model_id)
            WHERE s.profile_id = $3 AND NOT r.is_cleared AND own.model_id = $2
        ),
        texts AS MATERIALIZED (
            SELECT c.type, c.token_count,
                c.type = 'CHILD'
                AND row_number() OVER (PARTITION BY c.type, md5(c.chunk_text) ORDER BY c.id) = 1
                AND NOT EXISTS (
                    SELECT
                    FROM live
                    JOIN carrel.document_chunks AS k
                        ON k.session_id = live.id
                        AND md5(k.chunk_text)::uuid = md5(c.chunk_text)::uuid
                    WHERE k.type = 'CHILD' AND k.embedding IS NOT NULL AND NOT k.is_given
                )
                AND NOT EXISTS (
                    SELECT
                    FROM stages
                    JOIN carrel.document_chunks AS k
                        ON k.session_id = stages.session_id
                        AND md5(k.chunk_text)::uuid = md5(c.chunk_text)::uuid
                    JOIN carrel.reembedding_vectors AS v
                        ON v.session_id = k.session_id
                        AND v.job_id = stages.id
                        AND v.chunk_id = k.id
                        AND v.text_md5 = md5(c.chunk_text)::uuid
                    WHERE k.type = 'CHILD'
                        AND (NOT v.is_given OR k.id = c.id AND k.session_id = $1)
                ) AS is_new
            FROM carrel.document_chunks AS c
            WHERE c.session_id = $1
        )
        SELECT count(*) FILTER (WHERE type = 'CHILD'),
            count(*) FILTER (WHERE type = 'PARENT'),
            coalesce(sum(token_count) FILTER (WHERE type = 'CHILD'), 0)::bigint,
            count(*) FILTER (WHERE is_new),
            coalesce(sum(token_count) FILTER (WHERE is_new), 0)::bigint
        FROM texts
        """)

    private static let selectRate = Statement(
        "reembedding.selectRate",
        """
        SELECT (sum(r.embedded) * 1e6 / nullif(sum(r.embed_microseconds), 0))::float8
        FROM carrel.reembeddings AS r
        JOIN carrel.study_sessions AS s ON s.id = r.session_id
        WHERE r.to_model_id = $1 AND s.profile_id = $2 AND r.embedded > 0
        """)
}
