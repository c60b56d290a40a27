// One document, as stored, without its text.

internal import Postgres
package import FoundationEssentials

package enum ProcessingStatus: String, Sendable, Codable, CaseIterable {
    case pending = "PENDING"
    case processing = "PROCESSING"
    case completed = "COMPLETED"
    case failed = "FAILED"
}

package struct Document: Sendable, Equatable {
    package let sessionID: UUID
    package let id: UUID
    /// The name the user gave it. Never a path of ours.
    package let fileName: String
    /// The object's key in the blob store.
    package let filePath: String
    package let fileDescription: String?
    /// SHA-256, lower hex.
    package let fileHash: String
    package let fileType: String
    package let fileSizeBytes: Int64
    package let sourceURI: String?
    /// Unicode scalars of the text; nil before it is extracted.
    package let contentLength: Int?
    package let pageCount: Int?
    package let status: ProcessingStatus
    package let errorMessage: String?
    package let createdAt: Date
    /// When it was completed; nil in every other state.
    package let processedAt: Date?
    /// The folder it lies in; nil at the root.
    package let folderID: UUID?
}

/// A document before it has a row.
package struct NewDocument: Sendable {
    package var sessionID: UUID
    package var id: UUID
    package var fileName: String
    package var filePath: String
    package var fileDescription: String?
    package var fileHash: String
    package var fileType: String
    package var fileSizeBytes: Int64
    package var sourceURI: String?
    package var status: ProcessingStatus

    package init(
        sessionID: UUID, id: UUID = UUID(), fileName: String, filePath: String,
        fileDescription: String? = nil, fileHash: String, fileType: String, fileSizeBytes: Int64,
        sourceURI: String? = nil, status: ProcessingStatus = .pending
    ) {
        self.sessionID = sessionID
        self.id = id
        self.fileName = fileName
        self.filePath = filePath
        self.fileDescription = fileDescription
        self.fileHash = fileHash
        self.fileType = fileType
        self.fileSizeBytes = fileSizeBytes
        self.sourceURI = sourceURI
        self.status = status
    }
}

/// A stretch of a document's text, and where it was cut.
package struct DocumentText: Sendable, Equatable {
    package let text: String
    /// `start..<end` in Unicode scalars, after clamping to the text.
    package let start: Int
    package let end: Int
    /// Length of the whole text.
    package let length: Int
}

extension Document {
    init(_ row: Row) throws(PostgresError) {
        sessionID = try row.get(0)
        id = try row.get(1)
        fileName = try row.get(2)
        filePath = try row.get(3)
        fileDescription = try row.get(4)
        fileHash = try row.get(5)
        fileType = try row.get(6)
        fileSizeBytes = try row.get(7)
        sourceURI = try row.get(8)
        contentLength = try row.get(9)
        pageCount = try row.get(10)
        status = try row.label(11)
        errorMessage = try row.get(12)
        createdAt = try row.get(13)
        processedAt = try row.get(14)
        folderID = try row.get(15)
    }
}
