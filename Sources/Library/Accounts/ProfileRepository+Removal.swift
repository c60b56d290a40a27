// An account that goes, with everything that is its own. The audit log names it by its id for ever.

package import Postgres
package import FoundationEssentials

/// What an account leaves where no key of the database reaches.
package struct AccountRemains: Sendable, Equatable {
    /// Its sessions, of which servers hold copies.
    package let sessions: [UUID]
    /// Its jobs that had not ended, which have scratch files.
    package let jobs: [UUID]
}

extension ProfileRepository {
    /// Deletes an account and, through the keys, its sessions, keys, logins, clouds and quota; what others
    /// shared to it, and its place in groups. Groups that it made stay, without an owner.
    ///
    /// Bytes of its documents are noted as nobody's, and servers are told of each session and that
    /// entrance was taken back. Documents are locked before sessions, as everywhere; until then no
    /// new session can come (the account is locked), and then no document. All or nothing: it lasts as long as
    /// deleting its chunks does.
    ///
    /// - Throws: `LibraryError.notFound`; `LibraryError.conflict` for the last administrator.
    package static func delete(id: UUID, on transaction: Transaction) async throws
        -> AccountRemains
    {
        try await keepAnAdministrator(besides: id, on: transaction)
        guard try await transaction.query(CredentialRepository.lock, id).first != nil else {
            throw LibraryError.notFound
        }
        try await transaction.execute(lockDocuments, id)
        try await transaction.execute(lockSessions, id)
        try await BlobRepository.disownAll(profileID: id, on: transaction)
        let jobs = try await transaction.query(selectOpenJobs, id).map {
            row throws(PostgresError) -> UUID in try row.get(0)
        }
        let sessions = try await transaction.query(deleteSessions, id).map {
            row throws(PostgresError) -> UUID in try row.get(0)
        }
        try await CredentialRepository.announce(on: transaction)
        try await transaction.execute(deleteProfile, id)
        return AccountRemains(sessions: sessions, jobs: jobs)
    }

    private static let lockDocuments = Statement(
        "profile.lockDocuments",
        """
        SELECT 1
        FROM carrel.documents AS d
        JOIN carrel.study_sessions AS s ON s.id = d.session_id
        WHERE s.profile_id = $1
        ORDER BY d.session_id, d.id
        FOR UPDATE OF d
        """)

    private static let lockSessions = Statement(
        "profile.lockSessions",
        "SELECT 1 FROM carrel.study_sessions WHERE profile_id = $1 ORDER BY id FOR UPDATE")

    private static let selectOpenJobs = Statement(
        "profile.selectOpenJobs",
        """
        SELECT j.id
        FROM carrel.jobs AS j
        JOIN carrel.study_sessions AS s ON s.id = j.session_id
        WHERE s.profile_id = $1 AND j.state IN ('QUEUED', 'RUNNING')
        """)

    /// A revision past the last tells every cache that what it holds is no longer so.
    private static let deleteSessions = Statement(
        "profile.deleteSessions",
        """
        WITH gone AS (
            DELETE FROM carrel.study_sessions
            WHERE profile_id = $1
            RETURNING id, revision
        )
        SELECT id, pg_notify('carrel_session', id || ' ' || revision + 1)::text
        FROM gone
        """)

    private static let deleteProfile = Statement(
        "profile.delete", "DELETE FROM carrel.profiles WHERE id = $1")
}
