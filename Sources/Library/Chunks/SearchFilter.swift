// What a search may look at inside its session. There is no field for the session: that comes from
// the handle, never from a filter.

package import FoundationEssentials

/// Nil means everything; an empty list means nothing. Conditions are joined by AND and hold before
/// the cut to k, never after it.
package struct SearchFilter: Sendable, Equatable {
    package var documents: [UUID]?
    /// Chunks related to any of these.
    package var topics: [UUID]?
    /// Chunks that touch any page of the range.
    package var pages: ClosedRange<Int>?
    /// Children unless it says otherwise.
    package var types: Set<ChunkType>
    /// Stored at this time or later.
    package var createdFrom: Date?
    /// Stored before this time.
    package var createdBefore: Date?

    package init(
        documents: [UUID]? = nil, topics: [UUID]? = nil, pages: ClosedRange<Int>? = nil,
        types: Set<ChunkType> = [.child], createdFrom: Date? = nil, createdBefore: Date? = nil
    ) {
        self.documents = documents
        self.topics = topics
        self.pages = pages
        self.types = types
        self.createdFrom = createdFrom
        self.createdBefore = createdBefore
    }

    /// Whether it lets every row of the given types through.
    package var isUnrestricted: Bool {
        documents == nil && topics == nil && pages == nil && createdFrom == nil
            && createdBefore == nil
    }
}
