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
    func isBefore(_ other: UUID) -> Bool {
        let (left, right) = (words, other.words)
        return left.high == right.high ? left.low < right.low : left.high < right.high
    }

    private var words: (high: UInt64, low: UInt64) {
        let b = uuid
        return (
            Self.word(b.0, b.1, b.2, b.3, b.4, b.5, b.6, b.7),
            Self.word(b.8, b.9, b.10, b.11, b.12, b.13, b.14, b.15)
        )
    }

    /// Eight bytes, the most significant first.
    private static func word(
        _ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8,
        _ e: UInt8, _ f: UInt8, _ g: UInt8, _ h: UInt8
    ) -> UInt64 {
        let high = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
        let low = UInt32(e) << 24 | UInt32(f) << 16 | UInt32(g) << 8 | UInt32(h)
        return UInt64(high) << 32 | UInt64(low)
    }
}
