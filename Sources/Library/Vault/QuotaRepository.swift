// How much an account may keep, and how much it keeps: the bytes of its files, and of the texts it imported.
// Counted in the transaction that makes, extends or removes a document, so the count is exact whatever
// happens.

package import Postgres
package import FoundationEssentials

package struct Quota: Sendable, Equatable {
    package let limitBytes: Int64
    /// More than the limit when that was lowered since.
    package let usedBytes: Int64

    package var freeBytes: Int64 { max(limitBytes - usedBytes, 0) }

    package init(limitBytes: Int64, usedBytes: Int64) {
        self.limitBytes = limitBytes
        self.usedBytes = usedBytes
    }
}

package enum QuotaRepository {
    package static func get(profileID: UUID, on db: some Queryable) async throws -> Quota? {
        try await db.query(select, profileID).first.map(Quota.init)
    }

    /// Sets what an account may keep; less than it keeps is allowed and stops uploads, not deletions.
    ///
    /// - Throws: `LibraryError.notFound`.
    package static func setLimit(
        _ bytes: Int64, profileID: UUID, on db: some Queryable
    ) async throws -> Quota {
        guard let row = try await db.query(updateLimit, profileID, bytes).first else {
            throw LibraryError.notFound
        }
        return try Quota(row)
    }

    /// Refuses early what `take` would refuse; only `take` decides.
    ///
    /// - Throws: `LibraryError.quotaExceeded`.
    package static func requireRoom(
        for bytes: Int64, profileID: UUID, on db: some Queryable
    ) async throws {
        if let quota = try await get(profileID: profileID, on: db), quota.freeBytes < bytes {
            throw LibraryError.quotaExceeded(quota, wanted: bytes)
        }
    }

    /// The same for the account of a session.
    package static func requireRoom(
        for bytes: Int64, sessionID: UUID, on db: some Queryable
    ) async throws {
        guard let row = try await db.query(selectBySession, sessionID).first else { return }
        let quota = try Quota(row)
        if quota.freeBytes < bytes { throw LibraryError.quotaExceeded(quota, wanted: bytes) }
    }

    /// Counts bytes that the session's account keeps from now on.
    ///
    /// The account's row stays locked to the end of the transaction, so what one account stores takes
    /// turns from here on: the condition is true when it is committed. Take it after the session's row, and
    /// as late as possible.
    ///
    /// - Throws: `LibraryError.quotaExceeded`, after which the transaction must not be committed.
    package static func take(_ bytes: Int64, sessionID: UUID, on transaction: Transaction)
        async throws
    {
        guard bytes > 0 else { return }
        if try await transaction.execute(add, sessionID, bytes) > 0 { return }
        guard let row = try await transaction.query(selectBySession, sessionID).first else {
            throw LibraryError.notFound
        }
        throw LibraryError.quotaExceeded(try Quota(row), wanted: bytes)
    }

    /// Counts bytes that are gone. Never refused.
    static func giveBack(_ bytes: Int64, sessionID: UUID, on transaction: Transaction) async throws
    {
        guard bytes > 0 else { return }
        try await transaction.execute(subtract, sessionID, bytes)
    }
}

extension QuotaRepository {
    private static let select = Statement(
        "quota.select", "SELECT limit_bytes, used_bytes FROM carrel.quotas WHERE profile_id = $1")

    private static let selectBySession = Statement(
        "quota.selectBySession",
        """
        SELECT q.limit_bytes, q.used_bytes
        FROM carrel.quotas AS q
        JOIN carrel.study_sessions AS s ON s.profile_id = q.profile_id
        WHERE s.id = $1
        """)

    private static let updateLimit = Statement(
        "quota.setLimit",
        """
        UPDATE carrel.quotas
        SET limit_bytes = $2
        WHERE profile_id = $1
        RETURNING limit_bytes, used_bytes
        """)

    private static let add = Statement(
        "quota.add",
        """
        UPDATE carrel.quotas AS q
        SET used_bytes = q.used_bytes + $2
        FROM carrel.study_sessions AS s
        WHERE s.id = $1
            AND q.profile_id = s.profile_id
            AND q.used_bytes + $2 <= q.limit_bytes
        """)

    private static let subtract = Statement(
        "quota.subtract",
        """
        UPDATE carrel.quotas AS q
        SET used_bytes = greatest(q.used_bytes - $2, 0)
        FROM carrel.study_sessions AS s
        WHERE s.id = $1 AND q.profile_id = s.profile_id
        """)
}

extension Quota {
    init(_ row: Row) throws(PostgresError) {
        limitBytes = try row.get(0)
        usedBytes = try row.get(1)
    }
}
