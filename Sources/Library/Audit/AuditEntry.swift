// One entry of the audit log, and what it may be about.

package import Postgres
package import FoundationEssentials

/// What an action was done to.
package struct AuditTarget: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case profile
        case apiKey = "api_key"
        case session
        case document
        case folder
        case share
        case group
        case quota
        case cloudConnection = "cloud_connection"
        case borrower
    }

    package let kind: Kind
    package let id: UUID

    package init(_ kind: Kind, _ id: UUID) {
        self.kind = kind
        self.id = id
    }
}

/// An entry as it is read back.
package struct AuditEntry: Sendable, Equatable {
    /// Its number in the chain, from 1 without a gap.
    package let id: Int64
    package let at: Date
    /// The account that acted, or as which somebody tried to; nil when there is no such account.
    package let actorID: UUID?
    package let action: String
    /// As it was written, which may be by a newer program than this.
    package let targetType: String?
    package let targetID: UUID?
    package let sessionID: UUID?
    package let ip: INET?
    package let requestID: String?
    /// JSON text, an object.
    package let metadata: String
    /// SHA-256 over everything above and the entry before; what to keep elsewhere.
    package let hash: [UInt8]
}

/// The last entry seen of a listing, newest first.
package struct AuditCursor: Sendable, Equatable, Codable {
    package let at: Date
    package let id: Int64

    package init(at: Date, id: Int64) {
        self.at = at
        self.id = id
    }
}

extension AuditEntry {
    init(_ row: Row) throws(PostgresError) {
        id = try row.get(0)
        at = try row.get(1)
        actorID = try row.get(2)
        action = try row.get(3)
        targetType = try row.get(4)
        targetID = try row.get(5)
        sessionID = try row.get(6)
        ip = try row.get(7)
        requestID = try row.get(8)
        metadata = try row.get(9)
        hash = try row.get(10)
    }
}
