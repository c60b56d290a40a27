// One study session, as stored.

internal import Postgres
package import FoundationEssentials

/// Where a session is on its way. The moves that are accepted stand in the database's trigger.
package enum SessionStatus: String, Sendable, Codable, CaseIterable {
    case uploading = "UPLOADING"
    case generatingPlan = "GENERATING_PLAN"
    case editingPlan = "EDITING_PLAN"
    case chunking = "CHUNKING"
    case active = "ACTIVE"
    case completed = "COMPLETED"
}

package struct StudySession: Sendable, Equatable {
    package let id: UUID
    package let profileID: UUID
    package let title: String
    package let description: String?
    package let status: SessionStatus
    /// JSON text.
    package let draftPlan: String?
    package let modelID: UUID
    package let modelName: String
    /// Rises with every write that changes what a search could return.
    package let revision: Int64
    /// Parents and children together.
    package let chunkCount: Int
    package let createdAt: Date
    package let updatedAt: Date
}

/// What a search has to know of its session before it answers: one primary-key read.
package struct SessionVersion: Sendable, Equatable {
    package let id: UUID
    package let profileID: UUID
    package let status: SessionStatus
    package let revision: Int64
    package let chunkCount: Int
    package let modelID: UUID

    package init(
        id: UUID, profileID: UUID, status: SessionStatus, revision: Int64, chunkCount: Int,
        modelID: UUID
    ) {
        self.id = id
        self.profileID = profileID
        self.status = status
        self.revision = revision
        self.chunkCount = chunkCount
        self.modelID = modelID
    }
}

extension StudySession {
    init(_ row: Row) throws(PostgresError) {
        id = try row.get(0)
        profileID = try row.get(1)
        title = try row.get(2)
        description = try row.get(3)
        status = try row.label(4)
        draftPlan = try row.get(5)
        modelID = try row.get(6)
        modelName = try row.get(7)
        revision = try row.get(8)
        chunkCount = try row.get(9)
        createdAt = try row.get(10)
        updatedAt = try row.get(11)
    }
}

extension SessionVersion {
    init(_ row: Row) throws(PostgresError) {
        id = try row.get(0)
        profileID = try row.get(1)
        status = try row.label(2)
        revision = try row.get(3)
        chunkCount = try row.get(4)
        modelID = try row.get(5)
    }
}
