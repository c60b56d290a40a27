// Which chunk a stretch of a document lies in.

package import Postgres
package import FoundationEssentials

extension ChunkRepository {
    /// The smallest chunk that holds all of a span of the document's text: a child chunk, else a
    /// parent. Nil when it crosses the borders of both.
    package static func smallest(
        around span: Range<Int>, sessionID: UUID, documentID: UUID, on db: some Queryable
    ) async throws -> UUID? {
        try await db.query(
            selectSmallest, sessionID, documentID, span.lowerBound, span.upperBound
        ).first.map { row throws(PostgresError) in try row.get(0) }
    }

    // Plan: Index Scan using document_chunks_session_id_document_id_chunk_index_idx.
    private static let selectSmallest = Statement(
        "chunk.selectSmallest",
        """
        SELECT id
        FROM carrel.document_chunks
        WHERE session_id = $1
            AND document_id = $2
            AND text_start <= $3
            AND text_end >= $4
        ORDER BY type = 'PARENT', text_end - text_start, id
        LIMIT 1
        """)
}
