// Accounts as those see them who look after the server.

package import Postgres
package import FoundationEssentials

extension ProfileRepository {
    /// Accounts, oldest first, `limit` at most; `after` is the last one seen.
    package static func list(
        limit: Int, after: TimeCursor? = nil, on db: some Queryable
    ) async throws -> [Profile] {
        try await db.query(selectPage, limit, after?.createdAt, after?.id).map(Profile.init)
    }

    /// Lets an account in, or shuts it out.
    ///
    /// - Throws: `LibraryError.notFound`; `LibraryError.conflict` when it is the last administrator.
    package static func setActive(
        _ isActive: Bool, id: UUID, on transaction: Transaction
    ) async throws -> Profile {
        if !isActive { try await keepAnAdministrator(besides: id, on: transaction) }
        return try await changed(transaction.query(updateActive, id, isActive))
    }

    /// - Throws: `LibraryError.notFound`; `LibraryError.conflict` when it is the last administrator.
    package static func setRole(
        _ role: AccountRole, id: UUID, on transaction: Transaction
    ) async throws -> Profile {
        if role != .admin { try await keepAnAdministrator(besides: id, on: transaction) }
        return try await changed(transaction.query(updateRole, id, role.rawValue))
    }

    /// Lets codes of an account be looked at again after too many wrong ones.
    package static func unlockTotp(id: UUID, on db: some Queryable) async throws -> Profile {
        try changed(try await db.query(clearTotpFailures, id))
    }

    private static func changed(_ rows: Rows) throws -> Profile {
        guard let row = rows.first else { throw LibraryError.notFound }
        return try Profile(row)
    }

    /// Refuses when nobody would be left to look after the server.
    ///
    /// All active administrators are locked until the transaction ends: of two that shut each other out
    /// the second finds itself the last.
    static func keepAnAdministrator(
        besides id: UUID, on transaction: Transaction
    ) async throws {
        let ids = try await transaction.query(lockAdministrators).map {
            row throws(PostgresError) -> UUID in try row.get(0)
        }
        if ids == [id] {
            throw LibraryError.conflict("this is the last administrator who is active")
        }
    }
}

extension ProfileRepository {
    private static let selectPage = Statement(
        "profile.selectPage",
        """
        SELECT \(columns)
        FROM carrel.profiles
        WHERE (created_at, id) > (
            coalesce($2, '-infinity'::timestamptz),
            coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid)
        )
        ORDER BY created_at, id
        LIMIT $1
        """)

    private static let lockAdministrators = Statement(
        "profile.lockAdministrators",
        """
        SELECT id
        FROM carrel.profiles
        WHERE role = 'ADMIN' AND is_active
        ORDER BY id
        FOR NO KEY UPDATE
        """)

    private static let updateActive = Statement(
        "profile.updateActive",
        "UPDATE carrel.profiles SET is_active = $2 WHERE id = $1 RETURNING \(columns)")

    private static let updateRole = Statement(
        "profile.updateRole",
        "UPDATE carrel.profiles SET role = $2 WHERE id = $1 RETURNING \(columns)")

    private static let clearTotpFailures = Statement(
        "profile.clearTotpFailures",
        "UPDATE carrel.profiles SET totp_failures = 0 WHERE id = $1 RETURNING \(columns)")
}
