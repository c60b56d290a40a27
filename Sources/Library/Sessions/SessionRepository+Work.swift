// A session's status while files are taken in or chunks related to topics: CHUNKING as long as that
// goes on, ACTIVE afterwards.

package import Postgres
package import struct Foundation.UUID

extension SessionRepository {
    /// The session is being filled. One whose plan is being generated or edited is left as it is: it
    /// goes on when the plan is accepted.
    package static func beginChunking(id: UUID, on transaction: Transaction) async throws {
        // COMPLETED → CHUNKING is no accepted move; it goes by way of ACTIVE.
        try await transaction.execute(reopen, id)
        try await transaction.execute(startChunking, id)
    }

    /// Nothing fills the session any more: CHUNKING becomes ACTIVE, unless a job waits or runs.
    ///
    /// The row is locked before jobs are looked at, so that of two jobs ending at once the second
    /// sees the first one's end.
    package static func settle(id: UUID, on transaction: Transaction) async throws {
        try await transaction.execute(lock, id)
        try await transaction.execute(stopChunking, id)
    }

    private static let reopen = Statement(
        "session.reopen",
        """
        UPDATE carrel.study_sessions
        SET status = 'ACTIVE', updated_at = now()
        WHERE id = $1 AND status = 'COMPLETED'
        """)

    private static let startChunking = Statement(
        "session.startChunking",
        """
        UPDATE carrel.study_sessions
        SET status = 'CHUNKING', updated_at = now()
        WHERE id = $1 AND status IN ('UPLOADING', 'ACTIVE')
        """)

    private static let lock = Statement(
        "session.lock",
        "SELECT id FROM carrel.study_sessions WHERE id = $1 FOR NO KEY UPDATE")

    private static let stopChunking = Statement(
        "session.stopChunking",
        """
        UPDATE carrel.study_sessions AS s
        SET status = 'ACTIVE', updated_at = now()
        WHERE s.id = $1
            AND s.status = 'CHUNKING'
            AND NOT EXISTS (
                SELECT FROM carrel.jobs AS j
                WHERE j.session_id = s.id
                    AND j.kind IN ('INGEST', 'ASSIGN_TOPICS')
                    AND j.state IN ('QUEUED', 'RUNNING')
            )
        """)
}
