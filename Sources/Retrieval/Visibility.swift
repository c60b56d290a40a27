// Who asks may see all of a session, or some documents of it and nothing that tells of the others.

package import Foundation
import Library
import Vectors

/// What of a session an answer may come from and speak of.
package enum Visibility: Sendable, Equatable {
    case everything
    case documents(Set<UUID>)

    /// Whether a document may be seen.
    package func shows(_ document: UUID) -> Bool {
        switch self {
        case .everything: true
        case .documents(let visible): visible.contains(document)
        }
    }
}

extension SessionSnapshot {
    /// The session as if it had only these documents.
    ///
    /// Rows of the others are not live, so everything a search counts, compares or says is of these alone:
    /// the statistics of words too, ranks, `examined`, `sessionChunks`, what `explain` knows. The revision is 0,
    /// because it rises with what happens to the others.
    ///
    /// - Complexity: O(n), some nanoseconds a row; vectors, texts and words are shared.
    func showing(_ visibility: Visibility) -> SessionSnapshot {
        guard case .documents(let visible) = visibility else { return self }
        let segments = segments.map { segment in
            let isVisible = segment.places.documents.map { visible.contains($0.id) }
            return segment.with(
                children: segment.children.showing(isVisible),
                parents: segment.parents.showing(isVisible))
        }
        return SessionSnapshot(
            version: SessionVersion(
                id: version.id, profileID: version.profileID, status: version.status, revision: 0,
                chunkCount: segments.reduce(0) { $0 + $1.liveCount }, modelID: version.modelID),
            model: model, segments: segments)
    }
}

extension RowTable {
    /// The rows of the documents, by their place in the segment, for which it says true.
    fileprivate func showing(_ isVisible: [Bool]) -> RowTable {
        removing((0..<count).lazy.filter { !isVisible[Int(columns.documents[$0])] })
    }
}
