// Chunks for a cache: whole sessions at once, so by COPY, row by row, without a value in between
// for text and vector.

package import Postgres
package import FoundationEssentials

/// One chunk of a COPY. Good only inside the closure that is given it.
package struct ChangedChunk {
    package let id: UUID
    package let documentID: UUID
    package let sectionID: UUID
    /// Nil for parents, and only for them.
    package let parentID: UUID?
    package let span: Range<Int>
    package let pages: ClosedRange<Int>
    package let tokenCount: Int
    package let topicIDs: [UUID]
    package let createdAt: Date
    private let row: CopyRow

    package var isEmbedded: Bool { !row.isNull(Self.embedding) }

    /// Appends the text's UTF-8.
    package func appendText(to bytes: inout [UInt8]) throws(PostgresError) {
        try row.appendText(Self.text, to: &bytes)
    }

    /// Appends the 768 elements of the vector.
    ///
    /// - Precondition: `isEmbedded`.
    package func appendVector(to elements: inout [Float]) throws(PostgresError) {
        try row.appendVector(Self.embedding, to: &elements)
    }

    private static let text = 11
    private static let embedding = 12

    fileprivate init(_ row: CopyRow) throws(PostgresError) {
        self.row = row
        id = try row.get(0)
        documentID = try row.get(1)
        sectionID = try row.get(2)
        parentID = try row.get(3)
        let (start, end): (Int, Int) = (try row.get(4), try row.get(5))
        span = start..<end
        let (first, last): (Int, Int) = (try row.get(6), try row.get(7))
        pages = first...last
        tokenCount = try row.get(8)
        topicIDs = try row.get(9)
        createdAt = try row.get(10)
    }
}

extension ChunkRepository {
    /// Reads a session's chunks that were written after a revision, or all, in no order.
    ///
    /// In the transaction of `SessionRepository.changes`. When `each` throws the connection is
    /// closed, because the rest of the stream is not read.
    @discardableResult
    package static func changed(
        in session: UUID, after revision: Int64?, on transaction: Transaction,
        _ each: (ChangedChunk) throws -> Void
    ) async throws -> Int {
        try await transaction.copyOut(selectChanged(session, revision)) { row in
            try each(try ChangedChunk(row))
        }
    }

    // Plan: Index Scan using document_chunks_session_id_revision_idx when there is a revision, and the order
    // leaves the planner no other (`SessionRepository.selectChangedPlaces` says why).
    //
    // COPY takes no parameters; a UUID and a number can be written into the text without harm.
    package static func selectChanged(_ session: UUID, _ revision: Int64?) -> String {
        let later = revision.map { " AND revision > \($0) ORDER BY revision" }
        return """
            SELECT id, document_id, section_id, parent_chunk_id, text_start, text_end, page_from,
                page_to, token_count, related_topic_ids, created_at, chunk_text, embedding
            FROM carrel.document_chunks
            WHERE session_id = '\(session.uuidString)'\(later ?? "")
            """
    }
}
