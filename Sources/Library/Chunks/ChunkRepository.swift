// Chunks: stored by COPY, listed in reading order, and fetched with what locates them.

package import Postgres
package import FoundationEssentials

package enum ChunkRepository {
    /// Stores chunks, counts them in their session and raises its revision; returns how many were
    /// new. A chunk whose id the session has already is left as it is, so that an ingestion can be
    /// run again.
    ///
    /// COPY fills a temporary table and one INSERT takes the rows over: COPY itself knows no ON
    /// CONFLICT and is refused under row-level security. Parents may come in any order, because the
    /// keys are checked when the INSERT ends.
    ///
    /// A chunk that comes without topics is related to those of its session here: whoever adds topics
    /// locks the session too, so no chunk is missed between the two.
    ///
    /// Rows carry the revision they belong to, so the session's row is locked before they are
    /// written, but after the slow part: the COPY. The documents are locked before it, because a
    /// deletion takes the two in that order.
    ///
    /// `modelID` is the model that the vectors are of, compared once nobody can change the session's.
    ///
    /// - Throws: `LibraryError.modelChanged` when it is not the session's (any more);
    ///   `PostgresError` with `check_violation` for a vector that is not of unit length,
    ///   `foreign_key_violation` for a document, section or parent the session does not have.
    @discardableResult
    package static func insert(
        _ chunks: [NewChunk], sessionID: UUID, modelID: UUID, on transaction: Transaction
    ) async throws -> Int {
        if chunks.isEmpty { return 0 }
        try await transaction.script(stage)
        try await transaction.copyIn(into: "pg_temp.staged_chunks", columns: staged) { rows in
            for chunk in chunks { try await rows.row(values: chunk.columns) }
        }
        try await transaction.execute(lockDocuments, sessionID)
        let session = try await SessionRepository.lock(id: sessionID, on: transaction)
        guard session.modelID == modelID else { throw LibraryError.modelChanged }
        let added = try await transaction.execute(insertStaged, sessionID, session.revision + 1)
        if added > 0 {
            let documents = Set(chunks.map(\.documentID)).sorted { $0.uuidString < $1.uuidString }
            try await TopicRelations.linkDocuments(
                documents, sessionID: sessionID, on: transaction)
            try await SessionRepository.bumpRevision(
                id: sessionID, addingChunks: added, on: transaction)
        }
        return added
    }

    package static func get(sessionID: UUID, id: UUID, on db: some Queryable) async throws -> Chunk?
    {
        try await db.query(selectByID, sessionID, id).first.map(Chunk.init)
    }

    /// A chunk's vector, 768 numbers, and the model it is of; nil when the chunk is not there or not
    /// embedded yet.
    package static func embedding(sessionID: UUID, id: UUID, on db: some Queryable) async throws
        -> (vector: [Float], modelID: UUID)?
    {
        guard let row = try await db.query(selectEmbedding, sessionID, id).first else { return nil }
        let vector: PostgresVector = try row.get(0)
        return (vector.values, try row.get(1))
    }

    /// Chunks in reading order, of one document or of all, after the last one seen.
    package static func list(
        sessionID: UUID, documentID: UUID? = nil, type: ChunkType? = nil, limit: Int,
        after: ChunkCursor? = nil, on db: some Queryable
    ) async throws -> [Chunk] {
        if let documentID {
            try await db.query(
                selectDocumentPage, sessionID, documentID, type?.rawValue, limit, after?.index,
                after?.id
            ).map(Chunk.init)
        } else {
            try await db.query(
                selectSessionPage, sessionID, type?.rawValue, limit, after?.documentID,
                after?.index, after?.id
            ).map(Chunk.init)
        }
    }

    /// The chunks with these ids, each with its document's name and its section's headings, in the
    /// order of `ids`; an id the session does not have is left out. One query.
    package static func hits(sessionID: UUID, ids: [UUID], on db: some Queryable) async throws
        -> [LocatedChunk]
    {
        try await db.query(selectLocated, sessionID, ids).map { row in
            LocatedChunk(
                chunk: try Chunk(row), fileName: try row.get(15), heading: try row.get(16),
                headingPath: try row.get(17))
        }
    }

    /// The children of these parents, in reading order.
    package static func children(sessionID: UUID, parentIDs: [UUID], on db: some Queryable)
        async throws -> [Chunk]
    {
        try await db.query(selectChildren, sessionID, parentIDs).map(Chunk.init)
    }
}

extension NewChunk {
    /// In the order of `ChunkRepository.staged`.
    fileprivate var columns: [(any PostgresEncodable)?] {
        [
            id, documentID, sectionID, parentID, type.rawValue, index, text, start, end, pageFrom,
            pageTo, tokenCount, embedding.map(PostgresVector.init), isGiven, topicIDs,
        ]
    }
}

extension ChunkRepository {
    private static let columns = """
        c.session_id, c.id, c.document_id, c.section_id, c.parent_chunk_id, c.type,
        c.chunk_index, c.chunk_text, c.text_start, c.text_end, c.page_from, c.page_to,
        c.token_count, c.related_topic_ids, c.created_at
        """

    private static let staged = [
        "id", "document_id", "section_id", "parent_chunk_id", "type", "chunk_index", "chunk_text",
        "text_start", "text_end", "page_from", "page_to", "token_count", "embedding",
        "is_given", "related_topic_ids",
    ]

    /// Made once per connection and emptied before each use; by whoever came first, for every role the
    /// connection may be used in. Commits empty it, so there is rarely anything to delete; TRUNCATE would
    /// have every statement that names it planned anew.
    private static let stage = """
        DO $$ BEGIN
            IF to_regclass('pg_temp.staged_chunks') IS NULL THEN
                CREATE TEMPORARY TABLE staged_chunks (
                    id uuid,
                    document_id uuid,
                    section_id uuid,
                    parent_chunk_id uuid,
                    type carrel.chunk_type,
                    chunk_index integer,
                    chunk_text text,
                    text_start integer,
                    text_end integer,
                    page_from integer,
                    page_to integer,
                    token_count integer,
                    embedding vector,
                    is_given boolean,
                    related_topic_ids uuid[]
                ) ON COMMIT DELETE ROWS;
                GRANT ALL ON pg_temp.staged_chunks TO PUBLIC;
            END IF;
        END $$;
        DELETE FROM pg_temp.staged_chunks;
        """

    private static let lockDocuments = Statement(
        "chunk.lockDocuments",
        """
        SELECT d.id
        FROM carrel.documents AS d
        WHERE d.session_id = $1
            AND d.id IN (SELECT document_id FROM pg_temp.staged_chunks)
        ORDER BY d.id
        FOR KEY SHARE
        """)

    private static let insertStaged = Statement(
        "chunk.insertStaged",
        """
        INSERT INTO carrel.document_chunks
            (session_id, revision, \(staged.joined(separator: ", ")))
        SELECT $1, $2, \(staged.dropLast().map { "c." + $0 }.joined(separator: ", ")),
            CASE
                WHEN cardinality(c.related_topic_ids) > 0 THEN c.related_topic_ids
                ELSE \(TopicRelations.topics(of: "c.embedding"))
            END
        FROM pg_temp.staged_chunks AS c
        ON CONFLICT (session_id, id) DO NOTHING
        """)

    private static let selectByID = Statement(
        "chunk.selectByID",
        "SELECT \(columns) FROM carrel.document_chunks AS c WHERE c.session_id = $1 AND c.id = $2")

    private static let selectEmbedding = Statement(
        "chunk.selectEmbedding",
        """
        SELECT c.embedding, s.embedding_model_id
        FROM carrel.document_chunks AS c
        JOIN carrel.study_sessions AS s ON s.id = c.session_id
        WHERE c.session_id = $1 AND c.id = $2 AND c.embedding IS NOT NULL
        """)

    // Plan: Index Scan using document_chunks_session_id_document_id_chunk_index_idx, from the
    // cursor on; Incremental Sort settles parents and children of one index.
    package static let selectDocumentPage = Statement(
        "chunk.selectDocumentPage",
        """
        SELECT \(columns)
        FROM carrel.document_chunks AS c
        WHERE c.session_id = $1
            AND c.document_id = $2
            AND ($3::carrel.chunk_type IS NULL OR c.type = $3)
            AND (c.chunk_index, c.id) > (
                coalesce($5, -1),
                coalesce($6, '00000000-0000-0000-0000-000000000000'::uuid)
            )
        ORDER BY c.chunk_index, c.id
        LIMIT $4
        """)

    // Plan: the same index, over all documents.
    package static let selectSessionPage = Statement(
        "chunk.selectSessionPage",
        """
        SELECT \(columns)
        FROM carrel.document_chunks AS c
        WHERE c.session_id = $1
            AND ($2::carrel.chunk_type IS NULL OR c.type = $2)
            AND (c.document_id, c.chunk_index, c.id) > (
                coalesce($4, '00000000-0000-0000-0000-000000000000'::uuid),
                coalesce($5, -1),
                coalesce($6, '00000000-0000-0000-0000-000000000000'::uuid)
            )
        ORDER BY c.document_id, c.chunk_index, c.id
        LIMIT $3
        """)

    // Plan: nested loops from the ids into document_chunks_pkey, sections_pkey and documents_pkey;
    // no table is read through.
    package static let selectLocated = Statement(
        "chunk.selectLocated",
        """
        SELECT \(columns), d.file_name, s.heading, s.heading_path
        FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (id, place)
        JOIN carrel.document_chunks AS c ON c.session_id = $1 AND c.id = wanted.id
        JOIN carrel.sections AS s ON s.session_id = $1 AND s.id = c.section_id
        JOIN carrel.documents AS d ON d.session_id = $1 AND d.id = c.document_id
        ORDER BY wanted.place
        """)

    // Plan: Index Scan (or Bitmap Index Scan) using document_chunks_session_id_parent_chunk_id_idx.
    package static let selectChildren = Statement(
        "chunk.selectChildren",
        """
        SELECT \(columns)
        FROM carrel.document_chunks AS c
        WHERE c.session_id = $1 AND c.parent_chunk_id = ANY($2)
        ORDER BY c.document_id, c.chunk_index, c.id
        """)
}
