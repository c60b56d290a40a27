// A session's plan while it is made: the draft, and the status that says how far it is.

package import Postgres
package import struct Foundation.UUID

extension SessionRepository {
    /// Status and draft of a session, whose row is locked from here on.
    ///
    /// - Throws: `LibraryError.notFound` when the session is gone.
    package static func planState(id: UUID, on transaction: Transaction) async throws
        -> (status: SessionStatus, draft: String?)
    {
        guard let row = try await transaction.query(lockPlan, id).first else {
            throw LibraryError.notFound
        }
        return (try row.label(0), try row.get(1))
    }

    /// Keeps a draft (JSON text) in place of the one before.
    package static func setDraft(_ draft: String, id: UUID, on transaction: Transaction)
        async throws
    {
        try await transaction.execute(updateDraft, id, draft)
    }

    /// Moves a session on for its plan; the database refuses what is no accepted move.
    package static func move(id: UUID, to status: SessionStatus, on transaction: Transaction)
        async throws
    {
        try await transaction.execute(updatePlanStatus, id, status.rawValue)
    }

    private static let lockPlan = Statement(
        "session.lockPlan",
        """
        SELECT status, draft_plan::text
        FROM carrel.study_sessions
        WHERE id = $1
        FOR NO KEY UPDATE
        """)

    private static let updateDraft = Statement(
        "session.setDraft",
        """
        UPDATE carrel.study_sessions
        SET draft_plan = $2::text::jsonb, updated_at = now()
        WHERE id = $1
        """)

    private static let updatePlanStatus = Statement(
        "session.move",
        "UPDATE carrel.study_sessions SET status = $2, updated_at = now() WHERE id = $1")
}
