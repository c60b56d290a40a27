import Accounts
import Library
import Retrieval
import Wire

extension Method {
    /// Coming in, staying, leaving.
    static let authentication = [
        open(
            "auth.register", needs: .initialized, "Makes an account and logs in.",
            [
                .string("handle", maximumBytes: 64), .string("email", maximumBytes: 254),
                .string("password"),
            ]
        ) { call, result in
            let handle = try call.params.string("handle", maximumBytes: 64)
            let email = try call.params.string("email", maximumBytes: 254)
            let password = try call.params.string("password")
            try call.params.finish()
            try requireStranger(call)
            let admission = try await call.services.gatekeeper.register(
                handle: handle, email: email, password: password, call.visit)
            enter(admission, call, &result)
        },
        open(
            "auth.login", needs: .initialized,
            "Logs in with a handle or an email address; the connection is the account's from then on.",
            [
                .string("login", maximumBytes: 254), .string("password"),
                .optionalString("code", maximumBytes: 16),
            ]
        ) { call, result in
            let login = try call.params.string("login", maximumBytes: 254)
            let password = try call.params.string("password")
            let code = try call.params.optionalString("code", maximumBytes: 16)
            try call.params.finish()
            try requireStranger(call)
            let admission = try await call.services.gatekeeper.login(
                login, password: password, code: code, call.visit)
            enter(admission, call, &result)
        },
        open(
            "auth.refresh", needs: .initialized, "Exchanges a refresh token, once, for new tokens.",
            [.string("refreshToken", maximumBytes: 64)]
        ) { call, result in
            let token = try call.params.string("refreshToken", maximumBytes: 64)
            try call.params.finish()
            let admission = try await call.services.gatekeeper.refresh(token, call.visit)
            enter(admission, call, &result)
        },
        open(
            "auth.logout", needs: .initialized,
            "Ends this connection's login, or the one a refresh token belongs to; or all of the account's.",
            [.optionalString("refreshToken", maximumBytes: 64), .optionalFlag("everywhere")]
        ) { call, result in
            let token = try call.params.optionalString("refreshToken", maximumBytes: 64)
            let everywhere = try call.params.optionalFlag("everywhere") ?? false
            try call.params.finish()
            let gatekeeper = call.services.gatekeeper
            if let token {
                try await gatekeeper.logout(
                    refreshToken: token, everywhere: everywhere, call.visit)
            } else if let principal = call.peer.principal {
                try await gatekeeper.logout(principal, everywhere: everywhere, call.visit)
                call.peer.leave()
            } else {
                throw WireError(.unauthenticated, "Nobody is logged in here.")
            }
            call.revoked()
            result.member("loggedOut", true)
        },
        account(
            "auth.password.change", .write,
            "Replaces the password and ends the account's other logins.",
            [.string("password"), .string("newPassword")]
        ) { call, principal, result in
            let password = try call.params.string("password")
            let new = try call.params.string("newPassword")
            try call.params.finish()
            try principal.requireOwner()
            try await call.services.gatekeeper.changePassword(
                principal, from: password, to: new, call.visit)
            call.revoked()
            result.member("changed", true)
        },
    ]

    private static func requireStranger(_ call: Call) throws(WireError) {
        guard call.peer.principal == nil else {
            throw WireError(
                .invalidRequest, "Somebody is in on this connection already: log out first.")
        }
    }

    private static func enter(
        _ admission: Admission, _ call: Call, _ result: inout JSONWriter
    ) {
        // Of two logins at once on one connection the second has tokens, and the first the connection.
        _ = call.peer.enter(admission.principal)
        result.object("profile") {
            $0.member("id", admission.principal.profileID)
            $0.member("handle", admission.principal.handle)
            $0.member("role", admission.principal.role.rawValue)
        }
        result.member("accessToken", admission.accessToken.text)
        result.member("accessExpiresAt", admission.accessExpiresAt)
        result.member("refreshToken", admission.refreshToken.text)
        result.member("refreshExpiresAt", admission.refreshExpiresAt)
    }
}

extension Call {
    /// This request, as the audit log and the list of logins name it.
    var visit: Visit {
        Visit(method, userAgent: peer.client, ip: peer.address, requestID: requestID)
    }

    /// A key, a login or an account was shut out: this server's own searches need no notification of
    /// it.
    func revoked() { services.searcher.snapshots?.vouchers.forgetAll() }
}
