// Accounts: the study profile and the vault user are one row.

package import Postgres
package import FoundationEssentials

package enum AccountRole: String, Sendable, Codable, CaseIterable {
    case user = "USER"
    case admin = "ADMIN"
}

/// An account. The password hash stays in the database unless it is asked for by name.
package struct Profile: Sendable, Equatable {
    package let id: UUID
    package let handle: String
    package let email: String
    package let role: AccountRole
    package let isActive: Bool
    package let createdAt: Date
}

package enum ProfileRepository {
    /// A new account, with the quota that every account begins with.
    ///
    /// - Throws: `LibraryError.conflict` when the handle, or the email in any spelling, is taken.
    package static func create(
        handle: String, email: String, passwordHash: String, role: AccountRole = .user,
        on db: some Queryable
    ) async throws -> Profile {
        let rows = try await db.query(insert, handle, email, passwordHash, role.rawValue)
        guard let row = rows.first else {
            throw LibraryError.conflict("the handle or the email address is taken")
        }
        return try Profile(row)
    }

    package static func get(id: UUID, on db: some Queryable) async throws -> Profile? {
        try await db.query(selectByID, id).first.map(Profile.init)
    }

    package static func getByHandle(_ handle: String, on db: some Queryable) async throws
        -> Profile?
    {
        try await db.query(selectByHandle, handle).first.map(Profile.init)
    }

    /// The oldest account, which the first start made; nil in an empty database.
    package static func first(on db: some Queryable) async throws -> Profile? {
        try await db.query(selectFirst).first.map(Profile.init)
    }
}

extension ProfileRepository {
    static let columns = "id, handle, email, role, is_active, created_at"

    private static let insert = Statement(
        "profile.insert",
        """
        WITH made AS (
            INSERT INTO carrel.profiles (handle, email, password_hash, role)
            VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING
            RETURNING \(columns)
        ), quota AS (
            INSERT INTO carrel.quotas (profile_id)
            SELECT id FROM made
        )
        SELECT \(columns) FROM made
        """)

    private static let selectByID = Statement(
        "profile.selectByID", "SELECT \(columns) FROM carrel.profiles WHERE id = $1")

    private static let selectByHandle = Statement(
        "profile.selectByHandle", "SELECT \(columns) FROM carrel.profiles WHERE handle = $1")

    private static let selectFirst = Statement(
        "profile.selectFirst",
        "SELECT \(columns) FROM carrel.profiles ORDER BY created_at, id LIMIT 1")
}

extension Profile {
    init(_ row: Row) throws(PostgresError) {
        id = try row.get(0)
        handle = try row.get(1)
        email = try row.get(2)
        role = try row.label(3)
        isActive = try row.get(4)
        createdAt = try row.get(5)
    }
}
