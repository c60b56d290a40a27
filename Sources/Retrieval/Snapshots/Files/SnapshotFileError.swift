/// Why a file of a session cannot be used. None of these loses anything: the session is read from
/// PostgreSQL instead, and the file written anew.
package enum SnapshotFileError: Error, Sendable, Equatable {
    case missing
    /// Not the bytes that were written.
    case damaged(reason: String)
    /// Written by another version of this program.
    case otherFormat(expected: UInt32, got: UInt32)
    /// Of another session than its name says.
    case otherSession
    /// Its codes belong to another rotation than the model's.
    case otherRotation
    /// The system's word for what went wrong.
    case storage(reason: String)
}

extension SnapshotFileError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing: "there is no file of this session"
        case .damaged(let reason): "the session's file is damaged: \(reason)"
        case .otherFormat(let expected, let got):
            "the session's file has format \(got), expected \(expected)"
        case .otherSession: "the file is of another session"
        case .otherRotation: "the codes in the session's file belong to another rotation"
        case .storage(let reason): reason
        }
    }
}
