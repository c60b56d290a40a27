// The one moment that searches see: vectors, model and revision of a session change in a transaction.

package import Postgres
package import FoundationEssentials

extension ReembeddingRepository {
    /// What became of a switch.
    package enum Switch: Sendable, Equatable {
        /// The session's rows carry this revision now.
        case done(revision: Int64, chunks: Int)
        /// So many chunks have no staged vector: they came meanwhile.
        case lacking(Int)
        /// Somebody else changed the model.
        case otherModel
    }

    /// Puts the staged vectors in the place of the session's, and its model with them.
    ///
    /// Nothing is written unless every chunk of the session has a vector made of the text it has now:
    /// the session's row is locked first, so no chunk comes after that was looked at. Readers go on
    /// with what they had; only who writes to this session waits.
    ///
    /// Rows are written `atOnce` at a time; `pause` is called in between.
    ///
    /// - Throws: `LibraryError.notFound` when the session is gone.
    package static func `switch`(
        _ run: Reembedding, retaining seconds: Int64, atOnce: Int, on transaction: Transaction,
        pause: () async throws -> Void = {}
    ) async throws -> Switch {
        let session = try await SessionRepository.lock(id: run.sessionID, on: transaction)
        guard session.modelID == run.fromModelID else { return .otherModel }
        let lacking: Int = try await transaction.query(
            countLacking, run.sessionID, run.stageID
        ).single()
        guard lacking == 0 else { return .lacking(lacking) }
        if seconds > 0 {
            try await transaction.execute(retireRest, run.sessionID, run.retiredID)
        }
        let revision = session.revision + 1
        var moved = 0
        var last: UUID?
        while true {
            let row = try await transaction.query(
                moveBatch, run.sessionID, run.stageID, revision, last, atOnce)[0]
            guard let next: UUID = try row.get(0) else { break }
            moved += try row.get(1)
            last = next
            try await pause()
        }
        guard moved == session.chunkCount else {
            throw LibraryError.conflict(
                "\(moved) vectors moved into \(session.chunkCount) chunks: the count of the "
                    + "session is wrong")
        }
        try await transaction.execute(setModel, run.sessionID, run.toModelID)
        let made = try await SessionRepository.bumpRevision(id: run.sessionID, on: transaction)
        precondition(made == revision, "the session's row is locked")
        if try await transaction.query(selectTopic, run.sessionID).first != nil {
            _ = try await JobRepository.enqueueAssignment(
                sessionID: run.sessionID, on: transaction)
        }
        try await transaction.execute(noteSwitch, run.sessionID, run.jobID, seconds)
        if let takenBack = run.takesBack {
            try await transaction.execute(endRetention, run.sessionID, takenBack)
        }
        return .done(revision: revision, chunks: moved)
    }

    // MARK: Afterwards

    /// Re-embeddings that ended and may have vectors left that nobody needs.
    package static func uncleared(limit: Int, on db: some Queryable) async throws
        -> [(session: UUID, job: UUID)]
    {
        try await db.query(selectUncleared, limit).map { row in
            (try row.get(0), try row.get(1))
        }
    }

    /// Deletes up to `limit` vectors of a re-embedding that nobody needs: staged by one that ended, or
    /// retired and past their time. True when it is cleared for good or all that may go is gone.
    package static func clear(
        sessionID: UUID, jobID: UUID, limit: Int, on transaction: Transaction
    ) async throws -> Bool {
        let deleted = try await transaction.execute(
            deleteUnneeded, sessionID, jobID, limit)
        if deleted == limit { return false }
        try await transaction.execute(noteCleared, sessionID, jobID)
        return true
    }
}

extension ReembeddingRepository {
    // Plan: the session's chunks, for each the stage by its key.
    package static let countLacking = Statement(
        "reembedding.countLacking",
        """
        SELECT count(*)
        FROM carrel.document_chunks AS c
        WHERE c.session_id = $1 AND NOT \(isStaged)
        """)

    // Plan: as of countLacking.
    package static let retireRest = Statement(
        "reembedding.retireRest",
        """
        INSERT INTO carrel.reembedding_vectors AS v
            (session_id, job_id, chunk_id, text_md5, is_given, embedding)
        SELECT c.session_id, $2, c.id, md5(c.chunk_text)::uuid, c.is_given, c.embedding
        FROM carrel.document_chunks AS c
        WHERE c.session_id = $1 AND c.embedding IS NOT NULL AND NOT \(isStaged)
        ON CONFLICT (session_id, job_id, chunk_id) DO UPDATE
            SET text_md5 = excluded.text_md5,
                is_given = excluded.is_given,
                embedding = excluded.embedding
        """)

    // Plan: Index Scan using reembedding_vectors_pkey from the cursor on, then document_chunks_pkey.
    package static let moveBatch = Statement(
        "reembedding.moveBatch",
        """
        WITH batch AS MATERIALIZED (
            SELECT v.chunk_id, v.is_given, v.embedding
            FROM carrel.reembedding_vectors AS v
            WHERE v.session_id = $1
                AND v.job_id = $2
                AND v.chunk_id > coalesce($4, '00000000-0000-0000-0000-000000000000'::uuid)
            ORDER BY v.chunk_id
            LIMIT $5
        ),
        moved AS (
            UPDATE carrel.document_chunks AS c
            SET embedding = batch.embedding, is_given = batch.is_given, revision = $3
            FROM batch
            WHERE c.session_id = $1 AND c.id = batch.chunk_id
            RETURNING c.id
        )
        SELECT (SELECT chunk_id FROM batch ORDER BY chunk_id DESC LIMIT 1),
            (SELECT count(*) FROM moved)
        """)

    private static let setModel = Statement(
        "reembedding.setModel",
        "UPDATE carrel.study_sessions SET embedding_model_id = $2 WHERE id = $1")

    private static let selectTopic = Statement(
        "reembedding.selectTopic", "SELECT id FROM carrel.topics WHERE session_id = $1 LIMIT 1")

    private static let noteSwitch = Statement(
        "reembedding.noteSwitch",
        """
        UPDATE carrel.reembeddings
        SET switched_at = clock_timestamp(),
            retained_until = clock_timestamp() + make_interval(secs => $3)
        WHERE session_id = $1 AND job_id = $2
        """)

    private static let endRetention = Statement(
        "reembedding.endRetention",
        """
        UPDATE carrel.reembeddings
        SET retained_until = clock_timestamp()
        WHERE session_id = $1 AND job_id = $2 AND retained_until > clock_timestamp()
        """)

    private static let selectUncleared = Statement(
        "reembedding.selectUncleared",
        """
        SELECT r.session_id, r.job_id
        FROM carrel.reembeddings AS r
        JOIN carrel.jobs AS j ON j.session_id = r.session_id AND j.id = r.job_id
        WHERE NOT r.is_cleared AND j.state IN ('SUCCEEDED', 'FAILED', 'CANCELLED')
        ORDER BY j.finished_at
        LIMIT $1
        """)

    /// The ids of a re-embedding's two sets of vectors that nobody needs: neither one that waits or runs,
    /// nor the retention of one that has switched.
    private static let unneeded = """
        SELECT own.id
        FROM carrel.reembeddings AS r
        CROSS JOIN LATERAL (VALUES (r.stage_id), (r.retired_id)) AS own (id)
        WHERE r.session_id = $1
            AND r.job_id = $2
            AND NOT EXISTS (
                SELECT
                FROM carrel.reembeddings AS x
                JOIN carrel.jobs AS j ON j.session_id = x.session_id AND j.id = x.job_id
                WHERE x.session_id = $1
                    AND (
                        (own.id IN (x.stage_id, x.retired_id) AND j.state IN ('QUEUED', 'RUNNING'))
                        OR (own.id = x.retired_id AND x.retained_until > clock_timestamp()
                            AND NOT x.is_cleared)
                    )
            )
        """

    private static let deleteUnneeded = Statement(
        "reembedding.deleteUnneeded",
        """
        DELETE FROM carrel.reembedding_vectors AS v
        WHERE v.session_id = $1
            AND (v.job_id, v.chunk_id) IN (
                SELECT x.job_id, x.chunk_id
                FROM carrel.reembedding_vectors AS x
                WHERE x.session_id = $1 AND x.job_id IN (\(unneeded))
                LIMIT $3
            )
        """)

    // The time of what was kept may have ended since something was deleted: that there is nothing left
    // has to be seen.
    private static let noteCleared = Statement(
        "reembedding.noteCleared",
        """
        UPDATE carrel.reembeddings AS r
        SET is_cleared = true
        WHERE r.session_id = $1
            AND r.job_id = $2
            AND (SELECT count(*) FROM (\(unneeded)) AS u) = 2
            AND NOT EXISTS (
                SELECT
                FROM carrel.reembedding_vectors AS v
                WHERE v.session_id = $1 AND v.job_id IN (r.stage_id, r.retired_id)
            )
        """)
}
