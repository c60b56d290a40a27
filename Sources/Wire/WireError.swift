// The table of errors of docs/protocol.md, and nothing else. Clients switch on `kind`.

/// A refusal as it goes over the wire.
///
/// Its message is for a person on the other side: it never holds SQL, a path, or anything of
/// another account.
package struct WireError: Error, Sendable, Equatable {
    /// Why, in one word.
    package var kind: Kind
    /// Why, in a sentence.
    package var message: String
    /// Which field, as a path from `params`: `filter.pages[1]`.
    package var field: String?
    /// The bound that was passed.
    package var limit: Int?
    /// What should have stood there.
    package var expected: String?
    /// What stood there.
    package var got: String?
    /// When to try again.
    package var retryAfterMilliseconds: Int?

    /// A refusal of a kind, for a reason.
    package init(
        _ kind: Kind, _ message: String, field: String? = nil, limit: Int? = nil,
        expected: String? = nil, got: String? = nil, retryAfterMilliseconds: Int? = nil
    ) {
        self.kind = kind
        self.message = message
        self.field = field
        self.limit = limit
        self.expected = expected
        self.got = got
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    /// Why a request was refused, by name.
    package enum Kind: String, Sendable, CaseIterable {
        case parseError = "parse_error"
        case invalidRequest = "invalid_request"
        case batchUnsupported = "batch_unsupported"
        case methodNotFound = "method_not_found"
        case invalidParams = "invalid_params"
        case `internal` = "internal"
        case unauthenticated
        case notInitialized = "not_initialized"
        case forbidden
        case notFound = "not_found"
        case busy
        case quotaExceeded = "quota_exceeded"
        case sessionClosed = "session_closed"
        case invalidVector = "invalid_vector"
        case modelChanged = "model_changed"
        case frameTooLarge = "frame_too_large"
        case deadlineExceeded = "deadline_exceeded"
        case conflict
        case draining
        case unavailable
        case unsupportedDocument = "unsupported_document"
        case outcomeUnknown = "outcome_unknown"
        case cancelled

        /// The number beside the name.
        package var code: Int {
            switch self {
            case .parseError: -32700
            case .invalidRequest, .batchUnsupported: -32600
            case .methodNotFound: -32601
            case .invalidParams: -32602
            case .internal: -32603
            case .unauthenticated: -32001
            case .notInitialized: -32002
            case .forbidden: -32003
            case .notFound: -32004
            case .busy: -32005
            case .quotaExceeded: -32006
            case .sessionClosed: -32007
            case .invalidVector: -32008
            case .modelChanged: -32009
            case .frameTooLarge: -32010
            case .deadlineExceeded: -32011
            case .conflict: -32012
            case .draining: -32013
            case .unavailable: -32014
            case .unsupportedDocument: -32015
            case .outcomeUnknown: -32016
            case .cancelled: -32800
            }
        }

        /// Whether the same request can succeed later; `draining` elsewhere, `outcome_unknown`
        /// with the same idempotency key, `model_changed` after opening the session again.
        package var isRetryable: Bool {
            switch self {
            case .internal, .busy, .modelChanged, .deadlineExceeded, .draining, .unavailable,
                .outcomeUnknown:
                true
            default: false
            }
        }
    }

    /// `parse_error`, with what is wrong.
    static func parse(_ message: String) -> WireError { WireError(.parseError, message) }

    /// `invalid_params`: a field holds what it should not.
    package static func invalid(
        _ field: String, expected: String, got: String? = nil
    ) -> WireError {
        WireError(
            .invalidParams,
            got.map { "`\(field)`: expected \(expected), got \($0)." }
                ?? "`\(field)`: expected \(expected).",
            field: field, expected: expected, got: got)
    }

    /// `invalid_params`: a field is absent.
    package static func missing(_ field: String) -> WireError {
        WireError(.invalidParams, "`\(field)` is missing.", field: field, got: "nothing")
    }
}

extension WireError: CustomStringConvertible {
    package var description: String { "\(kind.rawValue) (\(kind.code)): \(message)" }
}
