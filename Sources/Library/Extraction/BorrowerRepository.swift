// Borrowers of a session.

package import Postgres
package import FoundationEssentials

package enum BorrowerRepository {
    /// Stores a borrower.
    ///
    /// `ssnHash` is the keyed hash, 64 lower hex digits; `address` a JSON object.
    package static func create(
        sessionID: UUID, name: String, ssnHash: String?, address: JSON?, confidence: Hundredths,
        on db: some Queryable
    ) async throws -> Borrower {
        let rows = try await db.query(
            insert, sessionID, name, ssnHash, address, confidence.numeric)
        guard let row = rows.first else { throw LibraryError.notFound }
        return try Borrower(row)
    }

    package static func get(sessionID: UUID, id: UUID, on db: some Queryable) async throws
        -> Borrower?
    {
        try await db.query(selectByID, sessionID, id).first.map(Borrower.init)
    }

    /// A session's borrowers, newest first, `limit` at most; given `ssnHashes`, only those with one of
    /// them.
    package static func list(
        sessionID: UUID, ssnHashes: [String]? = nil, limit: Int, after: TimeCursor? = nil,
        on db: some Queryable
    ) async throws -> [Borrower] {
        try await db.query(
            selectPage, sessionID, limit, after?.createdAt, after?.id, ssnHashes
        ).map(Borrower.init)
    }

    /// Deletes a borrower with all records of it. Returns whether there was one.
    package static func delete(sessionID: UUID, id: UUID, on db: some Queryable) async throws
        -> Bool
    {
        try await db.execute(deleteByID, sessionID, id) > 0
    }
}

extension BorrowerRepository {
    private static let columns = """
        session_id, id, name, ssn_hash IS NOT NULL, address, confidence_score, created_at
        """

    private static let insert = Statement(
        "borrower.insert",
        """
        INSERT INTO carrel.borrowers (session_id, name, ssn_hash, address, confidence_score)
        VALUES ($1, $2, $3, $4, $5)
        RETURNING \(columns)
        """)

    private static let selectByID = Statement(
        "borrower.selectByID",
        "SELECT \(columns) FROM carrel.borrowers WHERE session_id = $1 AND id = $2")

    // Plan: Index Scan Backward using borrowers_session_id_created_at_idx, or the one on ssn_hash.
    private static let selectPage = Statement(
        "borrower.selectPage",
        """
        SELECT \(columns)
        FROM carrel.borrowers
        WHERE session_id = $1
            AND ($5::text[] IS NULL OR ssn_hash = ANY ($5::text[]))
            AND (created_at, id) < (
                coalesce($3, 'infinity'::timestamptz),
                coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
            )
        ORDER BY created_at DESC, id DESC
        LIMIT $2
        """)

    private static let deleteByID = Statement(
        "borrower.delete", "DELETE FROM carrel.borrowers WHERE session_id = $1 AND id = $2")
}

extension Borrower {
    init(_ row: Row) throws(PostgresError) {
        sessionID = try row.get(0)
        id = try row.get(1)
        name = try row.get(2)
        hasSSN = try row.get(3)
        address = try row.get(4)
        confidence = try row.hundredths(5)
        createdAt = try row.get(6)
    }
}

extension Row {
    /// A `numeric` column of two decimals.
    func hundredths(_ column: Int) throws(PostgresError) -> Hundredths {
        let text = try get(column, as: Numeric.self).text
        let parts = text.split(separator: ".")
        guard parts.count == 2, parts[1].utf8.count == 2, let units = Int(parts.joined()) else {
            throw .decoding("\(text) has not two decimals")
        }
        return Hundredths(units)
    }
}
