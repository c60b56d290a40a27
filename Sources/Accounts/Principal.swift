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
    /// Look after the account's keys and, if the account is an administrator's, the server.
    case admin
}

/// How somebody came in. Both ids are random, so one is never the other's.
package enum Credential: Sendable, Hashable {
    case key(UUID)
    /// A family of tokens.
    case login(UUID)

    package var id: UUID {
        switch self {
        case .key(let id), .login(let id): id
        }
    }
}

/// An account acting through one of its keys, or logged in.
package struct Principal: Sendable, Equatable {
    package let profileID: UUID
    package let handle: String
    package let role: AccountRole
    package let credential: Credential
    /// All of them for a login.
    package let scopes: Set<Scope>

    /// The only session this key may open; nil when it may open all of its account's.
    package let boundSession: UUID?

    /// On whose behalf the database is asked.
    package var asker: Asker { .account(profileID) }

    package init(
        profileID: UUID, handle: String, role: AccountRole, credential: Credential,
        scopes: Set<Scope>, boundSession: UUID?
    ) {
        self.profileID = profileID
        self.handle = handle
        self.role = role
        self.credential = credential
        self.scopes = scopes
        self.boundSession = boundSession
    }

    /// Who has just logged in.
    init(_ login: LoginOwner) {
        self.init(
            profileID: login.profileID, handle: login.handle, role: login.role,
            credential: .login(login.family), scopes: Set(Scope.allCases), boundSession: nil)
    }

    /// The same with the role that the account has now.
    func acting(as role: AccountRole) -> Principal {
        Principal(
            profileID: profileID, handle: handle, role: role, credential: credential,
            scopes: scopes, boundSession: boundSession)
    }

    /// Refuses what the key was not made for. The server is looked after by administrators, whatever a
    /// key says.
    ///
    /// - Throws: `AccountError.forbidden`.
    package func require(_ scope: Scope) throws(AccountError) {
        guard scopes.contains(scope), scope != .admin || role == .admin else {
            throw .forbidden(scope)
        }
    }

    /// Refuses who may not manage the account itself, its keys and its second factor: a key that was
    /// made for less could make itself one that lasts.
    ///
    /// - Throws: `AccountError.loginNeeded`.
    package func requireOwner() throws(AccountError) {
        switch credential {
        case .login: return
        case .key: guard scopes.contains(.admin), boundSession == nil else { throw .loginNeeded }
        }
    }

    /// Whether this key may name the session at all.
    ///
    /// That the session is the account's is the database's to say: every statement names the owner.
    package func mayOpen(_ session: UUID) -> Bool {
        boundSession == nil || boundSession == session
    }
}
