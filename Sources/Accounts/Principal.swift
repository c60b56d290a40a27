// Who is asking, once that is known.

package import FoundationEssentials
package import Library
package import Postgres

/// What a key may be used for. Each is asked for by name; none includes another.
package enum Scope: String, Sendable, Codable, CaseIterable, Hashable {
    /// Look: search, list, read.
    case read
    /// Change what is stored: create, ingest, import, delete.
    case write
    /// Look after the server and its keys.
    case admin
}

/// An account acting through one of its keys.
package struct Principal: Sendable, Equatable {
    package let profileID: UUID
    package let handle: String
    package let role: AccountRole
    package let keyID: UUID
    package let scopes: Set<Scope>

    /// The only session this key may open; nil when it may open all of its account's.
    package let boundSession: UUID?

    /// On whose behalf the database is asked.
    package var asker: Asker { .account(profileID) }

    package init(
        profileID: UUID, handle: String, role: AccountRole, keyID: UUID, scopes: Set<Scope>,
        boundSession: UUID?
    ) {
        self.profileID = profileID
        self.handle = handle
        self.role = role
        self.keyID = keyID
        self.scopes = scopes
        self.boundSession = boundSession
    }

    /// Refuses what the key was not made for.
    ///
    /// - Throws: `AccountError.forbidden`.
    package func require(_ scope: Scope) throws(AccountError) {
        guard scopes.contains(scope) else { throw .forbidden(scope) }
    }

    /// Whether this key may name the session at all.
    ///
    /// That the session is the account's is the database's to say: every statement names the owner.
    package func mayOpen(_ session: UUID) -> Bool {
        boundSession == nil || boundSession == session
    }
}
