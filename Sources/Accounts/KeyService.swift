// API keys: made, shown once, recognised by their hash, revoked.

package import FoundationEssentials
package import Library
package import Postgres

package enum KeyService {
    /// A key just made. `secret` cannot be had again.
    package struct Created: Sendable {
        package let key: ApiKey
        package let secret: Secret
    }

    /// What the first start makes: an account and a key with every scope.
    package struct First: Sendable {
        package let profile: Profile
        package let created: Created
    }

    /// Makes the first account of an empty database, an administrator, and a key for it.
    ///
    /// Of two processes that start at once one makes them; the other gets nil, as does every later
    /// start.
    package static func createFirst(
        handle: String = "owner", keyName: String = "first", on transaction: Transaction
    ) async throws -> First? {
        guard try await ProfileRepository.first(on: transaction) == nil else { return nil }
        let profile: Profile
        do {
            profile = try await ProfileRepository.create(
                handle: handle, email: "\(handle)@localhost", passwordHash: noPassword,
                role: .admin, on: transaction)
        } catch LibraryError.conflict {
            return nil
        }
        let created = try await create(
            profileID: profile.id, name: keyName, scopes: Set(Scope.allCases), on: transaction)
        return First(profile: profile, created: created)
    }

    /// Makes a key.
    ///
    /// - Throws: `LibraryError.conflict` when the account has a key of this name,
    ///   `LibraryError.invalid` for an empty name or no scope.
    package static func create(
        profileID: UUID, name: String, scopes: Set<Scope>, sessionID: UUID? = nil,
        expiresAt: Date? = nil, on db: some Queryable
    ) async throws -> Created {
        if name.isEmpty { throw LibraryError.invalid(field: "name", reason: "must not be empty") }
        if scopes.isEmpty {
            throw LibraryError.invalid(field: "scopes", reason: "expected one at least, got none")
        }
        let secret = Secret.random()
        let key = try await ApiKeyRepository.create(
            profileID: profileID, name: name, hash: secret.hash,
            scopes: scopes.map(\.rawValue).sorted(), sessionID: sessionID, expiresAt: expiresAt,
            on: db)
        return Created(key: key, secret: secret)
    }

    /// Who presents this secret. One indexed read; a write at most once a minute per key.
    ///
    /// - Throws: `AccountError.unauthenticated`, whatever is wrong with it.
    package static func authenticate(_ secret: String, on db: some Queryable) async throws
        -> Principal
    {
        guard let secret = Secret(secret),
            let owner = try await ApiKeyRepository.usable(hash: secret.hash, on: db)
        else { throw AccountError.unauthenticated }
        if owner.key.lastUsedAt.map({ $0.timeIntervalSinceNow < -60 }) ?? true {
            try await ApiKeyRepository.touch(id: owner.key.id, on: db)
        }
        return Principal(
            profileID: owner.key.profileID, handle: owner.handle, role: owner.role,
            credential: .key(owner.key.id), scopes: Set(owner.key.scopes.compactMap(Scope.init)),
            boundSession: owner.key.sessionID)
    }

    /// An account's keys, oldest first, without their secrets.
    package static func list(profileID: UUID, on db: some Queryable) async throws -> [ApiKey] {
        try await ApiKeyRepository.list(profileID: profileID, on: db)
    }

    /// Ends a key for good.
    ///
    /// - Throws: `LibraryError.notFound` when the account has no such key.
    package static func revoke(
        id: UUID, profileID: UUID, on transaction: Transaction
    ) async throws {
        try await CredentialRepository.takeBack(from: profileID, on: transaction)
        guard try await ApiKeyRepository.revoke(id: id, profileID: profileID, on: transaction)
        else {
            throw LibraryError.notFound
        }
    }
}
