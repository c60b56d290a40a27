// Why a migration run did not start, or stopped.

/// Nothing of the step named in a case was kept; the steps before it were.
package enum MigrationError: Error, Sendable, Equatable {
    /// PostgreSQL or pgvector is missing something, with what to do about it.
    case unsupported(String)
    /// A role is missing, or the connection's has not the rights; with what to do about it.
    case roles(String)
    /// The file of an applied migration is not what was applied.
    case changed(number: Int, name: String, applied: String, file: String)
    /// The database has a migration that this program does not know: it is newer.
    case unknown(number: Int, name: String)
    /// A migration is missing from the database although a later one is there.
    case gap(missing: Int, present: Int)
    /// There is no migration of this number.
    case noSuchNumber(Int, last: Int)
    /// PostgreSQL refused a step.
    case failed(number: Int, name: String, reason: String)
}

extension MigrationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unsupported(let reason), .roles(let reason): reason
        case .changed(let number, let name, let applied, let file):
            """
            migration \(number) (\(name)) was changed after it was applied: expected SHA-256 \
            \(applied.prefix(12))…, the file has \(file.prefix(12))…; restore the file and put \
            the change into a new migration
            """
        case .unknown(let number, let name):
            """
            the database has migration \(number) (\(name)), which this program does not know; \
            use a program at least as new as the database
            """
        case .gap(let missing, let present):
            "the database has migration \(present) but not \(missing)"
        case .noSuchNumber(let number, let last):
            "there is no migration \(number); the last one is \(last)"
        case .failed(let number, let name, let reason):
            "migration \(number) (\(name)) failed and was undone: \(reason)"
        }
    }
}
