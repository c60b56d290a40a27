/// What ingestion refuses or cannot do by itself. What the modules below refuse passes through:
/// `LibraryError.duplicateDocument` for bytes the session already holds, `DocumentError`,
/// `EmbeddingError`, `PostgresError`.
package enum IngestionError: Error, Sendable, Equatable {
    case sessionNotFound
    case documentNotFound
    /// A state that forbids what was asked. The text may be shown to anyone.
    case conflict(String)
    case invalid(field: String, reason: String)
    /// This process has no embedder for the session's model.
    case modelUnavailable(name: String)
    /// A file could not be read or written; never names a path.
    case storage(String)
}

extension IngestionError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .sessionNotFound: "no such session"
        case .documentNotFound: "no such document"
        case .conflict(let reason): reason
        case .invalid(let field, let reason): "\(field): \(reason)"
        case .modelUnavailable(let name): "no embedder for the session's model \(name) runs here"
        case .storage(let reason): reason
        }
    }
}
