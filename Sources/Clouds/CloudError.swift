/// What a cloud refuses, or what we refuse of it. No text names an address of ours, and none holds
/// a credential.
package enum CloudError: Error, Sendable, Equatable {
    /// What was given cannot be used: a URL, a bucket, a key.
    case invalid(field: String, reason: String)
    /// The host is, or resolves to, an address that may not be asked.
    case forbiddenAddress(host: String)
    /// It may go well later: no connection, a timeout, 408, 429, 5xx, an answer that broke off.
    case unavailable(reason: String)
    /// The credentials are not good for this (401, 403). `code` is the service's own word.
    case denied(code: String)
    case notFound
    /// Redirects are not followed: they would lead credentials and requests elsewhere.
    case redirected(status: Int)
    /// Any other refusal.
    case rejected(status: Int, code: String)
    case tooLarge(limit: Int)
    case malformed(reason: String)
    /// The bytes could not be kept here.
    case local(reason: String)
    case cancelled
}

extension CloudError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalid(let field, let reason): "\(field): \(reason)"
        case .forbiddenAddress(let host): "\(host) is at an address that may not be asked"
        case .unavailable(let reason): reason
        case .denied(let code): "the credentials were refused (\(code))"
        case .notFound: "there is no such object"
        case .redirected(let status):
            "it answered with a redirect (\(status)), which is not followed"
        case .rejected(let status, let code): "it answered \(status) (\(code))"
        case .tooLarge(let limit): "it is larger than \(limit) bytes"
        case .malformed(let reason): "its answer cannot be read: \(reason)"
        case .local(let reason): reason
        case .cancelled: "cancelled"
        }
    }
}
