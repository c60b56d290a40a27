// Every error of the program leaves through here. What it says was written for the client: no
// SQL, no path, nothing of another account. What it leaves out goes to the log, under the request
// id that the client is given.

import Accounts
import Clouds
import Documents
import Embedding
import Ingestion
import Library
import Postgres
import Retrieval
import Vectors
import Wire

extension WireError {
    /// What the client is told about an error.
    init(translating error: any Error) {
        self =
            switch error {
            case let error as WireError: error
            case is CancellationError: .cancelledByClient
            case let error as PostgresError: WireError(error)
            case let error as LibraryError: WireError(error)
            case let error as AccountError: WireError(error)
            case let error as RetrievalError: WireError(error)
            case let error as IngestionError: WireError(error)
            case let error as EmbeddingError: WireError(error)
            case let error as DocumentError: WireError(error)
            case let error as VectorError: WireError(error)
            case let error as CloudError: WireError(error)
            default: .unexplained
            }
    }

    static var cancelledByClient: WireError {
        WireError(.cancelled, "The request was cancelled.")
    }

    /// The log has the rest.
    private static var unexplained: WireError {
        WireError(
            .internal, "Something went wrong on this side; the log has it under this request id.")
    }

    private static func database(_ message: String, retryAfter milliseconds: Int) -> WireError {
        WireError(.unavailable, message, retryAfterMilliseconds: milliseconds)
    }

    private init(_ error: PostgresError) {
        self =
            switch error {
            case .server(let error): WireError(error)
            case .connectionFailed, .connectionLost:
                .database("The database cannot be reached.", retryAfter: 1000)
            case .unavailable:
                .database("No connection to the database became free in time.", retryAfter: 200)
            case .cancelled: .cancelledByClient
            case .timedOut:
                .database("The database took longer than it may.", retryAfter: 1000)
            case .outcomeUnknown:
                WireError(
                    .outcomeUnknown,
                    "The connection to the database broke during the commit; whether it happened "
                        + "is not known. Retry with the same idempotency key.")
            case .invalidParameter, .decoding: .unexplained
            }
    }

    private init(_ error: ServerError) {
        switch error.sqlState {
        case .uniqueViolation:
            self.init(.conflict, "Something with this name or number exists already.")
        case .checkViolation where error.constraint == "study_sessions_status_moves":
            // The trigger's own words: "a session cannot move from ACTIVE to UPLOADING".
            self.init(.conflict, "A\(error.message.dropFirst()).", field: "status")
        case .checkViolation
        where ["folders_no_cycle", "folders_not_in_itself"].contains(error.constraint):
            self.init(
                .conflict, "A folder cannot be put into itself or below itself.", field: "parent")
        case .foreignKeyViolation:
            self.init(.notFound, "What this refers to does not exist.")
        case .insufficientPrivilege where error.isRowSecurity:
            self.init(.notFound, "What this refers to does not exist.")
        case let state where state.isWorthRetrying || state == .lockNotAvailable:
            self = .database("Another change was in the way.", retryAfter: 50)
        case let state where ["53", "57", "58"].contains(state.errorClass):
            self = .database("The database cannot do this right now.", retryAfter: 1000)
        default: self = .unexplained
        }
    }

    private init(_ error: LibraryError) {
        switch error {
        case .duplicateDocument(let existing):
            self.init(
                .conflict,
                "The session already holds this file as document \(existing.wireText).",
                got: existing.wireText)
        case .notFound: self.init(.notFound, "There is no such thing in this account.")
        case .conflict(let reason): self.init(.conflict, reason)
        case .modelChanged: self = .otherModel
        case .quotaExceeded(let quota, let wanted):
            self.init(
                .quotaExceeded,
                "The account may keep \(quota.limitBytes) bytes and keeps \(quota.usedBytes).",
                limit: Int(quota.limitBytes), expected: "at most \(quota.freeBytes) bytes",
                got: "\(wanted)")
        case .invalid(let field, let reason):
            self.init(.invalidParams, "`\(field)`: \(reason).", field: field)
        case .auditLogBroken, .migration, .unfenced: self = .unexplained
        }
    }

    private init(_ error: AccountError) {
        switch error {
        case .unauthenticated: self = .notSignedIn
        case .wrongCredentials:
            self.init(.unauthenticated, "The name, the password or the code is wrong.")
        case .codeNeeded:
            self.init(
                .unauthenticated, "This account needs a code of its second factor.", field: "code")
        case .codeNotAccepted:
            self.init(.invalidParams, "`code`: not the code of now.", field: "code")
        case .secondFactorLocked:
            self.init(
                .forbidden,
                "The second factor is locked after too many wrong codes; an administrator unlocks it.",
                field: "code")
        case .tooManyAttempts(let seconds):
            self.init(
                .busy, "There were too many attempts with this name.",
                retryAfterMilliseconds: seconds * 1000)
        case .crowded(let milliseconds):
            self.init(
                .busy, "Too many passwords are being checked.",
                retryAfterMilliseconds: milliseconds)
        case .registrationClosed:
            self.init(.forbidden, "This server takes no registrations; ask its administrator.")
        case .loginNeeded:
            self.init(
                .forbidden, "This takes a login, or a key with the scope 'admin', not bound.",
                expected: Scope.admin.rawValue)
        case .forbidden(let scope):
            self.init(
                .forbidden, "This key or account was not made for '\(scope.rawValue)'.",
                expected: scope.rawValue)
        case .invalid(let field, let reason):
            self.init(.invalidParams, "`\(field)`: \(reason).", field: field)
        case .conflict(let reason): self.init(.conflict, reason)
        }
    }

    private init(_ error: RetrievalError) {
        switch error {
        case .sessionNotFound: self = .sessionGone
        case .credentialNotValid: self = .notSignedIn
        case .modelChanged: self = .otherModel
        case .modelUnavailable(let name): self = .noEmbedder(name)
        case .notResident:
            self.init(
                .unavailable,
                "The session is too large for this server's memory; only plain dense searches are "
                    + "answered.", field: "mode")
        case .deadlineExceeded: self = .deadline
        case .invalid(let field, let reason):
            self.init(.invalidParams, "`\(field)`: \(reason).", field: field)
        }
    }

    private init(_ error: IngestionError) {
        switch error {
        case .sessionNotFound: self = .sessionGone
        case .documentNotFound:
            self.init(.notFound, "The session has no such document.", field: "document")
        case .conflict(let reason): self.init(.conflict, reason)
        case .invalid(let field, let reason):
            self.init(.invalidParams, "`\(field)`: \(reason).", field: field)
        case .modelUnavailable(let name): self = .noEmbedder(name)
        case .storage:
            self.init(
                .unavailable, "The file could not be kept.", retryAfterMilliseconds: 1000)
        }
    }

    private init(_ error: EmbeddingError) {
        switch error {
        case .cancelled: self = .cancelledByClient
        case .unavailable(_, let retryAfter):
            let milliseconds = retryAfter.map {
                $0.components.seconds * 1000 + $0.components.attoseconds / 1_000_000_000_000_000
            }
            self.init(
                .unavailable, "The embedding model cannot be reached.",
                retryAfterMilliseconds: Int(milliseconds ?? 1000))
        case .zeroVector, .notFinite:
            self.init(.invalidParams, "The model makes no usable vector of this text.")
        default:
            self.init(
                .unavailable, "The embedding model does not work as it should; the log says why.",
                retryAfterMilliseconds: 10_000)
        }
    }

    private init(_ error: DocumentError) {
        switch error {
        case .cancelled: self = .cancelledByClient
        case .extractorFailed, .timedOut, .outOfMemory:
            self.init(.unsupportedDocument, "The file could not be read (\(error.code)).")
        default: self.init(.unsupportedDocument, error.description)
        }
    }

    private init(_ error: VectorError) {
        switch error {
        case .dimensionMismatch(let expected, let got):
            self.init(
                .invalidVector, "Expected \(expected) numbers, got \(got).",
                expected: "\(expected) numbers", got: "\(got)")
        case .notFinite(let element):
            self.init(.invalidVector, "Element \(element) is not finite.", got: "[\(element)]")
        case .zeroVector:
            self.init(.invalidVector, "The vector has no direction.", got: "the zero vector")
        default: self = .unexplained
        }
    }

    private init(_ error: CloudError) {
        switch error {
        case .invalid(let field, let reason):
            self.init(.invalidParams, "`\(field)`: \(reason).", field: field)
        case .forbiddenAddress(let host):
            self.init(
                .forbidden,
                "\(host) is at an address that this server does not ask; its operator may allow it.",
                field: "endpoint")
        case .denied(let code):
            self.init(
                .forbidden, "The cloud refused the credentials (\(code)).", field: "credentials",
                got: code)
        case .unavailable(let reason):
            self.init(
                .unavailable, "The cloud does not answer: \(reason).",
                retryAfterMilliseconds: 1000)
        case .notFound: self.init(.notFound, "The cloud has no such bucket or object.")
        case .local:
            self.init(.unavailable, "The file could not be kept.", retryAfterMilliseconds: 1000)
        case .cancelled: self = .cancelledByClient
        case .redirected, .rejected, .tooLarge, .malformed:
            self.init(.conflict, "The cloud cannot be used: \(error).")
        }
    }

    /// The time the client gave has passed.
    static var deadline: WireError {
        WireError(.deadlineExceeded, "The time given by `timeoutMs` has passed.")
    }

    private static var notSignedIn: WireError {
        WireError(.unauthenticated, "The API key or token is not valid, or not any more.")
    }

    /// A handle outlived its session.
    static var sessionGone: WireError {
        WireError(.sessionClosed, "The session no longer exists.", field: "session")
    }

    private static var otherModel: WireError {
        WireError(
            .modelChanged, "The session has another embedding model now; open it again.")
    }

    private static func noEmbedder(_ name: String) -> WireError {
        WireError(
            .unavailable, "The session's model \(name) does not run on this server; give a vector.",
            retryAfterMilliseconds: 10_000)
    }
}
