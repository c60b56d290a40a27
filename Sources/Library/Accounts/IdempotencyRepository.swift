// A retry after a lost answer gets the first answer again.
//
// Use, in the transaction that does the work:
//
//     if let answer = try await IdempotencyRepository.recall(…, on: transaction) { return answer }
//     … do the work …
//     try await IdempotencyRepository.remember(…, on: transaction)
//
// `recall` takes an advisory lock on the key until the transaction ends, so of two requests with
// one key the second waits and then reads what the first answered. When the first rolls back, the
// second does the work.

package import Postgres
package import FoundationEssentials

package enum IdempotencyRepository {
    /// The answer remembered under a key, as JSON text; nil when the work is still to be done.
    ///
    /// - Throws: `LibraryError.conflict` when the key was used for another method,
    ///   `LibraryError.invalid` when it is empty or longer than 64 bytes.
    package static func recall(
        profileID: UUID, key: String, method: String, on transaction: Transaction
    ) async throws -> String? {
        guard (1...64).contains(key.utf8.count) else {
            throw LibraryError.invalid(
                field: "idempotencyKey",
                reason: "expected 1 to 64 bytes, got \(key.utf8.count)")
        }
        try await transaction.query(lock, profileID, key)
        guard let row = try await transaction.query(select, profileID, key).first else {
            return nil
        }
        let first: String = try row.get(0)
        guard first == method else {
            throw LibraryError.conflict("this idempotency key was used for \(first)")
        }
        return try row.get(1) as String
    }

    /// Keeps an answer, JSON text, under a key for 24 hours.
    package static func remember(
        profileID: UUID, key: String, method: String, response: String,
        on transaction: Transaction
    ) async throws {
        try await transaction.execute(upsert, profileID, key, method, response)
    }

    /// Forgets what is older than 24 hours; returns how many.
    package static func forgetExpired(on db: some Queryable) async throws -> Int {
        try await db.execute(deleteExpired)
    }
}

extension IdempotencyRepository {
    /// The two-integer form of the lock keeps these apart from the migrator's.
    private static let lock = Statement(
        "idempotency.lock",
        "SELECT 1 FROM pg_advisory_xact_lock(hashtext($1::uuid::text), hashtext($2))")

    private static let select = Statement(
        "idempotency.select",
        """
        SELECT method, response::text
        FROM carrel.idempotency_keys
        WHERE profile_id = $1 AND key = $2 AND created_at > now() - interval '24 hours'
        """)

    /// Only an expired row can be in the way, because `recall` found none and holds the lock.
    private static let upsert = Statement(
        "idempotency.upsert",
        """
        INSERT INTO carrel.idempotency_keys AS k (profile_id, key, method, response)
        VALUES ($1, $2, $3, $4::text::jsonb)
        ON CONFLICT (profile_id, key) DO UPDATE
        SET method = EXCLUDED.method, response = EXCLUDED.response, created_at = now()
        """)

    private static let deleteExpired = Statement(
        "idempotency.deleteExpired",
        "DELETE FROM carrel.idempotency_keys WHERE created_at <= now() - interval '24 hours'")
}
