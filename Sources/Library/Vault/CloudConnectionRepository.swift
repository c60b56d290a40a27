// Connections to people's clouds. What is sealed in a row is opened by Accounts, never here.

package import Postgres
package import FoundationEssentials

package enum CloudProvider: String, Sendable, Codable, CaseIterable {
    case s3 = "S3"
    case gcs = "GCS"
    case http = "HTTP"
}

package enum CloudStatus: String, Sendable, Codable, CaseIterable {
    case active = "ACTIVE"
    /// Its last use was refused.
    case failed = "FAILED"
}

package struct CloudConnection: Sendable, Equatable {
    package let id: UUID
    package let profileID: UUID
    package let provider: CloudProvider
    package let name: String
    /// Sealed.
    package let credentials: [UInt8]
    package let status: CloudStatus
    package let lastUsedAt: Date?
    package let createdAt: Date
}

package enum CloudConnectionRepository {
    /// The id is made before: the credentials are sealed for it.
    ///
    /// - Throws: `LibraryError.conflict` when the account has a connection of this name.
    package static func create(
        id: UUID, profileID: UUID, provider: CloudProvider, name: String, credentials: [UInt8],
        on db: some Queryable
    ) async throws -> CloudConnection {
        let rows = try await db.query(
            insert, id, profileID, provider.rawValue, name, credentials)
        guard let row = rows.first else {
            throw LibraryError.conflict("a cloud connection named \(name) exists already")
        }
        return try CloudConnection(row)
    }

    package static func get(id: UUID, profileID: UUID, on db: some Queryable) async throws
        -> CloudConnection?
    {
        try await db.query(selectOwned, id, profileID).first.map(CloudConnection.init)
    }

    /// An account's connections by name, after the last one seen.
    package static func list(
        profileID: UUID, limit: Int, after name: String? = nil, on db: some Queryable
    ) async throws -> [CloudConnection] {
        try await db.query(selectPage, profileID, limit, name).map(CloudConnection.init)
    }

    /// False when the account has no such connection.
    package static func delete(id: UUID, profileID: UUID, on db: some Queryable) async throws
        -> Bool
    {
        try await db.execute(deleteOwned, id, profileID) > 0
    }

    /// Notes a use and how it went.
    package static func noteUse(id: UUID, _ status: CloudStatus, on db: some Queryable)
        async throws
    {
        try await db.execute(markUsed, id, status.rawValue)
    }

    /// Rows of all accounts whose credentials do not begin with `header`, locked; those that another
    /// process has just locked are passed over.
    package static func lockOthers(
        thanHeader header: [UInt8], limit: Int, on transaction: Transaction
    ) async throws -> [CloudConnection] {
        try await transaction.query(selectOtherHeader, header, limit).map(CloudConnection.init)
    }

    /// Puts the same credentials, sealed anew, in place of the old ones.
    package static func replace(
        credentials: [UInt8], id: UUID, on transaction: Transaction
    ) async throws {
        try await transaction.execute(updateCredentials, id, credentials)
    }
}

extension CloudConnectionRepository {
    private static let columns = """
        id, profile_id, provider, name, credentials_enc, status, last_used_at, created_at
        """

    private static let insert = Statement(
        "cloud.insert",
        """
        INSERT INTO carrel.cloud_connections (id, profile_id, provider, name, credentials_enc)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (profile_id, name) DO NOTHING
        RETURNING \(columns)
        """)

    private static let selectOwned = Statement(
        "cloud.selectOwned",
        "SELECT \(columns) FROM carrel.cloud_connections WHERE id = $1 AND profile_id = $2")

    private static let selectPage = Statement(
        "cloud.selectPage",
        """
        SELECT \(columns)
        FROM carrel.cloud_connections
        WHERE profile_id = $1 AND ($3::text IS NULL OR name > $3)
        ORDER BY name
        LIMIT $2
        """)

    private static let deleteOwned = Statement(
        "cloud.delete",
        "DELETE FROM carrel.cloud_connections WHERE id = $1 AND profile_id = $2")

    private static let markUsed = Statement(
        "cloud.noteUse",
        """
        UPDATE carrel.cloud_connections
        SET last_used_at = clock_timestamp(), status = $2
        WHERE id = $1
        """)

    private static let selectOtherHeader = Statement(
        "cloud.lockOthers",
        """
        SELECT \(columns)
        FROM carrel.cloud_connections
        WHERE substring(credentials_enc FROM 1 FOR octet_length($1::bytea)) <> $1::bytea
        ORDER BY id
        LIMIT $2
        FOR UPDATE SKIP LOCKED
        """)

    private static let updateCredentials = Statement(
        "cloud.replaceCredentials",
        "UPDATE carrel.cloud_connections SET credentials_enc = $2 WHERE id = $1")
}

extension CloudConnection {
    init(_ row: Row) throws(PostgresError) {
        id = try row.get(0)
        profileID = try row.get(1)
        provider = try row.label(2)
        name = try row.get(3)
        credentials = try row.get(4)
        status = try row.label(5)
        lastUsedAt = try row.get(6)
        createdAt = try row.get(7)
    }
}
