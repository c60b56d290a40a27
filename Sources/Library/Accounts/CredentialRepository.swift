// Whether who came in may still stay: read before every request, so that what was revoked, anywhere,
// is refused by the very next one.

package import Postgres
package import FoundationEssentials

package enum CredentialRepository {
    /// The channel on which every revocation is announced, whatever was revoked. A hint, as every
    /// notification is: who keeps what a read has said forgets it.
    package static let channel = "carrel_account"

    /// The role of the account behind a key or a login; nil when either may no longer be used.
    ///
    /// One statement, primary keys only. `id` is that of a key or of a login: both are random, so one
    /// parameter serves for both.
    package static func role(
        of profile: UUID, by id: UUID, on db: some Queryable
    ) async throws -> AccountRole? {
        try await db.query(selectRole, profile, id).first.map {
            row throws(PostgresError) -> AccountRole in
            try row.label(0)
        }
    }

    /// To be called first in every transaction that takes entrance to an account back, for a part or all
    /// of it: what servers remember of its keys and logins is worth nothing once it commits.
    ///
    /// The account's row is locked, so no session is made meanwhile that would miss the new number
    /// (`SessionRepository.create` locks it too). Not against references: a transaction that updates its session's
    /// row twice has PostgreSQL check the owner again, and would wait here with that row in its hands.
    package static func takeBack(from profile: UUID, on transaction: Transaction) async throws {
        try await transaction.query(lock, profile)
        try await transaction.execute(raise, profile)
        try await announce(on: transaction)
    }

    /// Says to servers that something was taken back, when the transaction commits.
    static func announce(on transaction: Transaction) async throws {
        try await transaction.query(notify)
    }

    /// When the key or login numbered by a parameter ends (`infinity`: never), if it belongs to the
    /// profile `p`, which is active, and may be used; else NULL.
    static func end(_ parameter: String) -> String {
        """
        CASE WHEN p.is_active THEN coalesce(
            (
                SELECT coalesce(k.expires_at, 'infinity')
                FROM carrel.api_keys AS k
                WHERE k.id = \(parameter)
                    AND k.profile_id = p.id
                    AND NOT k.revoked
                    AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
            ),
            (
                SELECT f.access_expires_at
                FROM carrel.token_families AS f
                WHERE f.id = \(parameter)
                    AND f.profile_id = p.id
                    AND NOT f.revoked
                    AND f.access_expires_at > clock_timestamp()
            )
        ) END
        """
    }

    // Plan: Index Scan using profiles_pkey; two subplans, each an Index Scan by its primary key, of which
    // the second runs only where the first finds nothing.
    package static let selectRole = Statement(
        "credential.selectRole",
        """
        SELECT p.role
        FROM carrel.profiles AS p
        WHERE p.id = $1 AND \(end("$2")) IS NOT NULL
        """)

    package static let lock = Statement(
        "credential.lockProfile", "SELECT 1 FROM carrel.profiles WHERE id = $1 FOR NO KEY UPDATE")

    private static let raise = Statement(
        "credential.raiseAuthority",
        "UPDATE carrel.study_sessions SET authority = authority + 1 WHERE profile_id = $1")

    private static let notify = Statement(
        "credential.announce", "SELECT pg_notify('\(channel)', '')::text")
}
