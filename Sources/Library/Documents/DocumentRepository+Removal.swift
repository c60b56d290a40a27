// A document that goes, and what is remembered of it for caches.

package import Postgres
package import FoundationEssentials

extension DocumentRepository {
    /// Deletes a document with its pages, sections and chunks, and gives its bytes back to the account;
    /// returns it, so that its object can be deleted too, or nil when it was not there.
    ///
    /// The row is locked first: nobody can add chunks to it between counting and deleting. Then the
    /// session's, as everywhere before the quota's: two that lock both never wait for each other. That it
    /// is gone is noted with the revision, for caches that hold its chunks; notes of more than a week ago are
    /// thrown away, and a cache that was away for so long reads the session in whole.
    package static func delete(sessionID: UUID, id: UUID, on transaction: Transaction) async throws
        -> Document?
    {
        guard let row = try await transaction.query(selectForUpdate, sessionID, id).first else {
            return nil
        }
        _ = try await SessionRepository.nextRevision(id: sessionID, on: transaction)
        let chunks: Int = try await transaction.query(countAndDelete, sessionID, id)[0].get(0)
        if chunks > 0 {
            let revision = try await SessionRepository.bumpRevision(
                id: sessionID, addingChunks: -chunks, on: transaction)
            try await transaction.execute(noteRemoval, sessionID, revision, id)
            try await transaction.execute(pruneRemovals, sessionID)
        }
        let document = try Document(row)
        try await QuotaRepository.giveBack(
            document.fileSizeBytes, sessionID: sessionID, on: transaction)
        return document
    }

    private static let selectForUpdate = Statement(
        "document.selectForUpdate",
        "SELECT \(columns) FROM carrel.documents WHERE session_id = $1 AND id = $2 FOR UPDATE")

    private static let countAndDelete = Statement(
        "document.delete",
        """
        WITH gone AS (
            DELETE FROM carrel.documents
            WHERE session_id = $1 AND id = $2
        )
        SELECT count(*)
        FROM carrel.document_chunks
        WHERE session_id = $1 AND document_id = $2
        """)

    private static let noteRemoval = Statement(
        "document.noteRemoval",
        """
        INSERT INTO carrel.removed_documents (session_id, revision, document_id)
        VALUES ($1, $2, $3)
        """)

    /// The session's row is locked by then, so nobody notes a removal meanwhile.
    private static let pruneRemovals = Statement(
        "document.pruneRemovals",
        """
        WITH old AS (
            DELETE FROM carrel.removed_documents
            WHERE session_id = $1 AND removed_at < now() - interval '7 days'
            RETURNING revision
        )
        UPDATE carrel.study_sessions
        SET removals_after = (SELECT max(revision) FROM old)
        WHERE id = $1 AND EXISTS (SELECT FROM old)
        """)
}
