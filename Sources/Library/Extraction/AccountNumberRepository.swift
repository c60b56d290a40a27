// Account numbers of borrowers, sealed.

package import Postgres
package import FoundationEssentials

package enum AccountNumberRepository {
    /// Stores a sealed number. The id is the caller's: the seal holds only in the row it was made for.
    ///
    /// - Throws: `LibraryError.notFound` when the session has no such borrower.
    package static func create(
        sessionID: UUID, id: UUID, borrowerID: UUID, sealed: [UInt8], lastFour: String,
        kind: AccountNumber.Kind, on db: some Queryable
    ) async throws -> AccountNumber {
        let rows = try await db.query(
            insert, sessionID, id, borrowerID, sealed, lastFour, kind.rawValue)
        guard let row = rows.first else { throw LibraryError.notFound }
        return try AccountNumber(row)
    }

    /// All of a borrower's, by kind and end.
    package static func list(sessionID: UUID, borrowerID: UUID, on db: some Queryable) async throws
        -> [AccountNumber]
    {
        try await db.query(selectAll, sessionID, borrowerID).map(AccountNumber.init)
    }
}

extension AccountNumberRepository {
    private static let columns = "id, borrower_id, account_type, number_last4"

    private static let insert = Statement(
        "accountNumber.insert",
        """
        INSERT INTO carrel.account_numbers
            (session_id, id, borrower_id, number_enc, number_last4, account_type)
        SELECT session_id, $2, id, $4, $5, $6
        FROM carrel.borrowers
        WHERE session_id = $1 AND id = $3
        RETURNING \(columns)
        """)

    private static let selectAll = Statement(
        "accountNumber.selectAll",
        """
        SELECT \(columns)
        FROM carrel.account_numbers
        WHERE session_id = $1 AND borrower_id = $2
        ORDER BY account_type, number_last4, id
        """)
}

extension AccountNumber {
    init(_ row: Row) throws(PostgresError) {
        id = try row.get(0)
        borrowerID = try row.get(1)
        kind = try row.label(2)
        lastFour = try row.get(3)
    }
}
