// The places that prove what was read. Whether the snippet stands there is the caller's to find out.

package import Postgres
package import FoundationEssentials

package enum SourceReferenceRepository {
    /// Stores a reference; `chunkID` is the chunk around it (`ChunkRepository.smallest`).
    ///
    /// - Throws: `LibraryError.notFound` when the session has no such borrower or document.
    package static func create(
        sessionID: UUID, borrowerID: UUID, documentID: UUID, page: Int, section: String?,
        snippet: String, span: Range<Int>, chunkID: UUID?, on db: some Queryable
    ) async throws -> SourceReference {
        let rows = try await db.query(
            insert, sessionID, borrowerID, documentID, page, section, snippet, span.lowerBound,
            span.upperBound, chunkID)
        guard let row = rows.first else { throw LibraryError.notFound }
        return try SourceReference(row)
    }

    package static func get(sessionID: UUID, id: UUID, on db: some Queryable) async throws
        -> SourceReference?
    {
        try await db.query(selectByID, sessionID, id).first.map(SourceReference.init)
    }

    /// All of a borrower's, in the order of the documents' names and texts.
    package static func list(sessionID: UUID, borrowerID: UUID, on db: some Queryable) async throws
        -> [SourceReference]
    {
        try await db.query(selectAll, sessionID, borrowerID).map(SourceReference.init)
    }
}

extension SourceReferenceRepository {
    private static let columns = """
        r.id, r.borrower_id, r.document_id, d.file_name, d.file_hash, r.page_number, r.section,
        r.snippet, r.text_start, r.text_end, r.chunk_id
        """

    private static let insert = Statement(
        "sourceReference.insert",
        """
        WITH r AS (
            INSERT INTO carrel.source_references
                (session_id, borrower_id, document_id, page_number, section, snippet,
                 text_start, text_end, chunk_id)
            SELECT session_id, id, $3, $4, $5, $6, $7, $8, $9
            FROM carrel.borrowers
            WHERE session_id = $1 AND id = $2
            RETURNING *
        )
        SELECT \(columns)
        FROM r
        JOIN carrel.documents AS d ON d.session_id = r.session_id AND d.id = r.document_id
        """)

    private static let selectByID = Statement(
        "sourceReference.selectByID",
        """
        SELECT \(columns)
        FROM carrel.source_references AS r
        JOIN carrel.documents AS d ON d.session_id = r.session_id AND d.id = r.document_id
        WHERE r.session_id = $1 AND r.id = $2
        """)

    private static let selectAll = Statement(
        "sourceReference.selectAll",
        """
        SELECT \(columns)
        FROM carrel.source_references AS r
        JOIN carrel.documents AS d ON d.session_id = r.session_id AND d.id = r.document_id
        WHERE r.session_id = $1 AND r.borrower_id = $2
        ORDER BY d.file_name, r.document_id, r.text_start, r.id
        """)
}

extension SourceReference {
    init(_ row: Row) throws(PostgresError) {
        id = try row.get(0)
        borrowerID = try row.get(1)
        documentID = try row.get(2)
        fileName = try row.get(3)
        fileHash = try row.get(4)
        page = try row.get(5)
        section = try row.get(6)
        snippet = try row.get(7)
        let (start, end): (Int, Int) = (try row.get(8), try row.get(9))
        span = start..<end
        chunkID = try row.get(10)
    }
}
