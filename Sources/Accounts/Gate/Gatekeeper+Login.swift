// A name and a password, and what is done so that nobody learns more from a refusal than that it is one.

package import FoundationEssentials
package import Library
internal import Postgres

extension Gatekeeper {
    /// Makes an account and logs it in.
    ///
    /// - Throws: `AccountError.registrationClosed`, `.invalid`, `.crowded`; `LibraryError.conflict` when
    ///   the handle or the address is taken.
    package func register(
        handle: String, email: String, password: String, _ visit: Visit
    ) async throws -> Admission {
        guard isRegistrationOpen else { throw AccountError.registrationClosed }
        let name = try AccountName(handle: handle, email: email)
        let hash = try await passwords.hash(try Password(new: password))
        let tokens = NewTokens()
        let login = try await pool.withTransaction(as: .service) { transaction in
            let profile = try await ProfileRepository.create(
                handle: name.handle, email: name.email, passwordHash: hash, on: transaction)
            let login = try await TokenRepository.begin(
                profileID: profile.id, tokens.pair(lifetimes), from: visit.origin, on: transaction)
            try await visit.record(
                by: profile.id, AuditTarget(.profile, profile.id), on: transaction)
            return login
        }
        return Admission(login, tokens)
    }

    /// Makes an account for somebody else.
    ///
    /// - Throws: as `register`.
    package func createAccount(
        handle: String, email: String, password: String, role: AccountRole, by actor: UUID?,
        _ visit: Visit
    ) async throws -> Profile {
        let name = try AccountName(handle: handle, email: email)
        let hash = try await passwords.hash(try Password(new: password))
        return try await pool.withTransaction(as: .service) { transaction in
            try await Administration.create(
                name, passwordHash: hash, role: role, by: actor, visit, on: transaction)
        }
    }

    /// Logs in with a handle or an email address, a password and, where there is a second factor, its
    /// code.
    ///
    /// An unknown name, an account that is not active and one without a password cost the same work and
    /// get the same answer as a wrong password. Attempts are counted by name before anything is looked
    /// at (`LoginAttemptRepository`), codes by account (`ProfileRepository.totpFailureLimit`).
    ///
    /// - Throws: `AccountError.wrongCredentials`, `.codeNeeded`, `.secondFactorLocked`,
    ///   `.tooManyAttempts`, `.crowded`.
    package func login(
        _ name: String, password: String, code: String? = nil, _ visit: Visit
    ) async throws -> Admission {
        let name = LoginName(name)
        let account = try await pool.withConnection(as: .service) { db in
            try await ProfileRepository.getForLogin(
                handle: name.handle, email: name.email, on: db)
        }
        let verdict = try await attempt(name, Password(password), of: account)
        guard let account, verdict.isRight else {
            try await visit.recordFailure(of: account?.profile.id, with: "password", in: pool)
            throw AccountError.wrongCredentials
        }
        if account.hasSecondFactor {
            guard let code else { throw AccountError.codeNeeded }
            try await requireCode(code, of: account, or: .wrongCredentials, visit)
        }
        let tokens = NewTokens()
        let login = try await pool.withTransaction(as: .service) { transaction in
            if let hash = verdict.newHash {
                try await ProfileRepository.setPasswordHash(
                    hash, replacing: account.passwordHash, id: account.profile.id, on: transaction)
            }
            let login = try await TokenRepository.begin(
                profileID: account.profile.id, tokens.pair(lifetimes), from: visit.origin,
                on: transaction)
            try await visit.record(
                by: login.profileID, AuditTarget(.profile, login.profileID), on: transaction)
            return login
        }
        return Admission(login, tokens)
    }

    /// Compares a password, which is counted before and forgiven if it was right.
    func attempt(
        _ name: LoginName, _ password: Password, of account: LoginProfile?
    ) async throws -> PasswordLane.Verdict {
        let pause = try await pool.withConnection(as: .service) { db in
            try await LoginAttemptRepository.charge(name.hash, on: db)
        }
        if let pause { throw AccountError.tooManyAttempts(retryAfterSeconds: pause) }
        let mayEnter = account.map { $0.profile.isActive && $0.passwordHash != noPassword }
        let verdict: PasswordLane.Verdict
        do {
            verdict = try await passwords.verify(
                password, against: mayEnter == true ? account?.passwordHash : nil)
        } catch {
            try await pool.withConnection(as: .service) { db in
                try await LoginAttemptRepository.refund(name.hash, on: db)
            }
            throw error
        }
        if verdict.isRight {
            try await pool.withConnection(as: .service) { db in
                try await LoginAttemptRepository.forget(name.hash, on: db)
            }
        }
        return verdict
    }

}

/// As in /etc/shadow: no password hashes to it, so there is no logging in with one.
let noPassword = "!"
