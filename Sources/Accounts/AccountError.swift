// Why somebody is not let in.

/// Says nothing that would help to guess: a wrong, revoked and expired key read the same, and so do a
/// wrong password and an unknown name.
package enum AccountError: Error, Sendable, Equatable {
    /// No key, no token, or not any more.
    case unauthenticated
    case wrongCredentials
    /// The password was right.
    case codeNeeded
    /// A code shown by somebody who is in already.
    case codeNotAccepted
    case secondFactorLocked
    case tooManyAttempts(retryAfterSeconds: Int)
    /// More passwords are waiting to be checked than may.
    case crowded(retryAfterMilliseconds: Int)
    case registrationClosed
    case loginNeeded
    case forbidden(Scope)
    case invalid(field: String, reason: String)
    case conflict(String)
}

extension AccountError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unauthenticated: "the API key or token is not valid"
        case .wrongCredentials: "the name, the password or the code is wrong"
        case .codeNeeded: "the account needs a code of its second factor"
        case .codeNotAccepted: "this is not the code of now"
        case .secondFactorLocked: "the second factor is locked after too many wrong codes"
        case .tooManyAttempts(let seconds):
            "there were too many attempts with this name; wait \(seconds) s"
        case .crowded: "too many passwords are being checked"
        case .registrationClosed: "this server takes no registrations"
        case .loginNeeded: "this takes a login, or a key with the scope 'admin'"
        case .forbidden(let scope):
            "the key or account does not have the scope '\(scope.rawValue)'"
        case .invalid(let field, let reason): "\(field): \(reason)"
        case .conflict(let reason): reason
        }
    }
}
