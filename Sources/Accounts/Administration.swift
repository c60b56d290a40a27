// What administrators do to accounts, over the socket or, with the database in hand, by command.

package import FoundationEssentials
package import Library
package import Postgres

package enum Administration {
    /// Makes an account.
    ///
    /// - Throws: `LibraryError.conflict` when the handle or the address is taken.
    package static func create(
        _ name: AccountName, passwordHash: String, role: AccountRole, by actor: UUID?,
        _ visit: Visit, on transaction: Transaction
    ) async throws -> Profile {
        let profile = try await ProfileRepository.create(
            handle: name.handle, email: name.email, passwordHash: passwordHash, role: role,
            on: transaction)
        try await visit.record(
            by: actor, AuditTarget(.profile, profile.id), ["role": role.rawValue], on: transaction)
        return profile
    }

    /// Shuts an account out: its logins end for good, its keys work again when it is let in again.
    ///
    /// - Throws: `LibraryError.notFound`; `.conflict` for the last administrator.
    @Sendable package static func deactivate(
        _ id: UUID, by actor: UUID?, _ visit: Visit, on transaction: Transaction
    ) async throws -> Profile {
        let profile = try await ProfileRepository.setActive(false, id: id, on: transaction)
        try await TokenRepository.revokeAll(of: id, on: transaction)
        try await visit.record(by: actor, AuditTarget(.profile, id), on: transaction)
        return profile
    }

    /// Lets an account in again.
    ///
    /// - Throws: `LibraryError.notFound`.
    @Sendable package static func reactivate(
        _ id: UUID, by actor: UUID?, _ visit: Visit, on transaction: Transaction
    ) async throws -> Profile {
        let profile = try await ProfileRepository.setActive(true, id: id, on: transaction)
        try await visit.record(by: actor, AuditTarget(.profile, id), on: transaction)
        return profile
    }

    /// Makes an account an administrator, or takes that back.
    ///
    /// - Throws: `LibraryError.notFound`; `.conflict` for the last administrator.
    package static func setRole(
        _ role: AccountRole, of id: UUID, by actor: UUID?, _ visit: Visit,
        on transaction: Transaction
    ) async throws -> Profile {
        let profile = try await ProfileRepository.setRole(role, id: id, on: transaction)
        try await visit.record(
            by: actor, AuditTarget(.profile, id), ["role": role.rawValue], on: transaction)
        return profile
    }

    /// Deletes an account with everything that is its own. What the audit log says of it stays.
    ///
    /// - Throws: `LibraryError.notFound`; `.conflict` for the last administrator.
    package static func delete(
        _ id: UUID, by actor: UUID?, _ visit: Visit, on transaction: Transaction
    ) async throws -> AccountRemains {
        let remains = try await ProfileRepository.delete(id: id, on: transaction)
        try await visit.record(
            by: actor, AuditTarget(.profile, id), ["sessions": "\(remains.sessions.count)"],
            on: transaction)
        return remains
    }

    /// Lets codes of the second factor be looked at again after too many wrong ones.
    ///
    /// - Throws: `LibraryError.notFound`.
    @Sendable package static func unlock(
        _ id: UUID, by actor: UUID?, _ visit: Visit, on transaction: Transaction
    ) async throws -> Profile {
        let profile = try await ProfileRepository.unlockTotp(id: id, on: transaction)
        try await visit.record(by: actor, AuditTarget(.profile, id), on: transaction)
        return profile
    }

    /// Gives an account another password and ends its logins; for whoever has forgotten theirs, without
    /// the second factor, if that is lost too.
    package static func resetPassword(
        hash: String, removingSecondFactor: Bool, of id: UUID, by actor: UUID?, _ visit: Visit,
        on transaction: Transaction
    ) async throws {
        try await ProfileRepository.setPasswordHash(hash, id: id, on: transaction)
        if removingSecondFactor {
            _ = try await ProfileRepository.removeTotp(id: id, on: transaction)
        }
        try await TokenRepository.revokeAll(of: id, on: transaction)
        try await visit.record(
            by: actor, AuditTarget(.profile, id),
            removingSecondFactor ? ["secondFactor": "removed"] : [:], on: transaction)
    }
}
