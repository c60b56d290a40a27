// Tokens: renewed once each, and ended together.

internal import FoundationEssentials
internal import Library
internal import Postgres

extension Gatekeeper {
    /// Exchanges a refresh token for new tokens; the old access token is worth nothing from then on.
    ///
    /// A refresh token is good once. When it comes a second time, somebody has a copy, and nobody can say
    /// who is the thief: the whole login ends. That holds for two requests at once too.
    ///
    /// - Throws: `AccountError.unauthenticated`, whatever is wrong with it.
    package func refresh(_ token: String, _ visit: Visit) async throws -> Admission {
        guard let token = Secret(token, .refreshToken) else { throw AccountError.unauthenticated }
        let tokens = NewTokens()
        let outcome = try await pool.withTransaction(as: .service) { transaction in
            // Not thrown in here: what a reuse revokes must be committed.
            let outcome = try await TokenRepository.refresh(
                token.hash, tokens.pair(lifetimes), from: visit.origin, on: transaction)
            try await record(outcome, visit, on: transaction)
            return outcome
        }
        switch outcome {
        case .renewed(let login): return Admission(login, tokens)
        case .reused, .unknown: throw AccountError.unauthenticated
        }
    }

    /// Ends a login by one of its refresh tokens, used or not: who shows it has had it.
    ///
    /// - Throws: `AccountError.unauthenticated` when there is no such token.
    package func logout(
        refreshToken: String, everywhere: Bool, _ visit: Visit
    ) async throws {
        guard let token = Secret(refreshToken, .refreshToken),
            let (family, profile) = try await pool.withConnection(
                as: .service,
                { db in
                    try await TokenRepository.family(ofRefresh: token.hash, on: db)
                })
        else { throw AccountError.unauthenticated }
        try await end(family, of: profile, everywhere: everywhere, visit)
    }

    /// Ends the login that somebody came in with.
    ///
    /// - Throws: `AccountError.conflict` when it was a key.
    package func logout(
        _ principal: Principal, everywhere: Bool, _ visit: Visit
    ) async throws {
        guard case .login(let family) = principal.credential else {
            throw AccountError.conflict(
                "this connection came in with an API key, which `apikey.revoke` ends")
        }
        try await end(family, of: principal.profileID, everywhere: everywhere, visit)
    }

    private func end(
        _ family: UUID, of profile: UUID, everywhere: Bool, _ visit: Visit
    ) async throws {
        try await pool.withTransaction(as: .service) { transaction in
            if everywhere {
                try await TokenRepository.revokeAll(of: profile, on: transaction)
            } else {
                try await TokenRepository.revoke(
                    family: family, of: profile, on: transaction)
            }
            try await visit.record(
                by: profile, AuditTarget(.profile, profile),
                everywhere ? ["everywhere": "true"] : [:],
                on: transaction)
        }
    }

    private func record(
        _ outcome: RefreshOutcome, _ visit: Visit, on transaction: Transaction
    ) async throws {
        switch outcome {
        case .renewed(let login):
            try await visit.record(
                by: login.profileID, AuditTarget(.profile, login.profileID), on: transaction)
        case .reused(let profile, _):
            try await visit.record(
                by: profile, AuditTarget(.profile, profile), as: "auth.refresh.reused",
                on: transaction)
        case .unknown:
            try await visit.record(
                by: nil, nil, ["method": visit.action, "with": "refreshToken"], as: "auth.failed",
                on: transaction)
        }
    }
}
