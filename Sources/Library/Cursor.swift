// Where a listing goes on. Keyset pagination: the next page starts after the last row seen, which
// the index finds at once, however deep; rows added meanwhile neither repeat nor push rows out.

package import FoundationEssentials

/// The last row seen of a listing ordered by creation time; `id` separates rows of one instant.
package struct TimeCursor: Sendable, Equatable, Codable {
    package let createdAt: Date
    package let id: UUID

    package init(createdAt: Date, id: UUID) {
        self.createdAt = createdAt
        self.id = id
    }
}

/// The last section seen: sections are listed by page, then by their place on it.
package struct SectionCursor: Sendable, Equatable, Codable {
    package let pageNumber: Int
    package let index: Int

    package init(pageNumber: Int, index: Int) {
        self.pageNumber = pageNumber
        self.index = index
    }
}

/// The last chunk seen: chunks are listed by document, then in reading order.
package struct ChunkCursor: Sendable, Equatable, Codable {
    package let documentID: UUID
    package let index: Int
    package let id: UUID

    package init(documentID: UUID, index: Int, id: UUID) {
        self.documentID = documentID
        self.index = index
        self.id = id
    }
}
