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

    // A text counts as known where KnownVectors would find it. Known and wanted are laid together and
    // grouped, which is linear whatever the planner knows: asked text by text, as no index answers behind
    // row-level security (md5 is not leakproof), 10,000 chunks took more than six minutes.
    package static let selectWork = Statement(
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
        known AS (
            SELECT md5(k.chunk_text)::uuid AS digest
            FROM live
            JOIN carrel.document_chunks AS k ON k.session_id = live.id
            WHERE k.type = 'CHILD' AND k.embedding IS NOT NULL AND NOT k.is_given
            UNION ALL
            SELECT v.text_md5
            FROM stages
            JOIN carrel.reembedding_vectors AS v
                ON v.session_id = stages.session_id AND v.job_id = stages.id
            JOIN carrel.document_chunks AS k ON k.session_id = v.session_id AND k.id = v.chunk_id
            WHERE k.type = 'CHILD' AND NOT v.is_given
                AND md5(k.chunk_text)::uuid = v.text_md5
        ),
        own AS MATERIALIZED (
            SELECT c.id, c.type, c.token_count, md5(c.chunk_text)::uuid AS digest
            FROM carrel.document_chunks AS c
            WHERE c.session_id = $1
        ),
        wanted AS (
            SELECT digest, max(token_count) AS token_count
            FROM (
                SELECT id, digest, token_count, false AS is_given FROM own WHERE type = 'CHILD'
                UNION ALL
                SELECT v.chunk_id, v.text_md5, NULL, true
                FROM stages
                JOIN carrel.reembedding_vectors AS v
                    ON v.session_id = stages.session_id AND v.job_id = stages.id
                WHERE stages.session_id = $1 AND v.is_given
            ) AS texts
            GROUP BY id, digest
            HAVING NOT bool_or(is_given)
        ),
        new AS (
            SELECT max(token_count) AS token_count
            FROM (
                SELECT digest, token_count, false AS is_known FROM wanted
                UNION ALL
                SELECT digest, NULL, true FROM known
            ) AS texts
            GROUP BY digest
            HAVING NOT bool_or(is_known)
        )
        SELECT count(*) FILTER (WHERE type = 'CHILD'),
            count(*) FILTER (WHERE type = 'PARENT'),
            coalesce(sum(token_count) FILTER (WHERE type = 'CHILD'), 0)::bigint,
            (SELECT count(*) FROM new),
            (SELECT coalesce(sum(token_count), 0)::bigint FROM new)
        FROM own
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
