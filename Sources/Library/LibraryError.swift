// What the library refuses by itself. What PostgreSQL refuses passes through as `PostgresError`.

package import FoundationEssentials

/// Why a write or a migration was refused.
package enum LibraryError: Error, Sendable, Equatable {
    /// The session already holds a document with these bytes.
    case duplicateDocument(existing: UUID)

    /// Not there, or another account's: the two are not told apart.
    case notFound

    /// Something with this name or number exists already. The text may be shown to anyone.
    case conflict(String)

    /// The session's vectors are those of another model now.
    case modelChanged

    /// The account would keep more bytes than it may.
    case quotaExceeded(Quota, wanted: Int64)

    /// A value that cannot be stored, and which one.
    case invalid(field: String, reason: String)

    /// The end of the audit log's chain is not there: nothing that must be logged can be done.
    case auditLogBroken

    /// A migration run refused or failed; nothing of the step it names was kept.
    case migration(MigrationError)

    /// Row-level security would not hide rows from this connection.
    case unfenced(String)
}

extension LibraryError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .duplicateDocument(let existing):
            "the session already holds this file as document \(existing.uuidString.lowercased())"
        case .notFound: "not found"
        case .conflict(let reason): reason
        case .modelChanged: "the session has another embedding model now"
        case .quotaExceeded(let quota, let wanted):
            "expected at most \(quota.freeBytes) bytes more, got \(wanted)"
        case .invalid(let field, let reason): "\(field): \(reason)"
        case .auditLogBroken: "the audit log has no end to add to"
        case .migration(let error): error.description
        case .unfenced(let reason): reason
        }
    }
}
