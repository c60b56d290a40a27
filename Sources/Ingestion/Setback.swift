// What a worker does about an error: nobody's fault, the file's, or the world's for a while.

import Clouds
import Documents
import Embedding
import Library
import Postgres

/// Why a job did not get to its end.
enum Setback: Sendable, Equatable {
    /// The lease is lost, the job cancelled, or the worker is shutting down: touch nothing more.
    case stopped
    /// It may go well later: the job waits and is tried again, a limited number of times.
    case transient(String)
    /// It will not go well: the document is FAILED with this code and reason.
    case permanent(code: String, reason: String)

    init(_ error: any Error) {
        self =
            switch error {
            case is CancellationError, is LeaseLost: .stopped
            case let error as TooManyAttempts:
                .permanent(code: "worker_lost", reason: error.description)
            case let error as DocumentError: Setback(document: error)
            case let error as EmbeddingError: Setback(embedding: error)
            case let error as PostgresError: Setback(postgres: error)
            case let error as IngestionError: Setback(ingestion: error)
            case let error as CloudError: Setback(cloud: error)
            // The document or its session is gone, and the job with it.
            case LibraryError.notFound: .stopped
            case LibraryError.modelChanged: .transient("the session has another model now")
            case let error as LibraryError:
                .permanent(code: "refused", reason: error.description)
            default: .permanent(code: "internal", reason: "an unexpected error")
            }
    }

    private init(document error: DocumentError) {
        self =
            switch error {
            case .cancelled: .stopped
            // The helper is missing or was killed: the file is not to blame.
            case .extractorFailed: .transient(error.description)
            default: .permanent(code: error.code, reason: error.description)
            }
    }

    private init(embedding error: EmbeddingError) {
        self =
            switch error {
            case .cancelled: .stopped
            case .unavailable: .transient(error.description)
            default: .permanent(code: "embedding_failed", reason: error.description)
            }
    }

    private init(postgres error: PostgresError) {
        self =
            switch error {
            case .cancelled: .stopped
            case .connectionFailed, .connectionLost, .unavailable, .timedOut, .outcomeUnknown:
                .transient(error.description)
            case .server(let server) where server.sqlState.isTransient:
                .transient(error.description)
            // The document was deleted while its rows were being written.
            case .server(let server) where server.sqlState == .foreignKeyViolation: .stopped
            case .server, .invalidParameter, .decoding:
                .permanent(code: "internal", reason: "the database refused the document's rows")
            }
    }

    private init(cloud error: CloudError) {
        self =
            switch error {
            case .cancelled: .stopped
            case .unavailable, .local: .transient(error.description)
            default: .permanent(code: error.code, reason: error.description)
            }
    }

    private init(ingestion error: IngestionError) {
        self =
            switch error {
            case .sessionNotFound, .documentNotFound: .stopped
            // Another process, or this one after a restart, may have the model or the room.
            case .modelUnavailable, .storage: .transient(error.description)
            case .conflict, .invalid: .permanent(code: "refused", reason: error.description)
            }
    }
}

/// Every worker on the job was stopped before it could say why: the job may be what kills them.
struct TooManyAttempts: Error, CustomStringConvertible {
    let limit: Int

    var description: String { "the worker was lost \(limit) times on this job" }
}

/// Somebody else holds the job now, or it was cancelled.
struct LeaseLost: Error {}

extension SQLState {
    /// By class (the first two characters), PostgreSQL manual, appendix A: 08 connection,
    /// 40 transaction rolled back, 53 insufficient resources, 55P03 lock not available,
    /// 57 operator intervention (shutdown, cancelled).
    fileprivate var isTransient: Bool {
        ["08", "40", "53", "57"].contains(code.prefix(2)) || code == "55P03"
    }
}
