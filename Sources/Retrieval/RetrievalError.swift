package import Foundation

/// Why a search was not answered. Failures of the database or an embedder keep their own type.
package enum RetrievalError: Error, Sendable, Equatable {
    case sessionNotFound
    /// The key that asks was revoked or has expired, or its account was closed.
    case credentialNotValid
    /// The session's vectors are no longer those of the model the caller expects.
    case modelChanged(expected: UUID, got: UUID)
    /// This process has no embedder for the session's model, so it cannot embed a text.
    case modelUnavailable(name: String)
    /// The session is too large to be held in memory, and words are ranked only there.
    case notResident
    case deadlineExceeded
    case invalid(field: String, reason: String)
}

extension RetrievalError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .sessionNotFound: "no such session"
        case .credentialNotValid: "the key or login is not valid"
        case .modelChanged: "the session's embedding model has changed; open the session again"
        case .modelUnavailable(let name): "no embedder for the session's model \(name) runs here"
        case .notResident:
            "the session is too large for this server's memory; only dense searches are answered"
        case .deadlineExceeded: "the search ran out of time"
        case .invalid(let field, let reason): "\(field): \(reason)"
        }
    }
}
