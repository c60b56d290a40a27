// Candidates for an answer: ids and vectors, for the scorer that settles the order.
//
// Two ways to the same kind of row. The exact one computes every distance of the session: 2 ms at
// 1,000 rows, and right by construction. The other walks the HNSW index, which spans all sessions,
// until enough rows have passed the WHERE clause, and computes the distances of the rows that are
// not in it yet. Both name the session and apply the filter before the limit.

package import Postgres
package import FoundationEssentials

/// Rows to be scored: `vectors` holds `ids.count` × `dimension` numbers, row-major.
package struct Candidates: Sendable {
    package static let dimension = 768

    package private(set) var ids: [UUID] = []
    package private(set) var vectors: [Float] = []

    package var count: Int { ids.count }

    package init() {}

    fileprivate init(_ rows: Rows) throws(PostgresError) {
        ids.reserveCapacity(rows.count)
        vectors.reserveCapacity(rows.count * Self.dimension)
        for row in rows {
            ids.append(try row.get(0))
            try row.appendVector(1, to: &vectors)
        }
    }
}

extension ChunkRepository {
    /// The `limit` nearest rows by cosine distance, every row of the session compared, ties by id.
    package static func candidatesExact(
        sessionID: UUID, vector: [Float], limit: Int, filter: SearchFilter = SearchFilter(),
        on db: some Queryable
    ) async throws -> Candidates {
        let rows = try await db.query(
            selectExact,
            parameters: [sessionID, PostgresVector(vector), limit] + filter.parameters)
        return try Candidates(rows)
    }

    /// About the `limit` nearest rows, by the HNSW index with iterative scan in strict order; rows
    /// that are not in the graph yet are compared one by one.
    ///
    /// `efSearch` is the breadth of the walk, 1 to 1,000; at least `limit` is sensible.
    package static func candidatesHNSW(
        sessionID: UUID, vector: [Float], limit: Int, efSearch: Int,
        filter: SearchFilter = SearchFilter(), on transaction: Transaction
    ) async throws -> Candidates {
        try await transaction.query(setUpHNSW, String(efSearch))
        let rows = try await transaction.query(
            selectHNSW,
            parameters: [sessionID, PostgresVector(vector), limit] + filter.parameters)
        return try Candidates(rows)
    }

    /// How many embedded rows a search with this filter looks at.
    package static func countMatching(
        sessionID: UUID, filter: SearchFilter = SearchFilter(), on db: some Queryable
    ) async throws -> Int {
        try await db.query(countRows, parameters: [sessionID] + filter.parameters)[0].get(0)
    }
}

extension SearchFilter {
    /// In the order of `ChunkRepository.condition(from:)`.
    fileprivate var parameters: [(any PostgresEncodable)?] {
        [
            documents, topics, pages?.lowerBound, pages?.upperBound,
            types.map(\.rawValue).sorted(), createdFrom, createdBefore,
        ]
    }
}

extension ChunkRepository {
    /// The filter as a WHERE clause whose seven parameters start at `$first`. A parameter that is
    /// NULL takes its condition out when the statement is planned.
    private static func condition(from first: Int, of table: String = "") -> String {
        """
        \(table)session_id = $1
            AND \(table)embedding IS NOT NULL
            AND ($\(first)::uuid[] IS NULL OR \(table)document_id = ANY($\(first)))
            AND ($\(first + 1)::uuid[] IS NULL OR \(table)related_topic_ids && $\(first + 1))
            AND ($\(first + 2)::int IS NULL OR \(table)page_to >= $\(first + 2))
            AND ($\(first + 3)::int IS NULL OR \(table)page_from <= $\(first + 3))
            AND \(table)type = ANY($\(first + 4)::carrel.chunk_type[])
            AND ($\(first + 5)::timestamptz IS NULL OR \(table)created_at >= $\(first + 5))
            AND ($\(first + 6)::timestamptz IS NULL OR \(table)created_at < $\(first + 6))
        """
    }

    // Plan: the rows of a session that is a small part of the table by an index that begins with
    // session_id (of one that is not, a sequential scan), then a top-N sort. Adding
    // zero makes the distance an expression the HNSW index does not know; else the planner may
    // take that index and lose rows.
    package static let selectExact = Statement(
        "chunk.candidatesExact",
        """
        SELECT id, embedding
        FROM carrel.document_chunks
        WHERE \(condition(from: 4))
        ORDER BY (embedding <=> $2) + 0, id
        LIMIT $3
        """)

    // Plan: Index Scan using chunk_graph_embedding_idx, ordered by distance, and for each row it
    // brings up document_chunks_pkey; document_chunks_session_id_revision_idx for the later rows.
    package static let selectHNSW = Statement(
        "chunk.candidatesHNSW",
        """
        WITH walked AS MATERIALIZED (
            SELECT c.id, c.embedding
            FROM carrel.chunk_graph AS g
            JOIN carrel.document_chunks AS c ON c.session_id = g.session_id AND c.id = g.chunk_id
            WHERE g.session_id = $1
                AND \(condition(from: 4, of: "c."))
            ORDER BY g.embedding <=> $2::vector::halfvec(768)
            LIMIT $3
        ),
        later AS MATERIALIZED (
            SELECT id, embedding
            FROM carrel.document_chunks
            WHERE \(condition(from: 4))
                AND revision > (SELECT graph_revision FROM carrel.study_sessions WHERE id = $1)
            ORDER BY (embedding <=> $2) + 0, id
            LIMIT $3
        )
        SELECT id, embedding
        FROM (
            SELECT id, embedding FROM walked
            UNION ALL
            SELECT id, embedding FROM later WHERE id NOT IN (SELECT id FROM walked)
        ) AS found
        ORDER BY (embedding <=> $2) + 0, id
        LIMIT $3
        """)

    /// For this transaction only. A sort is ruled out because the planner prices a walk over the
    /// index as if every row passed the WHERE clause, or none: whichever it guesses, this statement
    /// was called to use the index. A join that is not nested would read a whole table first.
    package static let setUpHNSW = Statement(
        "chunk.setUpHNSW",
        """
        SELECT set_config('hnsw.iterative_scan', 'strict_order', true),
            set_config('hnsw.ef_search', $1, true),
            set_config('enable_sort', 'off', true),
            set_config('enable_hashjoin', 'off', true),
            set_config('enable_mergejoin', 'off', true)
        """)

    private static let countRows = Statement(
        "chunk.countMatching",
        """
        SELECT count(*)
        FROM carrel.document_chunks
        WHERE \(condition(from: 2))
        """)
}
