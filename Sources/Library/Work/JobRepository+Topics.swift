// The job that relates chunks to topics: one waiting job serves every change made before it runs.

package import Postgres
package import struct Foundation.UUID

extension JobRepository {
    /// The session's waiting ASSIGN_TOPICS job, or a new one.
    ///
    /// The one found is locked until the caller's transaction ends, so that no worker begins it
    /// before what it is wanted for can be seen. One that somebody else holds is not waited for.
    package static func enqueueAssignment(sessionID: UUID, on transaction: Transaction)
        async throws -> Job
    {
        if let row = try await transaction.query(selectWaiting, sessionID).first {
            return try Job(row)
        }
        return try await enqueue(NewJob(sessionID: sessionID, kind: .assignTopics), on: transaction)
    }

    private static let selectWaiting = Statement(
        "job.selectWaitingAssignment",
        """
        SELECT \(columns)
        FROM carrel.jobs AS j
        WHERE j.session_id = $1 AND j.kind = 'ASSIGN_TOPICS' AND j.state = 'QUEUED'
        ORDER BY j.created_at
        LIMIT 1
        FOR UPDATE SKIP LOCKED
        """)
}
