import Retrieval
import Testing
import Vectors

@Suite("Fusing scores and spreading hits")
struct RankingTests {
    private func pool(_ random: inout SplitMix64, _ count: Int) -> [ScorePair] {
        (0..<count).map { _ in
            ScorePair(
                dense: Float.random(in: -1...1, using: &random),
                lexical: Bool.random(using: &random) ? 0 : Float.random(in: 0...30, using: &random))
        }
    }

    @Test(
        "The scaled sum is 1 for what leads in both, 0 for what trails in both, and half for one of each"
    )
    func scaledSum() {
        let scores = Fusion.minMax.scores(
            [
                ScorePair(dense: 0.9, lexical: 12), ScorePair(dense: 0.1, lexical: 0),
                ScorePair(dense: 0.9, lexical: 0), ScorePair(dense: 0.5, lexical: 6),
            ], depth: 4)
        #expect(scores == [1, 0, 0.5, 0.5])
    }

    @Test(
        "A row that only its words brought adds no similarity below that of the worst of the nearest"
    )
    func outsideOfTheNearest() {
        let scores = Fusion.minMax.scores(
            [
                ScorePair(dense: 0.9, lexical: 0), ScorePair(dense: 0.5, lexical: 0),
                ScorePair(dense: -0.7, lexical: 8),
            ], depth: 2)
        #expect(scores == [0.5, 0, 0.5])
    }

    @Test("A score that is the same for all leaves the order to the other")
    func constantScore() {
        let pairs = [0.3, 0.9, 0.1].map { ScorePair(dense: Float($0), lexical: 0) }
        for fusion in Fusion.allCases {
            let scores = fusion.scores(pairs, depth: 25)
            #expect(scores[1] > scores[0] && scores[0] > scores[2], "\(fusion)")
        }
    }

    @Test(
        "Reciprocal rank adds 1/(60 + rank) of both orders; without a word of the query there is no rank"
    )
    func reciprocalRank() {
        let scores = Fusion.reciprocalRank.scores(
            [
                ScorePair(dense: 0.9, lexical: 2), ScorePair(dense: 0.8, lexical: 5),
                ScorePair(dense: 0.8, lexical: 0),
            ], depth: 3)
        #expect(
            scores == [Float(1.0 / 61 + 1.0 / 62), Float(1.0 / 62 + 1.0 / 61), Float(1.0 / 62)])
    }

    @Test(
        "Neither fusion ever ranks a row above one that beats it in both scores", arguments: 1...50)
    func monotone(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let pairs = pool(&random, 40)
        for fusion in Fusion.allCases {
            let scores = fusion.scores(pairs, depth: 25)
            for a in pairs.indices {
                for b in pairs.indices
                where pairs[a].dense >= pairs[b].dense && pairs[a].lexical >= pairs[b].lexical {
                    #expect(scores[a] >= scores[b], "seed \(seed), \(fusion), \(a) over \(b)")
                }
            }
        }
    }

    @Test("Without diversity the order is that of relevance, and nothing is compared")
    func noDiversity() {
        let chosen = Diversity.select(3, relevance: [0.9, 0.5, 0.4, 0.1], diversity: 0) { _ in
            Issue.record("a similarity was asked for")
            return []
        }
        #expect(chosen == [0, 1, 2])
    }

    @Test(
        "Each choice is the best by the formula, worked out anew from all hits before it",
        arguments: 1...30)
    func matchesTheFormula(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let count = Int.random(in: 1...25, using: &random)
        let relevance = (0..<count).map { _ in Float.random(in: 0...1, using: &random) }
            .sorted(by: >)
        var similarity = (0..<count).map { _ in
            (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
        }
        for a in 0..<count { for b in 0..<a { similarity[a][b] = similarity[b][a] } }
        let diversity = Float.random(in: 0.01...1, using: &random)
        let chosen = Diversity.select(10, relevance: relevance, diversity: diversity) {
            similarity[$0]
        }
        #expect(chosen.count == min(10, count))
        for (place, hit) in chosen.enumerated() {
            let before = chosen[..<place]
            func value(_ index: Int) -> Float {
                guard let nearest = before.map({ similarity[$0][index] }).max() else {
                    return relevance[index]
                }
                return (1 - diversity) * relevance[index] - diversity * nearest
            }
            for other in 0..<count where !before.contains(other) {
                #expect(value(hit) >= value(other), "seed \(seed), place \(place)")
            }
        }
    }

    @Test("A copy of the first hit gives way to something else once diversity counts")
    func copies() {
        let similarity: [[Float]] = [[1, 1, 0.2], [1, 1, 0.2], [0.2, 0.2, 1]]
        let chosen = Diversity.select(2, relevance: [0.9, 0.9, 0.6], diversity: 0.5) {
            similarity[$0]
        }
        #expect(chosen == [0, 2])
    }
}
