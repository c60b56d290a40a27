// What coming in asks of an account: its password's hash, its second factor.

package import Postgres
package import FoundationEssentials

/// An account with what only a login may see of it.
package struct LoginProfile: Sendable, Equatable {
    package let profile: Profile
    /// `!` when there is no logging in with a password.
    package let passwordHash: String
    /// Sealed. There before its first code was accepted, too.
    package let totpSecret: [UInt8]?
    /// The step of the last code that was accepted; nil until the first was.
    package let totpLastStep: Int64?

    /// Whether a login needs a code.
    package var hasSecondFactor: Bool { totpLastStep != nil }
}

extension ProfileRepository {
    /// Wrong codes in a row after which no further one is looked at.
    package static let totpFailureLimit = 20

    /// The account of a handle, or of an email address in any case.
    package static func getForLogin(
        handle: String? = nil, email: String? = nil, on db: some Queryable
    ) async throws -> LoginProfile? {
        try await db.query(selectForLogin, handle, email).first.map(LoginProfile.init)
    }

    package static func getForLogin(id: UUID, on db: some Queryable) async throws -> LoginProfile? {
        try await db.query(selectForLoginByID, id).first.map(LoginProfile.init)
    }

    /// Replaces a password's hash; where `old` is given, only if it is still that one.
    package static func setPasswordHash(
        _ hash: String, replacing old: String? = nil, id: UUID, on db: some Queryable
    ) async throws {
        try await db.execute(updatePasswordHash, id, hash, old)
    }

    /// Keeps a sealed secret, from which codes are accepted once the first one was.
    ///
    /// Returns false when a second factor is set up already.
    package static func prepareTotp(
        secret: [UInt8], id: UUID, on db: some Queryable
    ) async throws -> Bool {
        try await db.execute(setTotpSecret, id, secret) == 1
    }

    /// Counts an attempt at a code, before the code is looked at. False when there were too many: then it
    /// must not be.
    package static func chargeTotp(id: UUID, on db: some Queryable) async throws -> Bool {
        try await db.execute(countTotp, id) == 1
    }

    /// Accepts the code of a step, which takes back what was charged.
    ///
    /// False when this step, or a later one, was accepted before: of two logins with one code, one comes
    /// in.
    package static func acceptTotp(
        step: Int64, id: UUID, on db: some Queryable
    ) async throws -> Bool {
        try await db.execute(setTotpStep, id, step) == 1
    }

    /// Forgets the second factor. Returns whether there was one.
    package static func removeTotp(id: UUID, on db: some Queryable) async throws -> Bool {
        try await db.execute(clearTotp, id) == 1
    }

    /// Secrets that are not sealed with the newest key, `limit` at most, locked for `resealTotp`.
    package static func totpSecrets(
        notBeginningWith header: [UInt8], limit: Int, on transaction: Transaction
    ) async throws -> [(id: UUID, secret: [UInt8])] {
        try await transaction.query(selectTotpSecrets, header, limit).map {
            row throws(PostgresError) in (try row.get(0), try row.get(1))
        }
    }

    package static func resealTotp(
        secret: [UInt8], id: UUID, on transaction: Transaction
    ) async throws {
        try await transaction.execute(replaceTotpSecret, id, secret)
    }
}

extension ProfileRepository {
    private static let loginColumns = "\(columns), password_hash, totp_secret_enc, totp_last_step"

    private static let selectForLogin = Statement(
        "profile.selectForLogin",
        """
        SELECT \(loginColumns)
        FROM carrel.profiles
        WHERE handle = $1 OR lower(email) = lower($2)
        """)

    private static let selectForLoginByID = Statement(
        "profile.selectForLoginByID",
        "SELECT \(loginColumns) FROM carrel.profiles WHERE id = $1")

    private static let updatePasswordHash = Statement(
        "profile.updatePasswordHash",
        """
        UPDATE carrel.profiles
        SET password_hash = $2
        WHERE id = $1 AND ($3::text IS NULL OR password_hash = $3)
        """)

    private static let setTotpSecret = Statement(
        "profile.setTotpSecret",
        """
        UPDATE carrel.profiles
        SET totp_secret_enc = $2
        WHERE id = $1 AND totp_last_step IS NULL
        """)

    private static let countTotp = Statement(
        "profile.countTotp",
        """
        UPDATE carrel.profiles
        SET totp_failures = totp_failures + 1
        WHERE id = $1 AND totp_failures < \(totpFailureLimit)
        """)

    private static let setTotpStep = Statement(
        "profile.setTotpStep",
        """
        UPDATE carrel.profiles
        SET totp_last_step = $2, totp_failures = 0
        WHERE id = $1
            AND totp_secret_enc IS NOT NULL
            AND (totp_last_step IS NULL OR totp_last_step < $2)
        """)

    private static let clearTotp = Statement(
        "profile.clearTotp",
        """
        UPDATE carrel.profiles
        SET totp_secret_enc = NULL, totp_last_step = NULL, totp_failures = 0
        WHERE id = $1 AND totp_secret_enc IS NOT NULL
        """)

    private static let selectTotpSecrets = Statement(
        "profile.selectTotpSecrets",
        """
        SELECT id, totp_secret_enc
        FROM carrel.profiles
        WHERE totp_secret_enc IS NOT NULL
            AND substring(totp_secret_enc FROM 1 FOR octet_length($1::bytea)) <> $1
        LIMIT $2
        FOR UPDATE SKIP LOCKED
        """)

    private static let replaceTotpSecret = Statement(
        "profile.replaceTotpSecret",
        "UPDATE carrel.profiles SET totp_secret_enc = $2 WHERE id = $1")
}

extension LoginProfile {
    init(_ row: Row) throws(PostgresError) {
        profile = try Profile(row)
        passwordHash = try row.get(6)
        totpSecret = try row.get(7)
        totpLastStep = try row.get(8)
    }
}
