// What ingestion asks of jobs besides the queue: those of one document, and facts kept beside them.

package import Postgres
package import struct Foundation.UUID

extension JobRepository {
    /// Ends every job of a document that waits or runs, and locks them; returns their ids.
    package static func cancelOpen(
        sessionID: UUID, documentID: UUID, on db: some Queryable
    ) async throws -> [UUID] {
        try await db.query(cancelDocument, sessionID, documentID).map { row in try row.get(0) }
    }

    /// Whether a job of the document waits or runs.
    package static func hasOpen(
        sessionID: UUID, documentID: UUID, on db: some Queryable
    ) async throws -> Bool {
        try await db.query(selectOpen, sessionID, documentID).first != nil
    }

    /// Keeps a fact (JSON text) in a job's payload under a name, in place of the one before.
    package static func record(
        id: UUID, payload: String, under name: String, on db: some Queryable
    ) async throws {
        try await db.execute(setPayload, id, name, payload)
    }

    private static let cancelDocument = Statement(
        "job.cancelDocument",
        """
        WITH ended AS (
            UPDATE carrel.jobs
            SET state = 'CANCELLED',
                lease_owner = NULL,
                lease_expires_at = NULL,
                finished_at = clock_timestamp()
            WHERE session_id = $1 AND document_id = $2 AND state IN ('QUEUED', 'RUNNING')
            RETURNING id
        )
        SELECT id, pg_notify('carrel_job', id::text)::text
        FROM ended
        """)

    private static let selectOpen = Statement(
        "job.selectOpen",
        """
        SELECT id
        FROM carrel.jobs
        WHERE session_id = $1 AND document_id = $2 AND state IN ('QUEUED', 'RUNNING')
        LIMIT 1
        """)

    private static let setPayload = Statement(
        "job.setPayload",
        """
        UPDATE carrel.jobs
        SET payload = jsonb_set(payload, ARRAY[$2::text], $3::text::jsonb)
        WHERE id = $1
        """)
}
