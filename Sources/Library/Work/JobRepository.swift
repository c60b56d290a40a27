// Durable work. A worker leases a job, renews the lease while it works, and ends it; when the
// worker dies, the lease runs out and the next `lease` by anyone takes the job up.
//
//     QUEUED ──lease──► RUNNING ──finish──► SUCCEEDED | FAILED
//       │                 │ ▲
//       │                 │ └──lease, once the old one has run out
//       └─────cancel──────┴──► CANCELLED
//
// A paused job is QUEUED and passed over; pausing a running one takes it from its worker.
//
// What a worker writes names it as the owner, so one that was thought dead and wakes up late
// changes nothing.

package import Postgres
package import FoundationEssentials

package enum JobRepository {
    /// The channel on which every change of a job is announced, as its id.
    package static let channel = "carrel_job"

    package static func enqueue(_ job: NewJob, on db: some Queryable) async throws -> Job {
        let rows = try await db.query(
            insert, job.sessionID, job.id, job.kind.rawValue, job.documentID, job.payload,
            job.isPaused)
        return try Job(rows[0])
    }

    /// The oldest job that waits, or whose lease has run out; nil when there is none.
    ///
    /// A job another worker is just taking is passed over, not waited for.
    package static func lease(
        kinds: [JobKind], owner: String, for duration: Duration, on db: some Queryable
    ) async throws -> Job? {
        try await db.query(take, kinds.map(\.rawValue), owner, duration.inSeconds)
            .first.map(Job.init)
    }

    /// Keeps a job for another while. False when it is no longer the owner's: the lease ran out and
    /// was taken, or the job was cancelled or deleted. The worker then stops.
    package static func renew(
        id: UUID, owner: String, for duration: Duration, on db: some Queryable
    ) async throws -> Bool {
        try await db.execute(extend, id, owner, duration.inSeconds) > 0
    }

    /// Says how far a running job is; `stage` nil keeps the last one. False when the job does not
    /// run, or not for this owner.
    @discardableResult
    package static func progress(
        id: UUID, done: Int64, total: Int64, stage: String? = nil, owner: String? = nil,
        on db: some Queryable
    ) async throws -> Bool {
        try await db.query(report, id, done, total, stage, owner).first != nil
    }

    /// Ends a job. False when it has ended already, or is no longer the owner's.
    ///
    /// In the transaction that publishes the work this is what makes it happen once: throw when it
    /// says false.
    ///
    /// - Precondition: `state` is an end.
    @discardableResult
    package static func finish(
        id: UUID, state: JobState, error: String? = nil, owner: String? = nil,
        on db: some Queryable
    ) async throws -> Bool {
        precondition(state.isEnded, "a job cannot be finished as \(state.rawValue)")
        return try await db.query(end, id, state.rawValue, error, owner).first != nil
    }

    /// Ends a job that waits or runs; its worker learns it at the next renewal. False when it has
    /// ended already.
    package static func cancel(id: UUID, on db: some Queryable) async throws -> Bool {
        try await finish(id: id, state: .cancelled, on: db)
    }

    package static func get(id: UUID, on db: some Queryable) async throws -> Job? {
        try await db.query(selectByID, id).first.map(Job.init)
    }

    /// A job of one of the account's sessions.
    package static func get(id: UUID, profileID: UUID, on db: some Queryable) async throws -> Job? {
        try await db.query(selectOwned, id, profileID).first.map(Job.init)
    }

    /// A session's jobs, newest first, after the last one seen.
    package static func list(
        sessionID: UUID, limit: Int, after: TimeCursor? = nil, on db: some Queryable
    ) async throws -> [Job] {
        try await db.query(selectPage, sessionID, limit, after?.createdAt, after?.id)
            .map(Job.init)
    }

    /// How many jobs wait and how many run, in all sessions.
    package static func counts(on db: some Queryable) async throws -> (queued: Int, running: Int) {
        let row = try await db.query(count)[0]
        return (try row.get(0), try row.get(1))
    }
}

extension JobRepository {
    static let columns = """
        j.session_id, j.id, j.kind, j.document_id, j.state, j.progress_done, j.progress_total,
        j.payload ->> 'stage', j.attempt, j.lease_owner, j.lease_expires_at, j.payload::text,
        j.error_message, j.created_at, j.started_at, j.finished_at, j.is_paused
        """

    private static let insert = Statement(
        "job.insert",
        """
        INSERT INTO carrel.jobs AS j (session_id, id, kind, document_id, payload, is_paused)
        VALUES ($1, $2, $3, $4, $5::text::jsonb, $6)
        RETURNING \(columns)
        """)

    // Plan: Index Scan using jobs_open_idx under LockRows and Limit, then the row by its id. The
    // inner query runs once, because it does not refer to the outer one.
    package static let take = Statement(
        "job.lease",
        """
        UPDATE carrel.jobs AS j
        SET state = 'RUNNING',
            lease_owner = $2,
            lease_expires_at = clock_timestamp() + make_interval(secs => $3),
            attempt = j.attempt + 1,
            started_at = coalesce(j.started_at, clock_timestamp())
        WHERE (j.session_id, j.id) = (
            SELECT o.session_id, o.id
            FROM carrel.jobs AS o
            WHERE o.state IN ('QUEUED', 'RUNNING')
                AND (o.state = 'QUEUED' OR o.lease_expires_at < clock_timestamp())
                AND o.kind = ANY($1::carrel.job_kind[])
                AND NOT o.is_paused
            ORDER BY o.created_at
            LIMIT 1
            FOR UPDATE SKIP LOCKED
        )
        RETURNING \(columns)
        """)

    private static let extend = Statement(
        "job.renew",
        """
        UPDATE carrel.jobs
        SET lease_expires_at = clock_timestamp() + make_interval(secs => $3)
        WHERE id = $1 AND state = 'RUNNING' AND lease_owner = $2
        """)

    private static let report = Statement(
        "job.progress",
        """
        WITH moved AS (
            UPDATE carrel.jobs
            SET progress_done = $2,
                progress_total = $3,
                payload = CASE
                    WHEN $4::text IS NULL THEN payload
                    ELSE jsonb_set(payload, '{stage}', to_jsonb($4::text))
                END
            WHERE id = $1
                AND state = 'RUNNING'
                AND ($5::text IS NULL OR lease_owner = $5)
            RETURNING id
        )
        SELECT id, pg_notify('carrel_job', id::text)::text
        FROM moved
        """)

    private static let end = Statement(
        "job.finish",
        """
        WITH ended AS (
            UPDATE carrel.jobs
            SET state = $2,
                error_message = $3,
                lease_owner = NULL,
                lease_expires_at = NULL,
                is_paused = false,
                finished_at = clock_timestamp()
            WHERE id = $1
                AND state IN ('QUEUED', 'RUNNING')
                AND ($4::text IS NULL OR lease_owner = $4)
            RETURNING id
        )
        SELECT id, pg_notify('carrel_job', id::text)::text
        FROM ended
        """)

    // Plan: Index Scan using jobs_id_idx.
    package static let selectByID = Statement(
        "job.selectByID", "SELECT \(columns) FROM carrel.jobs AS j WHERE j.id = $1")

    private static let selectOwned = Statement(
        "job.selectOwned",
        """
        SELECT \(columns)
        FROM carrel.jobs AS j
        JOIN carrel.study_sessions AS s ON s.id = j.session_id
        WHERE j.id = $1 AND s.profile_id = $2
        """)

    private static let selectPage = Statement(
        "job.selectPage",
        """
        SELECT \(columns)
        FROM carrel.jobs AS j
        WHERE j.session_id = $1
            AND (j.created_at, j.id) < (
                coalesce($3, 'infinity'::timestamptz),
                coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
            )
        ORDER BY j.created_at DESC, j.id DESC
        LIMIT $2
        """)

    private static let count = Statement(
        "job.counts",
        """
        SELECT count(*) FILTER (WHERE state = 'QUEUED'),
            count(*) FILTER (WHERE state = 'RUNNING')
        FROM carrel.jobs
        WHERE state IN ('QUEUED', 'RUNNING')
        """)
}

extension Duration {
    fileprivate var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
