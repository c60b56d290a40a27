// How often somebody tried a name. Counted before the password is looked at, in one statement, so that
// a thousand attempts at once are a thousand attempts.

package import Postgres
internal import FoundationEssentials

package enum LoginAttemptRepository {
    /// Attempts without a pause. After them one more is let through a minute later, then after two, four
    /// and so on, up to an hour. A day without any forgets them.
    package static let free = 10

    /// Counts an attempt.
    ///
    /// - Returns: nil when it may go on; else how many seconds to wait. Those that wait are not counted.
    package static func charge(_ nameHash: [UInt8], on db: some Queryable) async throws -> Int? {
        if try await db.query(count, nameHash).first != nil { return nil }
        let seconds: Int? = try await db.query(selectPause, nameHash).first?.get(0)
        return max(seconds ?? 1, 1)
    }

    /// Takes a charge back: the attempt was not made after all.
    package static func refund(_ nameHash: [UInt8], on db: some Queryable) async throws {
        try await db.execute(uncount, nameHash)
    }

    /// The name's owner has come in: forgets what was counted, and what is older than a day.
    package static func forget(_ nameHash: [UInt8], on db: some Queryable) async throws {
        try await db.execute(delete, nameHash)
    }
}

extension LoginAttemptRepository {
    private static let pause = """
        interval '1 minute' * least(power(2, a.attempts - \(free)), 60)
        """

    private static let count = Statement(
        "loginAttempt.count",
        """
        INSERT INTO carrel.login_attempts AS a (name_hash, attempts, last_at)
        VALUES ($1, 1, clock_timestamp())
        ON CONFLICT (name_hash) DO UPDATE
        SET attempts = CASE
                WHEN a.last_at < clock_timestamp() - interval '1 day' THEN 1
                ELSE least(a.attempts + 1, 1000)
            END,
            last_at = clock_timestamp()
        WHERE a.attempts < \(free) OR a.last_at < clock_timestamp() - \(pause)
        RETURNING 1
        """)

    private static let selectPause = Statement(
        "loginAttempt.selectPause",
        """
        SELECT ceil(extract(epoch FROM a.last_at + \(pause) - clock_timestamp()))::bigint
        FROM carrel.login_attempts AS a
        WHERE a.name_hash = $1
        """)

    private static let uncount = Statement(
        "loginAttempt.uncount",
        """
        UPDATE carrel.login_attempts
        SET attempts = attempts - 1
        WHERE name_hash = $1 AND attempts > 1
        """)

    private static let delete = Statement(
        "loginAttempt.delete",
        """
        DELETE FROM carrel.login_attempts
        WHERE name_hash = $1 OR last_at < clock_timestamp() - interval '1 day'
        """)
}
