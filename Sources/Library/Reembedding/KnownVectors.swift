// Vectors an account has already: a text that its model has read before is not read again.
//
// Looked for among the children of the account's sessions of that model, and among what is staged or
// retired for them. Never in another account's: whose vector it would be could be told by the time it
// took, and whose text by having one at all. What was given from outside is not lent either: its owner
// says that it is of the model, and nobody has looked.

package import Postgres
package import FoundationEssentials

package enum KnownVectors {
    /// For each text, by its place, the vector that this model made of it for this account, 768
    /// numbers; texts without one are left out.
    ///
    /// One statement: were the sessions of a model and their vectors read apart, a switch in between
    /// would mix models.
    package static func vectors(
        of texts: [String], modelID: UUID, profileID: UUID, on db: some Queryable
    ) async throws -> [Int: [Float]] {
        if texts.isEmpty { return [:] }
        var found: [Int: [Float]] = [:]
        for row in try await db.query(select, texts, modelID, profileID) {
            let place: Int = try row.get(0)
            var vector: [Float] = []
            try row.appendVector(1, to: &vector)
            found[place - 1] = vector
        }
        return found
    }

    // Plan: for each text, the account's sessions (study_sessions_profile_id_created_at_idx), and in each
    // document_chunks_session_id_text_md5_idx.
    package static let select = Statement(
        "knownVectors.select",
        """
        WITH wanted AS MATERIALIZED (
            SELECT w.place, w.chunk_text, md5(w.chunk_text)::uuid AS digest
            FROM unnest($1::text[]) WITH ORDINALITY AS w (chunk_text, place)
        ),
        live AS MATERIALIZED (
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
        )
        SELECT w.place, known.embedding
        FROM wanted AS w
        CROSS JOIN LATERAL (
            (
                SELECT c.embedding
                FROM live
                CROSS JOIN LATERAL (
                    SELECT c.embedding
                    FROM carrel.document_chunks AS c
                    WHERE c.session_id = live.id
                        AND md5(c.chunk_text)::uuid = w.digest
                        AND c.chunk_text = w.chunk_text
                        AND c.type = 'CHILD'
                        AND c.embedding IS NOT NULL
                        AND NOT c.is_given
                    LIMIT 1
                ) AS c
                LIMIT 1
            )
            UNION ALL
            (
                SELECT c.embedding
                FROM stages
                CROSS JOIN LATERAL (
                    SELECT v.embedding
                    FROM carrel.document_chunks AS c
                    JOIN carrel.reembedding_vectors AS v
                        ON v.session_id = c.session_id
                        AND v.job_id = stages.id
                        AND v.chunk_id = c.id
                        AND v.text_md5 = w.digest
                        AND NOT v.is_given
                    WHERE c.session_id = stages.session_id
                        AND md5(c.chunk_text)::uuid = w.digest
                        AND c.chunk_text = w.chunk_text
                        AND c.type = 'CHILD'
                    LIMIT 1
                ) AS c
                LIMIT 1
            )
            LIMIT 1
        ) AS known
        """)
}
