// What borrowers earn.

package import Postgres
package import FoundationEssentials

package enum IncomeRepository {
    /// Stores an income of a borrower.
    ///
    /// - Throws: `LibraryError.notFound` when the session has no such borrower.
    package static func create(
        sessionID: UUID, borrowerID: UUID, amount: Hundredths, period: Income.Period, year: Int,
        sourceType: String, employer: String?, on db: some Queryable
    ) async throws -> Income {
        let rows = try await db.query(
            insert, sessionID, borrowerID, amount.numeric, period.rawValue, year, sourceType,
            employer)
        guard let row = rows.first else { throw LibraryError.notFound }
        return try Income(row)
    }

    /// All of a borrower's, latest year first.
    package static func list(sessionID: UUID, borrowerID: UUID, on db: some Queryable) async throws
        -> [Income]
    {
        try await db.query(selectAll, sessionID, borrowerID).map(Income.init)
    }
}

extension IncomeRepository {
    private static let columns = "id, borrower_id, amount, period, year, source_type, employer"

    private static let insert = Statement(
        "income.insert",
        """
        INSERT INTO carrel.income_records
            (session_id, borrower_id, amount, period, year, source_type, employer)
        SELECT session_id, id, $3, $4, $5, $6, $7
        FROM carrel.borrowers
        WHERE session_id = $1 AND id = $2
        RETURNING \(columns)
        """)

    private static let selectAll = Statement(
        "income.selectAll",
        """
        SELECT \(columns)
        FROM carrel.income_records
        WHERE session_id = $1 AND borrower_id = $2
        ORDER BY year DESC, source_type, id
        """)
}

extension Income {
    init(_ row: Row) throws(PostgresError) {
        id = try row.get(0)
        borrowerID = try row.get(1)
        amount = try row.hundredths(2)
        period = try row.label(3)
        year = try row.get(4)
        sourceType = try row.get(5)
        employer = try row.get(6)
    }
}
