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

    /// Numbers of all sessions whose seals do not begin with `header`, locked; those that another process
    /// has just locked are passed over.
    package static func lockOthers(
        thanHeader header: [UInt8], limit: Int, on transaction: Transaction
    ) async throws -> [SealedAccountNumber] {
        try await transaction.query(selectOtherHeader, header, limit)
            .map(SealedAccountNumber.init)
    }

    /// Puts the same number, sealed anew, in place of the old seal.
    package static func replace(
        sealed: [UInt8], sessionID: UUID, id: UUID, on transaction: Transaction
    ) async throws {
        try await transaction.execute(updateSealed, sessionID, id, sealed)
    }
}

/// A sealed number with all that its seal is bound to.
package struct SealedAccountNumber: Sendable, Equatable {
    package let sessionID: UUID
    package let id: UUID
    /// The session's owner.
    package let profileID: UUID
    package let sealed: [UInt8]
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

    private static let selectOtherHeader = Statement(
        "accountNumber.lockOthers",
        """
        SELECT n.session_id, n.id, s.profile_id, n.number_enc
        FROM carrel.account_numbers AS n
        JOIN carrel.study_sessions AS s ON s.id = n.session_id
        WHERE substring(n.number_enc FROM 1 FOR octet_length($1::bytea)) <> $1::bytea
        ORDER BY n.session_id, n.id
        LIMIT $2
        FOR UPDATE OF n SKIP LOCKED
        """)

    private static let updateSealed = Statement(
        "accountNumber.replace",
        "UPDATE carrel.account_numbers SET number_enc = $3 WHERE session_id = $1 AND id = $2")
}

extension SealedAccountNumber {
    init(_ row: Row) throws(PostgresError) {
        sessionID = try row.get(0)
        id = try row.get(1)
        profileID = try row.get(2)
        sealed = try row.get(3)
    }
}

extension AccountNumber {
    init(_ row: Row) throws(PostgresError) {
        id = try row.get(0)
        borrowerID = try row.get(1)
        kind = try row.label(2)
        lastFour = try row.get(3)
    }
}
