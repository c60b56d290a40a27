// What PostgreSQL's statistics say about chunks, for choosing a plan.

package import Postgres

extension ChunkRepository {
    /// About how many chunks all sessions have together; 0 when nothing is known yet.
    package static func estimatedRows(on db: some Queryable) async throws -> Int {
        let rows: Int64 = try await db.query(selectEstimate)[0].get(0)
        return Int(max(0, rows))
    }

    /// `reltuples` is −1 until the first VACUUM or ANALYZE.
    private static let selectEstimate = Statement(
        "chunk.estimatedRows",
        """
        SELECT reltuples::bigint
        FROM pg_class
        WHERE oid = 'carrel.document_chunks'::regclass
        """)
}
