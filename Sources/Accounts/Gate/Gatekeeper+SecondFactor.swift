// The second factor: set up with a password, confirmed with its first code, taken away with another.

internal import FoundationEssentials
internal import Library
internal import Postgres

extension Gatekeeper {
    /// Makes a secret and keeps it, sealed. It counts for nothing until `confirm`.
    ///
    /// Calling it again before that makes another.
    ///
    /// - Throws: `AccountError.wrongCredentials` for a wrong password, `.conflict` when a second factor
    ///   is set up.
    package func prepareSecondFactor(
        _ principal: Principal, password: String, _ visit: Visit
    ) async throws -> TOTP {
        let account = try await account(principal)
        try await requirePassword(password, of: account, visit)
        let totp = TOTP.random()
        let secret = try sealer.seal(totp.secret, at: place(account))
        try await pool.withTransaction(as: .service) { transaction in
            guard
                try await ProfileRepository.prepareTotp(
                    secret: secret, id: account.profile.id, on: transaction)
            else {
                throw AccountError.conflict("the account has a second factor; disable it first")
            }
            try await record(account, visit, on: transaction)
        }
        return totp
    }

    /// Sets the second factor up, if the code shows that the secret has arrived.
    ///
    /// - Throws: `AccountError.codeNotAccepted`, `.secondFactorLocked`, `.conflict` when nothing was
    ///   prepared or it is set up already.
    package func confirmSecondFactor(
        _ principal: Principal, code: String, _ visit: Visit
    ) async throws {
        let account = try await account(principal)
        guard account.totpSecret != nil, !account.hasSecondFactor else {
            throw AccountError.conflict(
                account.hasSecondFactor
                    ? "the second factor is set up already"
                    : "no second factor was prepared; call `auth.totp.enable` first")
        }
        try await requireCode(code, of: account, or: .codeNotAccepted, visit)
        try await pool.withTransaction(as: .service) { try await record(account, visit, on: $0) }
    }

    /// Takes the second factor away.
    ///
    /// - Throws: `AccountError.codeNotAccepted`, `.secondFactorLocked`, `.conflict` when there is none.
    package func removeSecondFactor(
        _ principal: Principal, code: String, _ visit: Visit
    ) async throws {
        let account = try await account(principal)
        guard account.hasSecondFactor else {
            throw AccountError.conflict("the account has no second factor")
        }
        try await requireCode(code, of: account, or: .codeNotAccepted, visit)
        try await pool.withTransaction(as: .service) { transaction in
            _ = try await ProfileRepository.removeTotp(id: account.profile.id, on: transaction)
            try await record(account, visit, on: transaction)
        }
    }

    /// Refuses unless a code is one of now. What is refused is in the audit log, also where the code was
    /// not looked at any more.
    ///
    /// - Throws: `refusal`; `AccountError.secondFactorLocked`.
    func requireCode(
        _ code: String, of account: LoginProfile, or refusal: AccountError, _ visit: Visit
    ) async throws {
        var error = refusal
        do {
            if try await accepts(code, of: account) { return }
        } catch AccountError.secondFactorLocked {
            error = .secondFactorLocked
        }
        try await visit.recordFailure(of: account.profile.id, with: "code", in: pool)
        throw error
    }

    /// Whether a code is one of now, and was not accepted before. Charged before it is looked at.
    ///
    /// - Throws: `AccountError.secondFactorLocked`.
    private func accepts(_ code: String, of account: LoginProfile) async throws -> Bool {
        guard let sealed = account.totpSecret else { return false }
        let totp = TOTP(secret: try sealer.open(sealed, at: place(account)))
        let id = account.profile.id
        guard
            try await pool.withConnection(
                as: .service, { try await ProfileRepository.chargeTotp(id: id, on: $0) }
            )
        else { throw AccountError.secondFactorLocked }
        guard let step = totp.step(of: code, around: TOTP.step(at: clock())) else { return false }
        return try await pool.withConnection(as: .service) { db in
            try await ProfileRepository.acceptTotp(step: step, id: id, on: db)
        }
    }

    private func record(
        _ account: LoginProfile, _ visit: Visit, on transaction: Transaction
    ) async throws {
        try await visit.record(
            by: account.profile.id, AuditTarget(.profile, account.profile.id), on: transaction)
    }

    /// The account of somebody who is in, as it is now.
    func account(_ principal: Principal) async throws -> LoginProfile {
        let account = try await pool.withConnection(as: .service) { db in
            try await ProfileRepository.getForLogin(id: principal.profileID, on: db)
        }
        guard let account else { throw AccountError.unauthenticated }
        return account
    }

    private func place(_ account: LoginProfile) -> SealedPlace {
        Self.totpPlace(account.profile.id)
    }

    static func totpPlace(_ profile: UUID) -> SealedPlace {
        SealedPlace(.totpSecret, of: profile, row: profile)
    }
}
