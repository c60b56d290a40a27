import Accounts
import Wire

extension Method {
    /// Codes by time, beside the password.
    static let secondFactors = [
        account(
            "auth.totp.enable", .write,
            "Makes a secret for an authenticator app; it counts once a code of it was confirmed.",
            [.string("password")]
        ) { call, principal, result in
            let password = try call.params.string("password")
            try call.params.finish()
            try principal.requireOwner()
            let totp = try await call.services.gatekeeper.prepareSecondFactor(
                principal, password: password, call.visit)
            result.member("secret", totp.base32)
            result.member("uri", totp.uri(account: principal.handle))
        },
        account(
            "auth.totp.confirm", .write, "Shows a first code: every login needs one from then on.",
            [.string("code", maximumBytes: 16)]
        ) { call, principal, result in
            let code = try call.params.string("code", maximumBytes: 16)
            try call.params.finish()
            try principal.requireOwner()
            try await call.services.gatekeeper.confirmSecondFactor(
                principal, code: code, call.visit)
            result.member("enabled", true)
        },
        account(
            "auth.totp.disable", .write, "Takes the second factor away, with one of its codes.",
            [.string("code", maximumBytes: 16)]
        ) { call, principal, result in
            let code = try call.params.string("code", maximumBytes: 16)
            try call.params.finish()
            try principal.requireOwner()
            try await call.services.gatekeeper.removeSecondFactor(
                principal, code: code, call.visit)
            result.member("enabled", false)
        },
    ]
}
