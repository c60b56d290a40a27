// Two exact scores of one row made into one number to rank by.

/// How the scores of vectors and of words are put together.
package enum Fusion: String, Sendable, CaseIterable {
    /// Half and half of both scores, each scaled to 0...1 (CombSUM of Fox and Shaw, *Combination of
    /// Multiple Searches*, TREC-2, 1994). What one score tells apart clearly stays clear.
    case minMax = "minmax"
    /// Σ 1/(60 + rank) (Cormack, Clarke and Büttcher, *Reciprocal Rank Fusion Outperforms Condorcet*,
    /// SIGIR 2009). Only the order counts, so outliers do no harm and clear leads no good.
    case reciprocalRank = "rrf"
}

/// A row's cosine similarity and BM25 score, both exact; lexical is 0 where no word of the query stands.
package struct ScorePair: Sendable, Equatable {
    package var dense: Float
    package var lexical: Float

    package init(dense: Float, lexical: Float) {
        self.dense = dense
        self.lexical = lexical
    }
}

extension Fusion {
    /// The fused score of each candidate, larger is better, in their order.
    ///
    /// The candidates are a pool: the `depth` best of both kinds, every one with both of its scores. A score
    /// that is the same for all tells nothing apart and adds nothing.
    package func scores(_ pool: [ScorePair], depth: Int) -> [Float] {
        let (dense, lexical) = (pool.map(\.dense), pool.map(\.lexical))
        switch self {
        case .minMax:
            // No word of the query is a natural zero. A cosine has none: whatever text is compared
            // with whatever text, it is well above 0. So the worst of the best stands for zero.
            let low = dense.sorted(by: >).prefix(depth).last ?? 0
            return zip(Self.scaled(dense, from: low), Self.scaled(lexical, from: 0))
                .map { Float(($0 + $1) / 2) }
        case .reciprocalRank:
            return zip(Self.reciprocals(dense), Self.reciprocals(lexical, above: 0))
                .map { Float($0 + $1) }
        }
    }

    /// 0 at `low` and below, 1 at the best.
    private static func scaled(_ scores: [Float], from low: Float) -> [Double] {
        guard let high = scores.max(), low < high else { return scores.map { _ in 0 } }
        return scores.map { max(0, (Double($0) - Double(low)) / (Double(high) - Double(low))) }
    }

    /// 1/(60 + rank), equal scores sharing the better rank; a score not above the bar has no rank.
    private static func reciprocals(_ scores: [Float], above bar: Float = -.infinity) -> [Double] {
        var values = scores.map { _ in 0.0 }
        var (rank, last) = (0, Float.infinity)
        for (place, index) in scores.indices.sorted(by: { scores[$0] > scores[$1] }).enumerated() {
            guard scores[index] > bar else { break }
            if scores[index] < last { (rank, last) = (place + 1, scores[index]) }
            values[index] = 1 / Double(60 + rank)
        }
        return values
    }
}
