// Of several versions of a file, the one that counts.

package import Postgres
package import FoundationEssentials

extension DocumentRepository {
    /// The newest document of this name that can be read; names are not unique, files are.
    package static func latest(sessionID: UUID, fileName: String, on db: some Queryable)
        async throws -> Document?
    {
        try await db.query(selectLatest, sessionID, fileName).first.map(Document.init)
    }

    private static let selectLatest = Statement(
        "document.selectLatest",
        """
        SELECT \(columns)
        FROM carrel.documents
        WHERE session_id = $1 AND file_name = $2 AND processing_status = 'COMPLETED'
        ORDER BY created_at DESC, id DESC
        LIMIT 1
        """)
}
