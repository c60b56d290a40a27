internal import Wire

/// Why a call came to nothing.
public enum ClientError: Error, Sendable {
    /// The server understood and refused.
    case refused(Refusal)
    /// There is no server at that address, or it does not accept.
    case cannotConnect(String)
    /// The connection ended before the answer came; whether the call took effect is unknown.
    case disconnected(String)
    /// The answer did not come in the time given; whether the call took effect is unknown.
    case timedOut(Duration)
    /// The parameters cannot be written as JSON.
    case encoding(String)
    /// The answer is not of the expected shape.
    case decoding(String)

    /// A refusal in the server's own words.
    public struct Refusal: Sendable {
        /// Why, in one word: what programs switch on.
        public let kind: String
        /// The JSON-RPC code beside the kind.
        public let code: Int
        /// Why, in a sentence for a person.
        public let message: String
        /// Which field, as a path from `params`.
        public let field: String?
        /// Whether the same call can succeed later.
        public let isRetryable: Bool
        /// When to try again.
        public let retryAfter: Duration?
        /// Names the refusal in the server's log.
        public let requestID: String?
    }
}

extension ClientError.Refusal {
    /// Reads the `error` member of an answer.
    init(_ error: JSONObject) {
        let data = error["data"]?.object
        kind = data?["kind"]?.string ?? "internal"
        code = error["code"]?.int ?? 0
        message = error["message"]?.string ?? "The server gave no reason."
        field = data?["field"]?.string
        isRetryable = data?["retryable"]?.bool ?? false
        retryAfter = data?["retryAfterMs"]?.int.map { .milliseconds($0) }
        requestID = data?["requestId"]?.string
    }
}

extension ClientError: CustomStringConvertible {
    /// Why, in a line that can be shown to anyone.
    public var description: String {
        switch self {
        case .refused(let refusal): "\(refusal.message) (\(refusal.kind))"
        case .cannotConnect(let reason): "cannot connect to \(reason)"
        case .disconnected(let reason): "the connection ended: \(reason)"
        case .timedOut(let time): "no answer within \(time)"
        case .encoding(let reason): "the parameters cannot be written as JSON: \(reason)"
        case .decoding(let reason): "the answer has another shape: \(reason)"
        }
    }
}
