// Why somebody is not let in.

/// Says nothing that would help to guess: a wrong, revoked and expired key read the same.
package enum AccountError: Error, Sendable, Equatable {
    case unauthenticated
    case forbidden(Scope)
}

extension AccountError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unauthenticated: "the API key is not valid"
        case .forbidden(let scope): "the API key does not have the scope '\(scope.rawValue)'"
        }
    }
}
