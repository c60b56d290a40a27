// Documents of a session, from upload to text.

package import Postgres
package import FoundationEssentials

package enum DocumentRepository {
    /// Stores a document's row and counts its bytes; the account's quota stays locked until the
    /// transaction ends.
    ///
    /// The duplicate is found without failing the caller's transaction.
    ///
    /// - Throws: `LibraryError.duplicateDocument` when the session holds the same bytes already;
    ///   `LibraryError.quotaExceeded`, after which the transaction must not be committed.
    package static func create(_ document: NewDocument, on db: Transaction) async throws
        -> Document
    {
        let rows = try await db.query(
            insert, document.sessionID, document.id, document.fileName, document.filePath,
            document.fileDescription, document.fileHash, document.fileType,
            document.fileSizeBytes, document.sourceURI, document.status.rawValue)
        if let row = rows.first {
            try await QuotaRepository.take(
                document.fileSizeBytes, sessionID: document.sessionID, on: db)
            return try Document(row)
        }
        guard
            let existing = try await getByHash(
                sessionID: document.sessionID, hash: document.fileHash, on: db)
        else {
            throw LibraryError.conflict("the same file was being stored and removed meanwhile")
        }
        throw LibraryError.duplicateDocument(existing: existing.id)
    }

    package static func getById(sessionID: UUID, id: UUID, on db: some Queryable) async throws
        -> Document?
    {
        try await db.query(selectByID, sessionID, id).first.map(Document.init)
    }

    package static func getByHash(sessionID: UUID, hash: String, on db: some Queryable)
        async throws -> Document?
    {
        try await db.query(selectByHash, sessionID, hash).first.map(Document.init)
    }

    /// Moves a document on. COMPLETED dates it; every other status takes the date away again, and
    /// the error message is what is given, so a retry clears it. `pageCount` nil keeps the count.
    /// `addingBytes` makes it larger, and is the caller's to count (`QuotaRepository.take`).
    ///
    /// - Throws: `LibraryError.notFound`.
    @discardableResult
    package static func updateStatus(
        sessionID: UUID, id: UUID, status: ProcessingStatus, errorMessage: String? = nil,
        pageCount: Int? = nil, addingBytes: Int64 = 0, on db: some Queryable
    ) async throws -> Document {
        let rows = try await db.query(
            update, sessionID, id, status.rawValue, errorMessage, pageCount, addingBytes)
        guard let row = rows.first else { throw LibraryError.notFound }
        return try Document(row)
    }

    /// Keeps what was read out of the file; its length is counted by the database.
    ///
    /// - Throws: `LibraryError.notFound`.
    package static func setContent(
        sessionID: UUID, id: UUID, text: String, fileType: String, pageCount: Int,
        on db: some Queryable
    ) async throws {
        let count = try await db.execute(updateContent, sessionID, id, text, fileType, pageCount)
        if count == 0 { throw LibraryError.notFound }
    }

    /// Newest first, by number.
    package static func listDocuments(
        sessionID: UUID, limit: Int, offset: Int, on db: some Queryable
    ) async throws -> [Document] {
        try await db.query(selectByOffset, sessionID, limit, offset).map(Document.init)
    }

    /// Newest first, after the last one seen.
    package static func listDocuments(
        sessionID: UUID, limit: Int, after: TimeCursor? = nil, on db: some Queryable
    ) async throws -> [Document] {
        try await db.query(selectPage, sessionID, limit, after?.createdAt, after?.id)
            .map(Document.init)
    }

    /// The same of these documents only.
    package static func listDocuments(
        sessionID: UUID, among ids: [UUID], limit: Int, after: TimeCursor? = nil,
        on db: some Queryable
    ) async throws -> [Document] {
        try await db.query(selectAmong, sessionID, limit, after?.createdAt, after?.id, ids)
            .map(Document.init)
    }

    /// What waits to be processed, in all sessions, oldest first.
    package static func listPending(limit: Int, on db: some Queryable) async throws -> [Document] {
        try await db.query(selectPending, limit).map(Document.init)
    }

    /// Puts a document into a folder of its session; nil is the root. Nil when it was not there.
    ///
    /// - Throws: a `PostgresError` with SQLSTATE `foreign_key_violation` when there is no such folder.
    package static func move(
        sessionID: UUID, id: UUID, to folderID: UUID?, on db: some Queryable
    ) async throws -> Document? {
        try await db.query(updateFolder, sessionID, id, folderID).first.map(Document.init)
    }

    /// The text between two offsets, clamped to what there is; `end` nil reads to the end. The
    /// text of imported chunks is their sections' contents, joined by an empty line. Nil when the
    /// document is not there; empty before its text is extracted.
    ///
    /// - Complexity: PostgreSQL unpacks the whole text, whatever the stretch.
    package static func text(
        sessionID: UUID, id: UUID, start: Int = 0, end: Int? = nil, on db: some Queryable
    ) async throws -> DocumentText? {
        guard let row = try await db.query(selectText, sessionID, id, start, end).first else {
            return nil
        }
        return DocumentText(
            text: try row.get(0), start: try row.get(1), end: try row.get(2),
            length: try row.get(3))
    }
}

extension DocumentRepository {
    static let columns = """
        session_id, id, file_name, file_path, file_description, file_hash, file_type,
        file_size_bytes, source_uri, content_length, page_count, processing_status,
        error_message, created_at, processed_at, folder_id
        """

    private static let insert = Statement(
        "document.insert",
        """
        INSERT INTO carrel.documents
            (session_id, id, file_name, file_path, file_description, file_hash, file_type,
             file_size_bytes, source_uri, processing_status, processed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::carrel.processing_status,
            CASE WHEN $10 = 'COMPLETED'::carrel.processing_status THEN now() END)
        ON CONFLICT (session_id, file_hash) DO NOTHING
        RETURNING \(columns)
        """)

    private static let selectByID = Statement(
        "document.selectByID",
        "SELECT \(columns) FROM carrel.documents WHERE session_id = $1 AND id = $2")

    private static let selectByHash = Statement(
        "document.selectByHash",
        "SELECT \(columns) FROM carrel.documents WHERE session_id = $1 AND file_hash = $2")

    private static let update = Statement(
        "document.updateStatus",
        """
        UPDATE carrel.documents
        SET processing_status = $3::carrel.processing_status,
            error_message = $4,
            page_count = coalesce($5, page_count),
            file_size_bytes = file_size_bytes + $6,
            processed_at = CASE WHEN $3 = 'COMPLETED'::carrel.processing_status THEN now() END
        WHERE session_id = $1 AND id = $2
        RETURNING \(columns)
        """)

    private static let updateFolder = Statement(
        "document.move",
        """
        UPDATE carrel.documents
        SET folder_id = $3
        WHERE session_id = $1 AND id = $2
        RETURNING \(columns)
        """)

    private static let updateContent = Statement(
        "document.setContent",
        """
        UPDATE carrel.documents
        SET content_text = $3,
            content_length = char_length($3),
            file_type = $4,
            page_count = $5
        WHERE session_id = $1 AND id = $2
        """)

    private static let selectByOffset = Statement(
        "document.selectByOffset",
        """
        SELECT \(columns)
        FROM carrel.documents
        WHERE session_id = $1
        ORDER BY created_at DESC, id DESC
        LIMIT $2 OFFSET $3
        """)

    // Plan: Index Scan Backward using documents_session_id_created_at_idx, its condition the
    // session and the cursor's time; Incremental Sort settles rows of one instant.
    package static let selectPage = Statement(
        "document.selectPage",
        """
        SELECT \(columns)
        FROM carrel.documents
        WHERE session_id = $1
            AND (created_at, id) < (
                coalesce($3, 'infinity'::timestamptz),
                coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
            )
        ORDER BY created_at DESC, id DESC
        LIMIT $2
        """)

    private static let selectAmong = Statement(
        "document.selectAmong",
        """
        SELECT \(columns)
        FROM carrel.documents
        WHERE session_id = $1
            AND id = ANY($5)
            AND (created_at, id) < (
                coalesce($3, 'infinity'::timestamptz),
                coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
            )
        ORDER BY created_at DESC, id DESC
        LIMIT $2
        """)

    // Plan: Index Scan using documents_pending_idx; completed documents are not in it.
    package static let selectPending = Statement(
        "document.selectPending",
        """
        SELECT \(columns)
        FROM carrel.documents
        WHERE processing_status = 'PENDING'
        ORDER BY created_at, id
        LIMIT $1
        """)

    /// `substring` counts characters from 1, and in a UTF-8 database a character is a scalar.
    private static let selectText = Statement(
        "document.selectText",
        """
        SELECT substring(text FROM first + 1 FOR last - first), first, last, length
        FROM (
            SELECT text, length,
                least(greatest($3::bigint, 0), length)::int AS first,
                greatest(
                    least(greatest($3::bigint, 0), length),
                    least(coalesce($4::bigint, length), length)
                )::int AS last
            FROM (
                SELECT whole.text, char_length(whole.text) AS length
                FROM carrel.documents AS d
                CROSS JOIN LATERAL (
                    SELECT coalesce(
                        d.content_text,
                        (
                            SELECT string_agg(
                                s.content, E'\\n\\n' ORDER BY p.page_number, s.section_index)
                            FROM carrel.pages AS p
                            JOIN carrel.sections AS s
                                ON s.session_id = p.session_id AND s.page_id = p.id
                            WHERE p.session_id = d.session_id AND p.document_id = d.id
                        ),
                        ''
                    ) AS text
                ) AS whole
                WHERE d.session_id = $1 AND d.id = $2
            ) AS measured
        ) AS clamped
        """)
}
