// Faults as a careless change would make them: statements with something taken out.

import Foundation
import Synchronization
import Testing

struct Fault: Sendable, CustomTestStringConvertible {
    /// What stands behind the predicate that is missing.
    enum Fence: Sendable {
        /// Row-level security hides the rows all the same.
        case holds
        /// Nothing: the statement is the service's own, or what it says is what is so.
        case none
    }

    let testDescription: String
    /// Who is wronged by it: whoever has things of his own, or to whom something is shared.
    let caller: String
    let fence: Fence
    /// The methods that are wrong with it.
    let methods: Set<String>
    let rewriting: Rewriting

    /// In the statements of these names (or in what is sent as text, ""), `part` becomes `replacement`.
    init(
        _ description: String, _ statements: [String], _ part: String, becomes replacement: String,
        behind fence: Fence, makesWrong methods: Set<String>, for caller: String = "ben"
    ) {
        self.init(description, behind: fence, makesWrong: methods, for: caller) { name, sql in
            statements.contains(name) ? sql.replacingOccurrences(of: part, with: replacement) : sql
        }
    }

    init(
        _ description: String, behind fence: Fence, makesWrong methods: Set<String>,
        for caller: String = "ben",
        _ change: @escaping @Sendable (_ name: String, _ sql: String) -> String
    ) {
        testDescription = description
        self.caller = caller
        self.fence = fence
        self.methods = methods
        rewriting = Rewriting(change: change)
    }
}

extension Fault {
    static let all: [Fault] = [
        Fault(
            "a session is got without asking whose it is", ["session.select"],
            "s.id = $1 AND s.profile_id = $2", becomes: "s.id = $1 AND $2::uuid IS NOT NULL",
            behind: .holds, makesWrong: ["session.get", "session.open", "apikey.create"]),
        Fault(
            "a session's status is moved without asking whose it is", ["session.updateStatus"],
            "id = $1 AND profile_id = $2", becomes: "id = $1 AND $2::uuid IS NOT NULL",
            behind: .holds, makesWrong: ["session.update"]),
        Fault(
            "a job is got without asking whose it is", ["job.selectOwned"],
            "j.id = $1 AND s.profile_id = $2", becomes: "j.id = $1 AND $2::uuid IS NOT NULL",
            behind: .holds, makesWrong: ["job.get", "job.cancel", "job.subscribe"]),
        Fault(
            "a document is got without its session", ["document.selectByID"],
            "session_id = $1 AND id = $2", becomes: "$1::uuid IS NOT NULL AND id = $2",
            behind: .holds,
            makesWrong: ["document.get", "page.list", "section.list", "chunk.list"]),
        Fault(
            "a document's text is read without its session", ["document.selectText"],
            "d.session_id = $1 AND d.id = $2", becomes: "$1::uuid IS NOT NULL AND d.id = $2",
            behind: .holds, makesWrong: ["document.text"]),
        Fault(
            "a chunk and its vector are got without their session", behind: .holds,
            makesWrong: ["chunk.get", "chunk.neighbors"]
        ) { name, sql in
            guard ["chunk.selectByID", "chunk.selectEmbedding"].contains(name) else { return sql }
            return sql.replacing("c.session_id = $1", with: "$1::uuid IS NOT NULL")
                .replacing("WHERE session_id = $1", with: "WHERE $1::uuid IS NOT NULL")
        },
        Fault(
            "a key is revoked without asking whose it is", ["apiKey.markRevoked"],
            "id = $1 AND profile_id = $2", becomes: "id = $1 AND $2::uuid IS NOT NULL",
            behind: .holds, makesWrong: ["apikey.revoke"]),
        Fault(
            "a citation is looked up without its session", ["message.selectMissing"],
            "c.session_id = $1 AND c.id = cited.id",
            becomes: "$1::uuid IS NOT NULL AND c.id = cited.id",
            behind: .holds, makesWrong: ["message.append"]),
        Fault(
            "a topic is changed without its session",
            ["topic.selectByID", "topic.update"],
            "session_id = $1 AND id = $2", becomes: "$1::uuid IS NOT NULL AND id = $2",
            behind: .holds, makesWrong: ["topic.update"]),
        Fault(
            "a borrower is deleted without its session", ["borrower.delete"],
            "session_id = $1 AND id = $2", becomes: "$1::uuid IS NOT NULL AND id = $2",
            behind: .holds, makesWrong: ["borrower.delete"]),
        Fault(
            "a reference is got without its session", ["sourceReference.selectByID"],
            "r.session_id = $1 AND r.id = $2", becomes: "$1::uuid IS NOT NULL AND r.id = $2",
            behind: .holds, makesWrong: ["citation.verify"]),
        Fault(
            "a cloud is disconnected without asking whose it is", ["cloud.delete"],
            "id = $1 AND profile_id = $2", becomes: "id = $1 AND $2::uuid IS NOT NULL",
            behind: .holds, makesWrong: ["cloud.disconnect"]),
        Fault(
            "remembered answers are kept without the account", ["idempotency.select"],
            "profile_id = $1 AND key = $2", becomes: "$1::uuid IS NOT NULL AND key = $2",
            behind: .holds, makesWrong: ["session.create"]),
        // Groups belong to several accounts, so the database is asked as the service.
        Fault(
            "groups are shown to who does not belong to them", ["group.select"],
            "g.owner_id = $1", becomes: "g.owner_id IS NOT NULL",
            behind: .none, makesWrong: ["group.delete", "group.addMember", "group.removeMember"]),
        // Sessions are read into memory by the service.
        Fault(
            "a session is read into memory with all sessions' chunks",
            behind: .none, makesWrong: searches, { name, sql in unscoped(name, sql, pinned: nil) }),
        sharedMemory,
    ]

    /// What is answered from memory.
    static let searches: Set = [
        "search", "search.batch", "search.explain", "chunk.neighbors",
    ]

    /// Whoever asks second is given what was read for the first: sessions in memory without their names.
    private static var sharedMemory: Fault {
        let first = FirstSession()
        return Fault(
            "sessions in memory are kept without the session's id",
            behind: .none, makesWrong: searches
        ) { name, sql in
            unscoped(name, sql, pinned: first)
        }
    }

    /// The reading of a session into memory, of all sessions or of the one that was read first.
    private static func unscoped(_ name: String, _ sql: String, pinned: FirstSession?) -> String {
        if ["snapshot.selectDocuments", "snapshot.selectSections"].contains(name) {
            return sql.replacing(/(s\.)?session_id = \$1/, with: "$1::uuid IS NOT NULL")
        }
        guard name.isEmpty, let match = sql.firstMatch(of: /session_id = '([0-9A-F-]{36})'/) else {
            return sql
        }
        let id = pinned.map { "session_id = '\($0.id(or: String(match.1)))'" } ?? "true"
        return sql.replacing(match.0, with: id)
    }

    private final class FirstSession: Sendable {
        private let known = Mutex<String?>(nil)

        func id(or later: String) -> String {
            known.withLock { known in
                known = known ?? later
                return known ?? later
            }
        }
    }

    // MARK: Sharing

    /// What concerns those to whom something is shared. What is in memory is shown by what the service
    /// finds to be shared, so there searches have that one fence; what is read from the database has both.
    static let sharing: [Fault] = [
        Fault(
            "a share is good after it has expired", ["share.selectVisible", "share.selectSession"],
            "(s.expires_at IS NULL OR s.expires_at > clock_timestamp())", becomes: "true",
            behind: .holds, makesWrong: readings, for: "carol"),
        Fault(
            "a share is good for everybody", ["share.selectVisible", "share.selectSession"],
            "s.recipient_id = $2", becomes: "$2::uuid IS NOT NULL",
            behind: .holds, makesWrong: readings, for: "carol"),
        Fault(
            "a share to a group is good for who has left it",
            ["share.selectVisible", "share.selectSession"],
            "WHERE m.profile_id = $2", becomes: "",
            behind: .holds, makesWrong: readings, for: "carol"),
        Fault(
            "a revoked share stays", ["share.delete"],
            "DELETE FROM carrel.shares WHERE session_id = $1 AND id = $2 RETURNING document_id",
            becomes: "SELECT document_id FROM carrel.shares WHERE session_id = $1 AND id = $2",
            behind: .none, makesWrong: readings, for: "carol"),
    ]

    private static let readings: Set = [
        "search", "search.batch", "search.explain", "document.get", "document.list",
        "document.text", "page.list", "section.list", "chunk.get", "chunk.list", "chunk.neighbors",
    ]
}
