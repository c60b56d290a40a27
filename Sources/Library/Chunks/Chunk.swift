// One chunk, as stored, without its vector.

internal import Postgres
package import FoundationEssentials

package enum ChunkType: String, Sendable, Codable, CaseIterable, Hashable {
    /// A section or a run of them, at most about 1,200 tokens: what is read.
    case parent = "PARENT"
    /// About 200 tokens of a parent: what is found.
    case child = "CHILD"
}

package struct Chunk: Sendable, Equatable {
    package let sessionID: UUID
    package let id: UUID
    package let documentID: UUID
    /// The section it starts in.
    package let sectionID: UUID
    /// Nil for parents, and only for them.
    package let parentID: UUID?
    package let type: ChunkType
    /// Place in the document, in reading order.
    package let index: Int
    package let text: String
    /// `start..<end` in the document's text, in Unicode scalars.
    package let start: Int
    package let end: Int
    package let pageFrom: Int
    package let pageTo: Int
    package let tokenCount: Int
    package let topicIDs: [UUID]
    package let createdAt: Date
}

/// A chunk before it has a row. Without a parent it is one.
package struct NewChunk: Sendable {
    package var id: UUID
    package var documentID: UUID
    package var sectionID: UUID
    package var parentID: UUID?
    package var index: Int
    package var text: String
    package var start: Int
    package var end: Int
    package var pageFrom: Int
    package var pageTo: Int
    package var tokenCount: Int
    /// 768 numbers of unit length; nil only before it is embedded.
    package var embedding: [Float]?
    package var topicIDs: [UUID]
    /// Whether the vector was given, and not made by the model here.
    package var isGiven: Bool

    package var type: ChunkType { parentID == nil ? .parent : .child }

    package init(
        id: UUID, documentID: UUID, sectionID: UUID, parentID: UUID?, index: Int, text: String,
        start: Int, end: Int, pageFrom: Int, pageTo: Int, tokenCount: Int, embedding: [Float]?,
        topicIDs: [UUID] = [], isGiven: Bool = false
    ) {
        self.id = id
        self.documentID = documentID
        self.sectionID = sectionID
        self.parentID = parentID
        self.index = index
        self.text = text
        self.start = start
        self.end = end
        self.pageFrom = pageFrom
        self.pageTo = pageTo
        self.tokenCount = tokenCount
        self.embedding = embedding
        self.topicIDs = topicIDs
        self.isGiven = isGiven
    }
}

/// A chunk with what a reader needs to find it: the document's name and the section's headings.
package struct LocatedChunk: Sendable, Equatable {
    package let chunk: Chunk
    package let fileName: String
    package let heading: String?
    package let headingPath: [String]
}

extension Chunk {
    init(_ row: Row) throws(PostgresError) {
        sessionID = try row.get(0)
        id = try row.get(1)
        documentID = try row.get(2)
        sectionID = try row.get(3)
        parentID = try row.get(4)
        type = try row.label(5)
        index = try row.get(6)
        text = try row.get(7)
        start = try row.get(8)
        end = try row.get(9)
        pageFrom = try row.get(10)
        pageTo = try row.get(11)
        tokenCount = try row.get(12)
        topicIDs = try row.get(13)
        createdAt = try row.get(14)
    }
}
