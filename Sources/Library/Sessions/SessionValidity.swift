// The read before every strong answer: what the session is now, and whether the asker still may.

package import Postgres
package import FoundationEssentials

/// A session as it is now, and whether the key that asks for it is still good.
package struct SessionValidity: Sendable, Equatable {
    package let version: SessionVersion
    /// The key is neither revoked nor expired, its account is active and owns the session.
    package let isKeyValid: Bool
}

extension SessionRepository {
    /// One primary-key read (of three rows); nil when the session is gone.
    ///
    /// Without a key there is nothing to refuse, and `isKeyValid` is true.
    package static func validity(of session: UUID, apiKey: UUID? = nil, on db: some Queryable)
        async throws -> SessionValidity?
    {
        try await db.query(selectValidity, session, apiKey).first.map(SessionValidity.init)
    }

    // Plan: Index Scan using study_sessions_pkey; keys and profiles by their primary keys too, once
    // there are more than a page of them.
    //
    // Parameters: session, key or NULL. Columns: those of `selectVersions`, then the key's validity.
    package static let selectValidity = Statement(
        "session.selectValidity",
        """
        SELECT s.id, s.profile_id, s.status, s.revision, s.chunk_count, s.embedding_model_id,
            $2::uuid IS NULL OR EXISTS (
                SELECT
                FROM carrel.api_keys AS k
                JOIN carrel.profiles AS p ON p.id = k.profile_id
                WHERE k.id = $2
                    AND k.profile_id = s.profile_id
                    AND NOT k.revoked
                    AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
                    AND p.is_active
            )
        FROM carrel.study_sessions AS s
        WHERE s.id = $1
        """)
}

extension SessionValidity {
    /// From a row of `SessionRepository.selectValidity`.
    package init(_ row: Row) throws(PostgresError) {
        version = try SessionVersion(row)
        isKeyValid = try row.get(6)
    }
}
