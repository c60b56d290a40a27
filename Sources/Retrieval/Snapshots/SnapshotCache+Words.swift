// Words are indexed on a thread of their own, one table after another: whoever comes while that goes on
// waits for the same index.

import Dispatch
import Foundation
package import Lexical
import Library
import Synchronization

extension SnapshotCache {
    /// Indexes the words of a snapshot, where that is still to do, and counts what they take.
    ///
    /// - Throws: `notResident` when the session would be too large with them.
    package func indexWords(
        _ language: Language, of snapshot: SessionSnapshot
    ) async throws(RetrievalError) {
        if snapshot.hasWords(language) { return }
        guard snapshot.byteCount + snapshot.wordBytes(language) <= sessionBytes else {
            throw .notResident
        }
        await withCheckedContinuation { continuation in
            Indexing.queue.async {
                snapshot.indexWords(language)
                continuation.resume()
            }
        }
        state.withLock { state in
            // What was published meanwhile shares the tables, and is counted with its own words.
            guard let current = state.entries[snapshot.version.id]?.snapshot else { return }
            _ = state.publish(current.recounted())
        }
    }
}

private enum Indexing {
    static let queue = DispatchQueue(label: "carrel.words", qos: .utility)
}
