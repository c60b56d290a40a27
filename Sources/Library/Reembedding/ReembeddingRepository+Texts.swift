// Texts on their way out, for whoever embeds them elsewhere, and what becomes of the vectors that come
// back. Only children go out: a parent's vector is made of theirs when the run goes on.

package import Postgres
package import FoundationEssentials

/// A text that has no vector yet.
package struct WantedText: Sendable, Equatable {
    package let chunkID: UUID
    /// Its MD5.
    package let digest: UUID
    package let text: String
}

/// What a session has under the id of a chunk that a vector was given for.
package struct VectorPlace: Sendable, Equatable {
    /// Of the text it has now.
    package let digest: UUID
    /// Whether its vector is computed from others.
    package let isComputed: Bool
    /// Whether a vector of this text is staged already.
    package let isStaged: Bool
}

extension ReembeddingRepository {
    /// Texts without a staged vector, in the order of their chunks' ids, beginning after one: at most
    /// `limit`, and no more once they hold so many bytes; at least one while there is any. `next` is
    /// where to go on, nil at the end.
    package static func texts(
        of run: Reembedding, after: UUID?, limit: Int, bytes: Int, on db: some Queryable
    ) async throws -> (texts: [WantedText], next: UUID?) {
        let rows = try await db.query(
            selectTexts, run.sessionID, run.stageID, after, limit, bytes)
        let texts = try rows.map { row in
            WantedText(
                chunkID: try row.get(0), digest: try row.get(1), text: try row.get(2))
        }
        let found: Int = try rows.first?.get(3) ?? 0
        return (texts, found > texts.count ? texts.last?.chunkID : nil)
    }

    /// How many texts have no staged vector. Looks at every chunk of the session.
    package static func countTexts(of run: Reembedding, on db: some Queryable) async throws -> Int {
        try await db.query(selectTextCount, run.sessionID, run.stageID).single()
    }

    /// What the session has under these ids; of those that are gone, nothing.
    package static func places(
        of chunks: [UUID], in run: Reembedding, on db: some Queryable
    ) async throws -> [UUID: VectorPlace] {
        var places: [UUID: VectorPlace] = [:]
        for row in try await db.query(selectPlaces, run.sessionID, run.stageID, chunks) {
            places[try row.get(0)] = VectorPlace(
                digest: try row.get(1), isComputed: try row.get(2), isStaged: try row.get(3))
        }
        return places
    }

    /// Stages vectors that were made elsewhere. What was computed from the vectors before is dropped, to
    /// be computed again; `fresh` says how many chunks had none.
    ///
    /// The job's row is locked by the last statement. False when it is not paused by then: the caller
    /// has to roll back.
    package static func stageGiven(
        _ vectors: [StagedVector], fresh: Int, of run: Reembedding, on transaction: Transaction
    ) async throws -> Bool {
        let (session, stage) = (run.sessionID, run.stageID)
        let written = try await Self.stage(
            vectors, sessionID: session, stageID: stage, on: transaction)
        if written > 0 {
            try await transaction.execute(
                deleteComputed, session, stage, vectors.map(\.chunkID))
        }
        return try await transaction.query(noteGiven, session, run.jobID, fresh).first != nil
    }
}

extension ReembeddingRepository {
    /// Whether the vector of a chunk `c` of the session $1 is computed from those of others.
    ///
    /// Not `EXISTS`: PostgreSQL would hash the parents of all chunks there are, for every page.
    private static let isComputed = """
        (
            c.type = 'PARENT'
            AND (
                SELECT x.id
                FROM carrel.document_chunks AS x
                WHERE x.session_id = $1 AND x.parent_chunk_id = c.id
                LIMIT 1
            ) IS NOT NULL
        )
        """

    // Plan: Index Scan using document_chunks_pkey from the cursor on, for each row the stage by its key,
    // until there are enough.
    package static let selectTexts = Statement(
        "reembedding.selectTexts",
        """
        WITH lacking AS MATERIALIZED (
            SELECT c.id, octet_length(c.chunk_text) AS bytes
            FROM carrel.document_chunks AS c
            WHERE c.session_id = $1
                AND c.id > coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid)
                AND NOT \(isStaged)
                AND NOT \(isComputed)
            ORDER BY c.id
            LIMIT $4 + 1
        ),
        sized AS MATERIALIZED (
            SELECT id,
                row_number() OVER (ORDER BY id) AS place,
                sum(bytes) OVER (ORDER BY id) - bytes AS bytes_before
            FROM lacking
        )
        SELECT c.id, md5(c.chunk_text)::uuid, c.chunk_text, (SELECT count(*) FROM sized)
        FROM sized
        JOIN carrel.document_chunks AS c ON c.session_id = $1 AND c.id = sized.id
        WHERE sized.place <= $4 AND sized.bytes_before < $5
        ORDER BY c.id
        """)

    private static let selectTextCount = Statement(
        "reembedding.countTexts",
        """
        SELECT count(*)
        FROM carrel.document_chunks AS c
        WHERE c.session_id = $1 AND NOT \(isStaged) AND NOT \(isComputed)
        """)

    private static let selectPlaces = Statement(
        "reembedding.selectPlaces",
        """
        SELECT c.id, md5(c.chunk_text)::uuid, \(isComputed), \(isStaged)
        FROM carrel.document_chunks AS c
        WHERE c.session_id = $1 AND c.id = ANY($3)
        """)

    private static let deleteComputed = Statement(
        "reembedding.deleteComputed",
        """
        DELETE FROM carrel.reembedding_vectors AS v
        WHERE v.session_id = $1
            AND v.job_id = $2
            AND v.chunk_id IN (
                SELECT c.parent_chunk_id
                FROM carrel.document_chunks AS c
                WHERE c.session_id = $1 AND c.id = ANY($3)
            )
        """)

    private static let noteGiven = Statement(
        "reembedding.noteGiven",
        """
        WITH noted AS (
            UPDATE carrel.jobs AS j
            SET progress_done = j.progress_done + $3,
                progress_total = greatest(
                    j.progress_done + $3,
                    (SELECT s.chunk_count FROM carrel.study_sessions AS s WHERE s.id = $1))
            WHERE j.session_id = $1 AND j.id = $2 AND j.is_paused
            RETURNING j.id
        )
        SELECT id, pg_notify('carrel_job', id::text)::text
        FROM noted
        """)
}
