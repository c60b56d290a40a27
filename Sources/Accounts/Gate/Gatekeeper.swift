// Who comes in, and how long they may stay. What a login takes is in Gatekeeper+Login.swift, what
// keeps it alive in +Tokens.swift, the second factor in +SecondFactor.swift, passwords in +Password.swift.

internal import Library
package import Postgres

/// Registers, logs in and out, and checks again before every request.
///
/// Passwords and codes are looked at outside of any transaction and with no connection in hand: a
/// hundred people who wait for their password to be checked keep nobody else from the database.
package struct Gatekeeper: Sendable {
    /// How long tokens are good, in seconds.
    package struct Lifetimes: Sendable {
        /// The connection needs a new one by then; until then a copy of it is worth something.
        package var access = 15 * 60
        /// From each renewal; who stays away for longer logs in again.
        package var refresh = 30 * 24 * 3600

        package init() {}
    }

    let pool: Pool
    let passwords: PasswordLane
    let sealer: Sealer
    /// Whether anybody may make an account.
    package let isRegistrationOpen: Bool
    let lifetimes: Lifetimes
    /// Seconds since 1970, for one-time passwords.
    let clock: @Sendable () -> Int64

    package init(
        pool: Pool, passwords: PasswordLane, sealer: Sealer, isRegistrationOpen: Bool = false,
        lifetimes: Lifetimes = Lifetimes(),
        clock: @escaping @Sendable () -> Int64 = Gatekeeper.systemClock
    ) {
        self.pool = pool
        self.passwords = passwords
        self.sealer = sealer
        self.isRegistrationOpen = isRegistrationOpen
        self.lifetimes = lifetimes
        self.clock = clock
    }

    /// Who is there still, with the role they have now: one read by primary keys.
    ///
    /// - Throws: `AccountError.unauthenticated` when the key was revoked, the login ended or its access
    ///   token ran out, or the account was deactivated, by whichever server.
    package func recheck(_ principal: Principal) async throws -> Principal {
        let role = try await pool.withConnection(as: principal.asker) { db in
            try await CredentialRepository.role(
                of: principal.profileID, by: principal.credential.id, on: db)
        }
        guard let role else { throw AccountError.unauthenticated }
        return role == principal.role ? principal : principal.acting(as: role)
    }

    /// Who presents this key.
    ///
    /// - Throws: `AccountError.unauthenticated`.
    package func enter(apiKey: String) async throws -> Principal {
        try await pool.withConnection(as: .service) {
            try await KeyService.authenticate(apiKey, on: $0)
        }
    }

    /// Who presents this access token.
    ///
    /// - Throws: `AccountError.unauthenticated`.
    package func enter(accessToken: String) async throws -> Principal {
        guard let token = Secret(accessToken, .accessToken),
            let login = try await pool.withConnection(
                as: .service,
                { db in
                    try await TokenRepository.usable(accessHash: token.hash, on: db)
                })
        else { throw AccountError.unauthenticated }
        return Principal(login)
    }
}
