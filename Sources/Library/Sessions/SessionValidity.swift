// The read before every strong answer: what the session is now, and whether the asker still may.

package import Postgres
package import FoundationEssentials

/// A session as it is now, with what its row says of those who may come in.
package struct SessionValidity: Sendable, Equatable {
    package let version: SessionVersion
    /// Higher each time that entrance to the session's account was taken back from anybody.
    package let authority: Int64
}

/// A key or login that was checked in full.
package struct CheckedSession: Sendable, Equatable {
    package let session: SessionValidity
    /// Neither revoked nor expired, of an account that is active and owns the session.
    package let isCredentialValid: Bool
    /// For how many seconds that holds while `session.authority` stays; nil: for good.
    package let secondsLeft: Double?
}

extension SessionRepository {
    /// The session, and whether a key or login may ask for it now. Nil when the session is gone.
    ///
    /// Without a credential there is nothing to refuse, and it is valid.
    package static func check(
        _ session: UUID, for credential: UUID?, on db: some Queryable
    ) async throws -> CheckedSession? {
        guard let row = try await db.query(selectChecked, session, credential).first else {
            return nil
        }
        let seconds: Double? = try row.get(8)
        return CheckedSession(
            session: try SessionValidity(row), isCredentialValid: try row.get(7),
            secondsLeft: seconds.flatMap { $0.isFinite ? $0 : nil })
    }

    // Plan: Index Scan using study_sessions_pkey, one row: 27 µs there and back, of which 8 in
    // PostgreSQL. The same with keys and profiles beside it took 48, of which 29.
    //
    // Parameter: session. Columns: those of `selectVersions`, then the authority.
    package static let selectValidity = Statement(
        "session.selectValidity",
        """
        SELECT id, profile_id, status, revision, chunk_count, embedding_model_id, authority
        FROM carrel.study_sessions
        WHERE id = $1
        """)

    // Who reads what is shared to them does not see the owner's row, hence LEFT.
    //
    // Plan: Nested Loop of study_sessions_pkey and profiles_pkey; keys and logins by their primary keys in
    // subplans, logins only where no key was found.
    private static let selectChecked = Statement(
        "session.selectChecked",
        """
        SELECT s.id, s.profile_id, s.status, s.revision, s.chunk_count, s.embedding_model_id,
            s.authority, $2::uuid IS NULL OR c.ends_at IS NOT NULL,
            extract(epoch FROM nullif(c.ends_at, 'infinity') - clock_timestamp())::float8
        FROM carrel.study_sessions AS s
        LEFT JOIN carrel.profiles AS p ON p.id = s.profile_id
        CROSS JOIN LATERAL (SELECT \(CredentialRepository.end("$2")) AS ends_at) AS c
        WHERE s.id = $1
        """)
}

extension SessionValidity {
    /// From a row of `SessionRepository.selectValidity`.
    package init(_ row: Row) throws(PostgresError) {
        version = try SessionVersion(row)
        authority = try row.get(6)
    }
}
