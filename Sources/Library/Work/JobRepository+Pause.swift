// Jobs that wait for somebody, and jobs that get on.

package import Postgres
package import struct Foundation.UUID

extension JobRepository {
    /// Takes a job that waits or runs out of the queue; its worker learns it at the next renewal.
    /// False when it has ended already, or is no longer the owner's.
    ///
    /// `stage` says to people why.
    package static func pause(
        sessionID: UUID, id: UUID, stage: String, owner: String? = nil, on db: some Queryable
    ) async throws -> Bool {
        try await db.query(setPaused, sessionID, id, stage, owner).first != nil
    }

    /// Puts a paused job back into the queue, as if it had never been tried. False when it is not
    /// paused.
    package static func resume(sessionID: UUID, id: UUID, on db: some Queryable) async throws
        -> Bool
    {
        try await db.query(unsetPaused, sessionID, id).first != nil
    }

    /// Says how far a running job is, and that it got there: attempts are counted from here. Without
    /// `progress` the count stays. False when it does not run, or not for this owner.
    package static func advance(
        sessionID: UUID, id: UUID, progress: (done: Int, total: Int)?, stage: String,
        owner: String, on db: some Queryable
    ) async throws -> Bool {
        try await db.query(
            moveOn, sessionID, id, progress?.done, progress?.total, stage, owner
        ).first != nil
    }

    private static let setPaused = Statement(
        "job.pause",
        """
        WITH paused AS (
            UPDATE carrel.jobs
            SET state = 'QUEUED',
                is_paused = true,
                lease_owner = NULL,
                lease_expires_at = NULL,
                payload = jsonb_set(payload, '{stage}', to_jsonb($3::text))
            WHERE session_id = $1
                AND id = $2
                AND state IN ('QUEUED', 'RUNNING')
                AND ($4::text IS NULL OR lease_owner = $4)
            RETURNING id
        )
        SELECT id, pg_notify('carrel_job', id::text)::text
        FROM paused
        """)

    private static let unsetPaused = Statement(
        "job.resume",
        """
        WITH resumed AS (
            UPDATE carrel.jobs
            SET is_paused = false, attempt = 0, payload = payload - 'stage'
            WHERE session_id = $1 AND id = $2 AND is_paused
            RETURNING id
        )
        SELECT id, pg_notify('carrel_job', id::text)::text
        FROM resumed
        """)

    private static let moveOn = Statement(
        "job.advance",
        """
        WITH moved AS (
            UPDATE carrel.jobs
            SET progress_done = coalesce($3, progress_done),
                progress_total = coalesce($4, progress_total),
                attempt = 1,
                payload = jsonb_set(payload, '{stage}', to_jsonb($5::text))
            WHERE session_id = $1 AND id = $2 AND state = 'RUNNING' AND lease_owner = $6
            RETURNING id
        )
        SELECT id, pg_notify('carrel_job', id::text)::text
        FROM moved
        """)
}
