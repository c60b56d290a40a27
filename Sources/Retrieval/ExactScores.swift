// Exact scores of candidates, whichever source they came from.

import Foundation
import Vectors

enum ExactScores {
    /// The k nearest candidates that reach the threshold, best first, ties by chunk id.
    static func rank(_ candidates: CandidateRows, for request: SearchRequest, query: UnitVector)
        -> [Scored]
    {
        let nearest = Scorer.nearest(request.k, to: query, in: candidates.vectors) { a, b in
            candidates.ids[a].isBefore(candidates.ids[b])
        }
        let scored = nearest.map { row in
            Scored(chunk: candidates.ids[row.index], score: 1 - row.distance)
        }
        guard let minScore = request.minScore else { return scored }
        return Array(scored.prefix { $0.score >= minScore })
    }
}

/// A chunk and its cosine similarity.
struct Scored: Equatable {
    let chunk: UUID
    let score: Float
}

extension UUID {
    /// Byte order, as PostgreSQL compares uuid (memcmp).
    func isBefore(_ other: UUID) -> Bool { words < other.words }

    /// The sixteen bytes as two numbers, the most significant byte first.
    var words: (UInt64, UInt64) {
        unsafe withUnsafeBytes(of: uuid) { bytes in
            unsafe (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }
}
