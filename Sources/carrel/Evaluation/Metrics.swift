// How good a ranking is, in the four numbers people compare. Defined as in NIST's `trec_eval`
// (measures ndcg_cut.10, recall.10, recall.100, and recip_rank over the first ten).

import Foundation

package enum Metrics {
    /// Normalised discounted cumulative gain of the first `cut` passages.
    ///
    /// The gain is the relevance itself, not 2^rel − 1; rank r is discounted by log2(r + 1); the ideal
    /// ranking is made of *all* judged passages, found or not. Negative grades gain nothing. 0 when
    /// nothing is relevant.
    package static func nDCG(_ ranking: [String], _ judged: [String: Int], cut: Int) -> Double {
        let ideal = discounted(judged.values.filter { $0 > 0 }.sorted(by: >).prefix(cut))
        guard ideal > 0 else { return 0 }
        return discounted(ranking.prefix(cut).map { max(judged[$0] ?? 0, 0) }) / ideal
    }

    /// The part of all relevant passages that stands among the first `cut`.
    package static func recall(_ ranking: [String], _ judged: [String: Int], cut: Int) -> Double {
        let relevant = judged.values.count { $0 > 0 }
        guard relevant > 0 else { return 0 }
        let found = ranking.prefix(cut).count { (judged[$0] ?? 0) > 0 }
        return Double(found) / Double(relevant)
    }

    /// One over the rank of the first relevant passage, 0 when none stands among the first `cut`.
    package static func reciprocalRank(
        _ ranking: [String], _ judged: [String: Int], cut: Int
    ) -> Double {
        ranking.prefix(cut).firstIndex { (judged[$0] ?? 0) > 0 }.map { 1 / Double($0 + 1) } ?? 0
    }

    private static func discounted(_ gains: some Sequence<Int>) -> Double {
        gains.enumerated().reduce(0) { sum, item in
            sum + Double(item.element) / log2(Double(item.offset + 2))
        }
    }
}

/// The four numbers of a collection: means over its judged questions.
package struct Quality: Sendable, Equatable, Codable {
    package var questions = 0
    package var nDCG10 = 0.0
    package var recall10 = 0.0
    package var recall100 = 0.0
    package var mrr10 = 0.0

    package init() {}

    /// The means over the questions of `rankings` that have a relevant passage.
    ///
    /// A ranking lists passages best first; a question missing from `rankings` is not counted.
    package init(of rankings: [String: [String]], _ judgements: Judgements) {
        // Sorted, so that the floating-point sums are the same in every run.
        for (query, ranking) in rankings.sorted(by: { $0.key < $1.key })
        where judgements.isJudged(query) {
            let judged = judgements.relevance[query] ?? [:]
            questions += 1
            nDCG10 += Metrics.nDCG(ranking, judged, cut: 10)
            recall10 += Metrics.recall(ranking, judged, cut: 10)
            recall100 += Metrics.recall(ranking, judged, cut: 100)
            mrr10 += Metrics.reciprocalRank(ranking, judged, cut: 10)
        }
        let count = Double(max(questions, 1))
        nDCG10 /= count
        recall10 /= count
        recall100 /= count
        mrr10 /= count
    }
}
