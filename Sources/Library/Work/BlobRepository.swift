// Keys of the blob store that no document holds: bytes on their way in, and bytes to be removed.
//
// A key is noted before its bytes are stored, and the note goes in the transaction that makes the
// document; it comes back in the transaction that deletes one. So after a crash at any point the
// note says which bytes are nobody's, and nobody has to compare a bucket with a table.

package import Postgres
package import struct Foundation.UUID

package enum BlobRepository {
    /// Notes a key whose bytes will be stored now and claimed within that time.
    package static func expect(
        _ key: String, within time: Duration, on db: some Queryable
    ) async throws {
        try await db.execute(insert, key, Double(time.components.seconds))
    }

    /// Takes the note away: a document holds the key from now on. False when the bytes were swept
    /// meanwhile; the document must not be made then.
    package static func claim(_ key: String, on transaction: Transaction) async throws -> Bool {
        try await transaction.execute(delete, key) > 0
    }

    /// Takes the note away because the bytes are gone.
    package static func forget(_ key: String, on db: some Queryable) async throws {
        try await db.execute(delete, key)
    }

    /// Notes that nobody holds a key any more.
    package static func disown(_ key: String, on transaction: Transaction) async throws {
        try await transaction.execute(insert, key, 0.0)
    }

    /// The same for every document of a session, before the session is deleted.
    package static func disownAll(
        sessionID: UUID, on transaction: Transaction
    ) async throws {
        try await transaction.execute(insertOfSession, sessionID)
    }

    /// The same for every document of an account.
    package static func disownAll(
        profileID: UUID, on transaction: Transaction
    ) async throws {
        try await transaction.execute(insertOfProfile, profileID)
    }

    /// Takes the oldest notes that are due, locked until the transaction ends: remove the bytes, then
    /// commit.
    package static func takeUnclaimed(
        limit: Int, on transaction: Transaction
    ) async throws -> [String] {
        try await transaction.query(take, limit).map { row in try row.get(0) }
    }
}

extension BlobRepository {
    private static let insert = Statement(
        "blob.expect",
        """
        INSERT INTO carrel.unclaimed_blobs (key, sweep_after)
        VALUES ($1, clock_timestamp() + make_interval(secs => $2))
        ON CONFLICT (key) DO UPDATE SET sweep_after = EXCLUDED.sweep_after
        """)

    private static let insertOfSession = Statement(
        "blob.disownAll",
        """
        INSERT INTO carrel.unclaimed_blobs (key)
        SELECT file_path
        FROM carrel.documents
        WHERE session_id = $1
        ON CONFLICT (key) DO UPDATE SET sweep_after = EXCLUDED.sweep_after
        """)

    private static let insertOfProfile = Statement(
        "blob.disownAccount",
        """
        INSERT INTO carrel.unclaimed_blobs (key)
        SELECT d.file_path
        FROM carrel.documents AS d
        JOIN carrel.study_sessions AS s ON s.id = d.session_id
        WHERE s.profile_id = $1
        ON CONFLICT (key) DO UPDATE SET sweep_after = EXCLUDED.sweep_after
        """)

    private static let delete = Statement(
        "blob.claim", "DELETE FROM carrel.unclaimed_blobs WHERE key = $1")

    private static let take = Statement(
        "blob.take",
        """
        DELETE FROM carrel.unclaimed_blobs
        WHERE key IN (
            SELECT key
            FROM carrel.unclaimed_blobs
            WHERE sweep_after <= clock_timestamp()
            ORDER BY sweep_after
            LIMIT $1
            FOR UPDATE SKIP LOCKED
        )
        RETURNING key
        """)
}
