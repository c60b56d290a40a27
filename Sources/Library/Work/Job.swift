// One job, as stored.

internal import Postgres
package import FoundationEssentials

package enum JobKind: String, Sendable, Codable, CaseIterable {
    case ingest = "INGEST"
    case reembed = "REEMBED"
    case assignTopics = "ASSIGN_TOPICS"
    case `import` = "IMPORT"
}

package enum JobState: String, Sendable, Codable, CaseIterable {
    case queued = "QUEUED"
    case running = "RUNNING"
    case succeeded = "SUCCEEDED"
    case failed = "FAILED"
    case cancelled = "CANCELLED"

    package var isEnded: Bool { self != .queued && self != .running }
}

package struct Job: Sendable, Equatable {
    package let sessionID: UUID
    package let id: UUID
    package let kind: JobKind
    package let documentID: UUID?
    package let state: JobState
    package let done: Int64
    package let total: Int64
    /// The step it is at, in the worker's words.
    package let stage: String?
    /// How often it was leased.
    package let attempt: Int
    package let leaseOwner: String?
    package let leaseExpiresAt: Date?
    /// JSON text.
    package let payload: String
    package let errorMessage: String?
    package let createdAt: Date
    package let startedAt: Date?
    package let finishedAt: Date?
    /// Nobody takes it until it is resumed.
    package let isPaused: Bool
}

/// A job before it has a row.
package struct NewJob: Sendable {
    package var sessionID: UUID
    package var id: UUID
    package var kind: JobKind
    package var documentID: UUID?
    /// JSON text, an object.
    package var payload: String
    package var isPaused: Bool

    package init(
        sessionID: UUID, id: UUID = UUID(), kind: JobKind, documentID: UUID? = nil,
        payload: String = "{}", isPaused: Bool = false
    ) {
        self.sessionID = sessionID
        self.id = id
        self.kind = kind
        self.documentID = documentID
        self.payload = payload
        self.isPaused = isPaused
    }
}

extension Job {
    init(_ row: Row) throws(PostgresError) {
        sessionID = try row.get(0)
        id = try row.get(1)
        kind = try row.label(2)
        documentID = try row.get(3)
        state = try row.label(4)
        done = try row.get(5)
        total = try row.get(6)
        stage = try row.get(7)
        attempt = try row.get(8)
        leaseOwner = try row.get(9)
        leaseExpiresAt = try row.get(10)
        payload = try row.get(11)
        errorMessage = try row.get(12)
        createdAt = try row.get(13)
        startedAt = try row.get(14)
        finishedAt = try row.get(15)
        isPaused = try row.get(16)
    }
}
