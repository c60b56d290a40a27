// Keys that programs use. Only the SHA-256 of a key is stored.

package import Postgres
package import FoundationEssentials

/// A key as it is listed: everything but the secret, which nobody can read back.
package struct ApiKey: Sendable, Equatable {
    package let id: UUID
    package let profileID: UUID
    package let name: String
    package let scopes: [String]
    /// The one session this key may open; nil when it may open all of its account's.
    package let sessionID: UUID?
    package let lastUsedAt: Date?
    package let expiresAt: Date?
    package let revoked: Bool
    package let createdAt: Date
}

/// A key found by its hash, with the account it speaks for.
package struct KeyOwner: Sendable, Equatable {
    package let key: ApiKey
    package let handle: String
    package let role: AccountRole
}

package enum ApiKeyRepository {
    /// - Throws: `LibraryError.conflict` when the account has a key of this name.
    package static func create(
        profileID: UUID, name: String, hash: [UInt8], scopes: [String], sessionID: UUID?,
        expiresAt: Date?, on db: some Queryable
    ) async throws -> ApiKey {
        let rows = try await db.query(insert, profileID, name, hash, scopes, sessionID, expiresAt)
        guard let row = rows.first else {
            throw LibraryError.conflict("a key named \(name) exists already")
        }
        return try ApiKey(row)
    }

    /// The key with this hash, if it may be used now: not revoked, not expired, account active.
    package static func usable(hash: [UInt8], on db: some Queryable) async throws -> KeyOwner? {
        guard let row = try await db.query(selectUsable, hash).first else { return nil }
        return KeyOwner(key: try ApiKey(row), handle: try row.get(9), role: try row.label(10))
    }

    /// An account's keys, oldest first; revoked ones included, so that their names are explained.
    package static func list(profileID: UUID, on db: some Queryable) async throws -> [ApiKey] {
        try await db.query(selectByProfile, profileID).map(ApiKey.init)
    }

    /// The same in pages of `limit` at most; `after` is the last one seen.
    package static func list(
        profileID: UUID, limit: Int, after: TimeCursor?, on db: some Queryable
    ) async throws -> [ApiKey] {
        try await db.query(selectPage, profileID, limit, after?.createdAt, after?.id)
            .map(ApiKey.init)
    }

    /// Returns whether there was such a key. A revoked key stays listed and never works again.
    package static func revoke(id: UUID, profileID: UUID, on db: some Queryable) async throws
        -> Bool
    {
        try await db.execute(markRevoked, id, profileID) > 0
    }

    /// Notes that a key was used. A row is written at most once a minute per key, however often it
    /// is used: an authentication is a read.
    package static func touch(id: UUID, on db: some Queryable) async throws {
        try await db.execute(markUsed, id)
    }
}

extension ApiKeyRepository {
    private static let columns = """
        k.id, k.profile_id, k.name, k.scopes, k.session_id, k.last_used_at, k.expires_at,
        k.revoked, k.created_at
        """

    private static let insert = Statement(
        "apiKey.insert",
        """
        INSERT INTO carrel.api_keys AS k
            (profile_id, name, key_hash, scopes, session_id, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (profile_id, name) DO NOTHING
        RETURNING \(columns)
        """)

    private static let selectUsable = Statement(
        "apiKey.selectUsable",
        """
        SELECT \(columns), p.handle, p.role
        FROM carrel.api_keys AS k
        JOIN carrel.profiles AS p ON p.id = k.profile_id
        WHERE k.key_hash = $1
            AND NOT k.revoked
            AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
            AND p.is_active
        """)

    private static let selectByProfile = Statement(
        "apiKey.selectByProfile",
        """
        SELECT \(columns)
        FROM carrel.api_keys AS k
        WHERE k.profile_id = $1
        ORDER BY k.created_at, k.id
        """)

    private static let selectPage = Statement(
        "apiKey.selectPage",
        """
        SELECT \(columns)
        FROM carrel.api_keys AS k
        WHERE k.profile_id = $1
            AND (k.created_at, k.id) > (
                coalesce($3, '-infinity'::timestamptz),
                coalesce($4, '00000000-0000-0000-0000-000000000000'::uuid)
            )
        ORDER BY k.created_at, k.id
        LIMIT $2
        """)

    private static let markRevoked = Statement(
        "apiKey.markRevoked",
        "UPDATE carrel.api_keys SET revoked = true WHERE id = $1 AND profile_id = $2")

    private static let markUsed = Statement(
        "apiKey.markUsed",
        """
        UPDATE carrel.api_keys
        SET last_used_at = clock_timestamp()
        WHERE id = $1
            AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')
        """)
}

extension ApiKey {
    init(_ row: Row) throws(PostgresError) {
        id = try row.get(0)
        profileID = try row.get(1)
        name = try row.get(2)
        scopes = try row.get(3)
        sessionID = try row.get(4)
        lastUsedAt = try row.get(5)
        expiresAt = try row.get(6)
        revoked = try row.get(7)
        createdAt = try row.get(8)
    }
}
