// Is the log as it was written? Every entry is hashed again, here and not by the database's function.
//
// What this cannot see: whoever may rewrite the whole database may also compute a new chain that
// holds together. Against that helps only a hash kept elsewhere: any entry's, named by `kept`, must
// still be in the chain, and it vouches for everything before it.

internal import Crypto

/// What is wrong with the log, and where.
package enum AuditFinding: Sendable, Equatable {
    /// What the entry says is not what was hashed.
    case edited(Int64)
    /// The entry was not written after the one that stands before it.
    case displaced(Int64)
    /// Entries of these numbers are gone.
    case missing(ClosedRange<Int64>)
    /// The head names another entry as the last.
    case tail(last: Int64, head: Int64)
    /// The end of the chain is not recorded any more.
    case headMissing
    /// The hash kept elsewhere is no entry's.
    case keptHashMissing
}

/// One entry as it is hashed: every column as text, in order, and the two hashes it claims.
package struct AuditLink: Sendable {
    package let id: Int64
    package let fields: [String?]
    package let previousHash: [UInt8]
    package let hash: [UInt8]

    package init(id: Int64, fields: [String?], previousHash: [UInt8], hash: [UInt8]) {
        self.id = id
        self.fields = fields
        self.previousHash = previousHash
        self.hash = hash
    }

    /// SHA-256 of the previous hash and the fields: each its length in four bytes and its UTF-8, or
    /// four bytes of ones.
    package var computedHash: [UInt8] {
        var hasher = SHA256()
        hasher.update(data: previousHash)
        for field in fields {
            let bytes = field.map { Array($0.utf8) }
            let length = bytes.map { UInt32($0.count) } ?? .max
            hasher.update(data: (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) })
            if let bytes { hasher.update(data: bytes) }
        }
        return Array(hasher.finalize())
    }
}

/// Takes the entries in the order of their numbers and keeps what is wrong.
package struct AuditChain: Sendable {
    package static let beginning = [UInt8](repeating: 0, count: 32)

    package private(set) var findings: [AuditFinding] = []
    package private(set) var count = 0
    /// The number of the last entry taken; 0 before the first.
    package private(set) var last: Int64 = 0
    /// Its hash: what to keep elsewhere.
    package private(set) var hash = AuditChain.beginning
    private let kept: [UInt8]?
    private var hasSeenKept: Bool

    /// `kept` is a hash printed earlier, which must be there.
    package init(kept: [UInt8]? = nil) {
        self.kept = kept
        hasSeenKept = kept == nil || kept == AuditChain.beginning
    }

    package mutating func take(_ link: AuditLink) {
        if link.id > last + 1 { findings.append(.missing(last + 1...link.id - 1)) }
        // After a gap the hashes differ too, which says nothing new.
        if link.id == last + 1, link.previousHash != hash { findings.append(.displaced(link.id)) }
        if link.computedHash != link.hash { findings.append(.edited(link.id)) }
        if link.hash == kept { hasSeenKept = true }
        count += 1
        last = link.id
        hash = link.hash
    }

    /// Compares the end with the head's, nil when there is none.
    package mutating func end(head: (id: Int64, hash: [UInt8])?) {
        if let head {
            if head.id != last || head.hash != hash {
                findings.append(.tail(last: last, head: head.id))
            }
        } else {
            findings.append(.headMissing)
        }
        if !hasSeenKept { findings.append(.keptHashMissing) }
    }
}

extension AuditFinding: CustomStringConvertible {
    package var description: String {
        switch self {
        case .edited(let id): "entry \(id) was edited"
        case .displaced(let id): "entry \(id) does not follow the one before it"
        case .missing(let ids) where ids.count == 1: "entry \(ids.lowerBound) was deleted"
        case .missing(let ids): "entries \(ids.lowerBound) to \(ids.upperBound) were deleted"
        case .tail(let last, let head) where last != head:
            "the log ends with entry \(last), but \(head) was the last written"
        case .tail(let last, _): "entry \(last) is not the last one written"
        case .headMissing: "the record of the last entry is gone"
        case .keptHashMissing: "no entry has the hash that was kept: the log was written anew"
        }
    }
}
