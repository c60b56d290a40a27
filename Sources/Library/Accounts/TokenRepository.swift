// Logins and the tokens that keep them alive. Tokens are found by their SHA-256 and never stored.

package import Postgres
package import FoundationEssentials

/// A pair of tokens as it is stored: two hashes and how long each is good.
package struct TokenPair: Sendable {
    package let accessHash: [UInt8]
    package let accessSeconds: Int
    package let refreshHash: [UInt8]
    package let refreshSeconds: Int

    package init(
        accessHash: [UInt8], accessSeconds: Int, refreshHash: [UInt8], refreshSeconds: Int
    ) {
        self.accessHash = accessHash
        self.accessSeconds = accessSeconds
        self.refreshHash = refreshHash
        self.refreshSeconds = refreshSeconds
    }
}

/// Where a login came from, as its tokens remember it.
package struct LoginOrigin: Sendable, Equatable {
    package let userAgent: String?
    package let ip: INET?

    package init(userAgent: String? = nil, ip: INET? = nil) {
        self.userAgent = userAgent
        self.ip = ip
    }
}

/// A login as its tokens' hashes lead to it.
package struct LoginOwner: Sendable, Equatable {
    package let family: UUID
    package let profileID: UUID
    package let handle: String
    package let role: AccountRole
    package let accessExpiresAt: Date
    package let expiresAt: Date
}

/// What became of a refresh token that was shown.
package enum RefreshOutcome: Sendable, Equatable {
    case renewed(LoginOwner)
    /// It was used before: the family is revoked, with whatever is in use of it.
    case reused(profileID: UUID, family: UUID)
    /// Never issued, expired, revoked, or of an account that is not active.
    case unknown
}

package enum TokenRepository {
    /// Begins a login; also forgets the account's logins that have run out.
    ///
    /// - Throws: `LibraryError.notFound` when the account is gone, or not active.
    package static func begin(
        profileID: UUID, _ pair: TokenPair, from origin: LoginOrigin, on transaction: Transaction
    ) async throws -> LoginOwner {
        try await transaction.execute(deleteExpired, profileID)
        let rows = try await transaction.query(
            insertFamily, profileID, pair.accessHash, pair.accessSeconds, pair.refreshSeconds)
        guard let row = rows.first else { throw LibraryError.notFound }
        let family: UUID = try row.get(0)
        try await transaction.execute(
            insertToken, UUID(), profileID, pair.refreshHash, family, origin.userAgent, origin.ip)
        return try await owner(of: family, on: transaction)
    }

    /// Exchanges a refresh token for a pair, once.
    ///
    /// The account is locked first: of two that show the same token one renews, and the other then finds it
    /// used and ends the family. Commit whatever the outcome.
    package static func refresh(
        _ hash: [UInt8], _ pair: TokenPair, from origin: LoginOrigin, on transaction: Transaction
    ) async throws -> RefreshOutcome {
        guard let (family, profile) = try await self.family(ofRefresh: hash, on: transaction)
        else { return .unknown }
        try await transaction.query(CredentialRepository.lock, profile)
        // Only now: what was read before the lock may have been used since.
        guard let row = try await transaction.query(selectToken, hash).first else {
            return .unknown
        }
        let (token, isUsed, isGood): (UUID, Bool, Bool) = (
            try row.get(0), try row.get(1), try row.get(2)
        )
        if isUsed {
            try await revoke(family: family, of: profile, on: transaction)
            return .reused(profileID: profile, family: family)
        }
        let successor = UUID()
        guard isGood,
            try await transaction.execute(
                renewFamily, family, pair.accessHash, pair.accessSeconds, pair.refreshSeconds) == 1
        else { return .unknown }
        try await transaction.execute(markReplaced, token, successor)
        try await transaction.execute(
            insertToken, successor, profile, pair.refreshHash, family, origin.userAgent, origin.ip)
        return .renewed(try await owner(of: family, on: transaction))
    }

    /// The login with this access token, if it may be used now.
    package static func usable(
        accessHash: [UInt8], on db: some Queryable
    ) async throws -> LoginOwner? {
        try await db.query(selectUsable, accessHash).first.map(LoginOwner.init)
    }

    /// The login that a refresh token belongs to, whatever has become of the token.
    package static func family(
        ofRefresh hash: [UInt8], on db: some Queryable
    ) async throws -> (family: UUID, profileID: UUID)? {
        guard let row = try await db.query(selectFamily, hash).first else { return nil }
        return (try row.get(0), try row.get(1))
    }

    /// Ends a login, and says so to other servers.
    package static func revoke(
        family: UUID, of profile: UUID, on transaction: Transaction
    ) async throws {
        try await CredentialRepository.takeBack(from: profile, on: transaction)
        try await transaction.execute(revokeFamily, family)
        try await transaction.execute(revokeTokens, family)
    }

    /// Ends all logins of an account but one. Returns how many.
    @discardableResult
    package static func revokeAll(
        of profile: UUID, except kept: UUID? = nil, on transaction: Transaction
    ) async throws -> Int {
        try await CredentialRepository.takeBack(from: profile, on: transaction)
        let count = try await transaction.execute(revokeFamilies, profile, kept)
        try await transaction.execute(revokeAllTokens, profile, kept)
        return count
    }

    private static func owner(
        of family: UUID, on db: some Queryable
    ) async throws -> LoginOwner {
        guard let row = try await db.query(selectOwner, family).first else {
            throw LibraryError.notFound
        }
        return try LoginOwner(row)
    }
}

extension LoginOwner {
    init(_ row: Row) throws(PostgresError) {
        family = try row.get(0)
        profileID = try row.get(1)
        handle = try row.get(2)
        role = try row.label(3)
        accessExpiresAt = try row.get(4)
        expiresAt = try row.get(5)
    }
}
