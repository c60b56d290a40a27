// What is asked before a switch: queries out of the session itself, and the staged vectors near them.

package import Postgres
package import FoundationEssentials

extension ReembeddingRepository {
    /// Up to `count` queries: headings of the session, and first sentences of its children, half each
    /// where there are enough headings. Ids follow from the content as if drawn at random, so the first
    /// ones are a fair sample, and the same for the same content.
    package static func sampleQueries(
        sessionID: UUID, count: Int, on db: some Queryable
    ) async throws -> [String] {
        try await db.query(selectQueries, sessionID, count).map { row in try row.get(0) }
    }

    /// The staged children nearest to a vector, nearest first, equals by id.
    package static func nearestStaged(
        to vector: [Float], limit: Int, sessionID: UUID, stageID: UUID, on db: some Queryable
    ) async throws -> [UUID] {
        try await db.query(selectNearest, sessionID, stageID, PostgresVector(vector), limit)
            .map { row in try row.get(0) }
    }
}

extension ReembeddingRepository {
    private static let selectQueries = Statement(
        "reembedding.sampleQueries",
        """
        WITH headings AS (
            SELECT s.heading AS query
            FROM carrel.sections AS s
            WHERE s.session_id = $1 AND s.heading ~ '[[:alnum:]]{3}'
            GROUP BY s.heading
            ORDER BY md5(s.heading)
            LIMIT $2 / 2
        ),
        sentences AS (
            SELECT coalesce(
                    substring(c.chunk_text FROM '^(.{20,250}?[.!?])(\\s|$)'),
                    left(c.chunk_text, 200)) AS query
            FROM (
                SELECT chunk_text
                FROM carrel.document_chunks
                WHERE session_id = $1 AND type = 'CHILD'
                ORDER BY id
                LIMIT $2
            ) AS c
        )
        SELECT query FROM headings
        UNION ALL
        (
            SELECT query
            FROM sentences
            WHERE query ~ '[[:alnum:]]{3}'
            LIMIT $2 - (SELECT count(*) FROM headings)
        )
        """)

    private static let selectNearest = Statement(
        "reembedding.selectNearest",
        """
        SELECT c.id
        FROM carrel.reembedding_vectors AS v
        JOIN carrel.document_chunks AS c ON c.session_id = v.session_id AND c.id = v.chunk_id
        WHERE v.session_id = $1 AND v.job_id = $2 AND c.type = 'CHILD'
        ORDER BY v.embedding <=> $3, c.id
        LIMIT $4
        """)
}
