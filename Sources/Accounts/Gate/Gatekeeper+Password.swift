// The password of somebody who is in already.

internal import Library
internal import Postgres

extension Gatekeeper {
    /// Replaces a password, and ends every other login of the account.
    ///
    /// - Throws: `AccountError.wrongCredentials` when `current` is not it; `.invalid`, `.crowded`,
    ///   `.tooManyAttempts`.
    package func changePassword(
        _ principal: Principal, from current: String, to new: String, _ visit: Visit
    ) async throws {
        let password = try Password(new: new, field: "newPassword")
        let account = try await account(principal)
        try await requirePassword(current, of: account, visit)
        let hash = try await passwords.hash(password)
        try await pool.withTransaction(as: .service) { transaction in
            try await ProfileRepository.setPasswordHash(
                hash, id: principal.profileID, on: transaction)
            try await TokenRepository.revokeAll(
                of: principal.profileID, except: principal.credential.id, on: transaction)
            try await visit.record(
                by: principal.profileID, AuditTarget(.profile, principal.profileID),
                on: transaction)
        }
    }

    /// Refuses unless it is the account's owner who asks: by the password, and a code where there is a second
    /// factor.
    ///
    /// - Throws: `AccountError.wrongCredentials`, `.codeNeeded`, `.codeNotAccepted`,
    ///   `.secondFactorLocked`, `.tooManyAttempts`, `.crowded`.
    package func requireOwner(
        _ principal: Principal, password: String, code: String?, _ visit: Visit
    ) async throws {
        let account = try await account(principal)
        try await requirePassword(password, of: account, visit)
        guard account.hasSecondFactor else { return }
        guard let code else { throw AccountError.codeNeeded }
        try await requireCode(code, of: account, or: .codeNotAccepted, visit)
    }

    /// Refuses unless the password is the account's. Attempts count like those of logins.
    func requirePassword(
        _ password: String, of account: LoginProfile, _ visit: Visit
    ) async throws {
        let verdict = try await attempt(
            LoginName(account.profile.handle), Password(password), of: account)
        guard verdict.isRight else {
            try await visit.recordFailure(of: account.profile.id, with: "password", in: pool)
            throw AccountError.wrongCredentials
        }
    }
}
