// Re-embeddings: begun, asked about, stopped. What they stage and how they switch is in the files
// beside this one.
//
// Whoever locks more than one of these does it in this order: documents, session, chunks, job. Pausing
// and cancelling lock the job alone.

package import Postgres
package import FoundationEssentials

package enum ReembeddingRepository {
    /// Makes a re-embedding and its job.
    ///
    /// The session's row is locked: of two who begin at once the second sees the first.
    ///
    /// - Throws: `LibraryError.notFound`; `.conflict` when one is under way, or the session has that
    ///   model already.
    package static func begin(_ new: NewReembedding, on transaction: Transaction) async throws
        -> (run: Reembedding, job: Job)
    {
        let session = new.sessionID
        let from = try await SessionRepository.lock(id: session, on: transaction).modelID
        guard from != new.toModelID else {
            throw LibraryError.conflict("the session has this model already")
        }
        guard try await transaction.query(selectOpen, session).first == nil else {
            throw LibraryError.conflict("the session is being re-embedded already")
        }
        let job = try await JobRepository.enqueue(
            NewJob(sessionID: session, kind: .reembed, isPaused: new.isPaused), on: transaction)
        try await transaction.execute(
            insert, session, job.id, from, new.toModelID, new.takesBack?.stageID ?? job.id,
            new.takesBack?.job, new.terms)
        guard let run = try await get(sessionID: session, jobID: job.id, on: transaction) else {
            throw LibraryError.notFound
        }
        return (run, job)
    }

    package static func get(
        sessionID: UUID, jobID: UUID, on db: some Queryable
    ) async throws -> Reembedding? {
        try await db.query(selectOne, sessionID, jobID).first.map(Reembedding.init)
    }

    /// A session's re-embeddings with their jobs, newest first.
    package static func list(
        sessionID: UUID, limit: Int, on db: some Queryable
    ) async throws -> [(run: Reembedding, job: Job)] {
        let runs = try await db.query(selectNewest, sessionID, limit).map(Reembedding.init)
        var jobs: [UUID: Job] = [:]
        for row in try await db.query(selectJobs, sessionID, runs.map(\.jobID)) {
            let job = try Job(row)
            jobs[job.id] = job
        }
        return runs.compactMap { run in jobs[run.jobID].map { (run, $0) } }
    }

    /// The switch that a session's model of now comes from, while it can be taken back.
    package static func reversible(sessionID: UUID, on db: some Queryable) async throws
        -> Reembedding?
    {
        try await db.query(selectReversible, sessionID).first.map(Reembedding.init)
    }

    /// Notes why a run waits for somebody; nil when it goes on.
    package static func setStopped(
        _ reason: String?, sessionID: UUID, jobID: UUID, on db: some Queryable
    ) async throws {
        try await db.execute(updateStopped, sessionID, jobID, reason)
    }

    /// Puts other terms in the place of a run's; JSON text.
    package static func setTerms(
        _ terms: String, sessionID: UUID, jobID: UUID, on db: some Queryable
    ) async throws {
        try await db.execute(updateTerms, sessionID, jobID, terms)
    }

    /// Notes what the gate found; JSON text.
    package static func setVerdict(
        _ verdict: String, sessionID: UUID, jobID: UUID, on db: some Queryable
    ) async throws {
        try await db.execute(updateVerdict, sessionID, jobID, verdict)
    }

    /// Adds to what was done.
    package static func add(
        _ counts: ReembeddingCounts, sessionID: UUID, jobID: UUID, on db: some Queryable
    ) async throws {
        try await db.execute(
            addCounts, sessionID, jobID, counts.embedded, counts.reused, counts.embedMicroseconds,
            counts.stageMicroseconds, counts.switchMicroseconds)
    }

    // MARK: Failures

    /// Lists texts that the model refuses.
    package static func note(
        _ failures: [ReembeddingFailure], sessionID: UUID, jobID: UUID, on db: some Queryable
    ) async throws {
        try await db.execute(
            insertFailures, sessionID, jobID, failures.map(\.chunkID), failures.map(\.reason))
    }

    /// In the order of their ids.
    package static func failures(
        sessionID: UUID, jobID: UUID, limit: Int, on db: some Queryable
    ) async throws -> [ReembeddingFailure] {
        try await db.query(selectFailures, sessionID, jobID, limit).map { row in
            ReembeddingFailure(chunkID: try row.get(0), reason: try row.get(1))
        }
    }

    package static func countFailures(
        sessionID: UUID, jobID: UUID, on db: some Queryable
    ) async throws -> Int {
        try await db.query(selectFailureCount, sessionID, jobID).single()
    }

    /// Forgets them, so that they are tried again.
    package static func forgetFailures(
        sessionID: UUID, jobID: UUID, on db: some Queryable
    ) async throws {
        try await db.execute(deleteFailures, sessionID, jobID)
    }
}

extension ReembeddingRepository {
    private static let columns = """
        r.session_id, r.job_id, r.from_model_id, f.name, r.to_model_id, t.name, r.stage_id,
        r.retired_id, r.takes_back, r.terms::text, r.verdict::text, r.stopped_because, r.embedded,
        r.reused, r.embed_microseconds, r.stage_microseconds, r.switch_microseconds,
        r.switched_at, r.retained_until
        """

    private static let tables = """
        carrel.reembeddings AS r
        JOIN carrel.embedding_models AS f ON f.id = r.from_model_id
        JOIN carrel.embedding_models AS t ON t.id = r.to_model_id
        """

    private static let selectOpen = Statement(
        "reembedding.selectOpen",
        """
        SELECT id
        FROM carrel.jobs
        WHERE session_id = $1 AND kind = 'REEMBED' AND state IN ('QUEUED', 'RUNNING')
        LIMIT 1
        """)

    private static let insert = Statement(
        "reembedding.insert",
        """
        INSERT INTO carrel.reembeddings
            (session_id, job_id, from_model_id, to_model_id, stage_id, takes_back, terms)
        VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb)
        """)

    private static let selectOne = Statement(
        "reembedding.selectOne",
        "SELECT \(columns) FROM \(tables) WHERE r.session_id = $1 AND r.job_id = $2")

    private static let selectNewest = Statement(
        "reembedding.selectNewest",
        """
        SELECT \(columns)
        FROM \(tables)
        JOIN carrel.jobs AS j ON j.session_id = r.session_id AND j.id = r.job_id
        WHERE r.session_id = $1
        ORDER BY j.created_at DESC, j.id DESC
        LIMIT $2
        """)

    private static let selectJobs = Statement(
        "reembedding.selectJobs",
        """
        SELECT \(JobRepository.columns)
        FROM carrel.jobs AS j
        WHERE j.session_id = $1 AND j.id = ANY($2)
        """)

    private static let selectReversible = Statement(
        "reembedding.selectReversible",
        """
        SELECT \(columns)
        FROM \(tables)
        JOIN carrel.study_sessions AS s
            ON s.id = r.session_id AND s.embedding_model_id = r.to_model_id
        WHERE r.session_id = $1
            AND r.switched_at = (
                SELECT max(last.switched_at)
                FROM carrel.reembeddings AS last
                WHERE last.session_id = $1
            )
            AND r.retained_until > clock_timestamp()
            AND NOT r.is_cleared
        LIMIT 1
        """)

    private static let updateStopped = Statement(
        "reembedding.setStopped",
        """
        UPDATE carrel.reembeddings
        SET stopped_because = $3
        WHERE session_id = $1 AND job_id = $2
        """)

    private static let updateTerms = Statement(
        "reembedding.setTerms",
        """
        UPDATE carrel.reembeddings
        SET terms = $3::text::jsonb
        WHERE session_id = $1 AND job_id = $2
        """)

    private static let updateVerdict = Statement(
        "reembedding.setVerdict",
        """
        UPDATE carrel.reembeddings
        SET verdict = $3::text::jsonb
        WHERE session_id = $1 AND job_id = $2
        """)

    private static let addCounts = Statement(
        "reembedding.add",
        """
        UPDATE carrel.reembeddings
        SET embedded = embedded + $3,
            reused = reused + $4,
            embed_microseconds = embed_microseconds + $5,
            stage_microseconds = stage_microseconds + $6,
            switch_microseconds = switch_microseconds + $7
        WHERE session_id = $1 AND job_id = $2
        """)

    private static let insertFailures = Statement(
        "reembedding.noteFailures",
        """
        INSERT INTO carrel.reembedding_failures (session_id, job_id, chunk_id, reason)
        SELECT $1, $2, f.chunk_id, f.reason
        FROM unnest($3::uuid[], $4::text[]) AS f (chunk_id, reason)
        ON CONFLICT (session_id, job_id, chunk_id) DO UPDATE SET reason = excluded.reason
        """)

    private static let selectFailures = Statement(
        "reembedding.selectFailures",
        """
        SELECT chunk_id, reason
        FROM carrel.reembedding_failures
        WHERE session_id = $1 AND job_id = $2
        ORDER BY chunk_id
        LIMIT $3
        """)

    private static let selectFailureCount = Statement(
        "reembedding.countFailures",
        """
        SELECT count(*)
        FROM carrel.reembedding_failures
        WHERE session_id = $1 AND job_id = $2
        """)

    private static let deleteFailures = Statement(
        "reembedding.forgetFailures",
        "DELETE FROM carrel.reembedding_failures WHERE session_id = $1 AND job_id = $2")
}
