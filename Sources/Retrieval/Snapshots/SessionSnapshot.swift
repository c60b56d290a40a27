// A session in memory, as it was at one revision: everything a search needs, and nothing that
// changes.

package import Foundation
package import Library

/// What one catch-up brought: documents, sections, and the chunks in them.
package struct Segment: Sendable {
    /// Names and places that the columns count from; shared by later snapshots.
    package final class Places: Sendable {
        package let documents: [DocumentName]
        package let sections: [SectionPlace]

        init(documents: [DocumentName], sections: [SectionPlace]) {
            self.documents = documents
            self.sections = sections
        }
    }

    package let places: Places
    package let children: RowTable
    package let parents: RowTable
    /// The revision it was read at: rows written later are in later segments.
    package let revision: Int64

    init(places: Places, children: RowTable, parents: RowTable, revision: Int64) {
        self.places = places
        self.children = children
        self.parents = parents
        self.revision = revision
    }

    package var count: Int { children.count + parents.count }
    package var liveCount: Int { children.liveCount + parents.liveCount }

    package func table(_ type: ChunkType) -> RowTable {
        switch type {
        case .child: children
        case .parent: parents
        }
    }

    /// The same with other tables over the same places.
    func with(children: RowTable, parents: RowTable) -> Segment {
        Segment(places: places, children: children, parents: parents, revision: revision)
    }
}

/// One session at one revision.
///
/// Immutable: a search keeps the one it started with, a catch-up makes a new one that shares all but
/// the last segment. The first segment is the base; what was written since is appended, what was
/// deleted since is taken out of `live`. A chunk is live in one segment at most.
package final class SessionSnapshot: Sendable {
    package let version: SessionVersion
    /// The name of the model whose vectors these are.
    package let model: String
    package let segments: [Segment]
    /// Memory held, shared or not.
    package let byteCount: Int

    package init(version: SessionVersion, model: String, segments: [Segment]) {
        self.version = version
        self.model = model
        self.segments = segments
        byteCount = segments.reduce(512) { sum, segment in
            let sections = segment.places.sections.reduce(0) { sum, section in
                section.headingPath.reduce(sum + 64) { $0 + 32 + $1.utf8.count }
            }
            let documents = segment.places.documents.reduce(0) { $0 + 48 + $1.fileName.utf8.count }
            return sum + segment.children.byteCount + segment.parents.byteCount + sections
                + documents
        }
    }

    package var revision: Int64 { version.revision }

    /// Where a chunk is, if the session has it.
    package func place(of chunk: UUID, _ type: ChunkType) -> RowPlace? {
        for (index, segment) in segments.enumerated() {
            if let row = segment.table(type).row(of: chunk) {
                return RowPlace(segment: index, type: type, row: row)
            }
        }
        return nil
    }

    package func table(_ place: RowPlace) -> RowTable {
        segments[place.segment].table(place.type)
    }
}

/// A row of a snapshot.
package struct RowPlace: Sendable, Hashable {
    package let segment: Int
    package let type: ChunkType
    package let row: Int

    package init(segment: Int, type: ChunkType, row: Int) {
        self.segment = segment
        self.type = type
        self.row = row
    }
}
