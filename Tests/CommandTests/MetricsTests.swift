// The measures against cases worked out by hand, in the way of trec_eval.

import Foundation
import Testing
import carrel

@Suite("Measures of a ranking")
struct MetricsTests {
    private let judged = ["a": 3, "b": 2, "c": 1, "d": 0]

    private func close(_ left: Double, _ right: Double) -> Bool { abs(left - right) < 1e-12 }

    @Test("The gain of nDCG is the relevance itself, discounted by log2(rank + 1)")
    func gradedGain() {
        // DCG = 1/log2(2) + 3/log2(3) + 0 + 2/log2(5); ideal = 3/log2(2) + 2/log2(3) + 1/log2(4).
        let gained = 1 + 3 / log2(3.0) + 2 / log2(5.0)
        let ideal = 3 + 2 / log2(3.0) + 1 / log2(4.0)
        #expect(close(Metrics.nDCG(["c", "a", "x", "b"], judged, cut: 10), gained / ideal))
    }

    @Test("A perfect ranking has nDCG 1, whatever stands behind the cut")
    func perfect() {
        #expect(close(Metrics.nDCG(["a", "b", "x", "c"], judged, cut: 2), 1))
        #expect(close(Metrics.nDCG(["a", "b", "c"], judged, cut: 10), 1))
    }

    @Test("The ideal counts judged passages that were not found")
    func idealIsOfAllJudged() {
        let expected = 3 / (3 + 2 / log2(3.0) + 1 / log2(4.0))
        #expect(close(Metrics.nDCG(["a"], judged, cut: 10), expected))
    }

    @Test("A negative grade gains nothing and is not relevant")
    func negativeGrades() {
        let judged = ["spam": -1, "a": 1]
        #expect(close(Metrics.nDCG(["spam", "a"], judged, cut: 10), 1 / log2(3.0)))
        #expect(Metrics.recall(["spam"], judged, cut: 10) == 0)
        #expect(Metrics.reciprocalRank(["spam", "a"], judged, cut: 10) == 0.5)
    }

    @Test("Recall divides by all relevant passages, also when they are more than the cut")
    func recall() {
        #expect(close(Metrics.recall(["a", "x", "b"], judged, cut: 10), 2.0 / 3))
        #expect(close(Metrics.recall(["a", "b", "c"], judged, cut: 1), 1.0 / 3))
        #expect(Metrics.recall(["d"], judged, cut: 10) == 0)
    }

    @Test("The reciprocal rank is that of the first relevant passage before the cut")
    func reciprocalRank() {
        #expect(Metrics.reciprocalRank(["x", "d", "c"], judged, cut: 10) == 1.0 / 3)
        #expect(Metrics.reciprocalRank(["x", "d", "c"], judged, cut: 2) == 0)
    }

    @Test("The means leave out questions without a relevant passage")
    func means() {
        var judgements = Judgements()
        judgements.judge("one", "a", 1)
        judgements.judge("two", "b", 2)
        judgements.judge("none", "c", 0)
        let quality = Quality(
            of: ["one": ["a"], "two": ["x", "b"], "none": ["c"], "unjudged": ["a"]], judgements)
        #expect(quality.questions == 2)
        #expect(close(quality.mrr10, 0.75))
        #expect(close(quality.nDCG10, (1 + 1 / log2(3.0)) / 2))
        #expect(quality.recall10 == 1)
        #expect(quality.recall100 == 1)
    }

    @Test("Judgements are read with or without a header, in three columns or in TREC's four")
    func judgementFiles() throws {
        let plain = try Judgements(
            reading: "query-id\tdoc-id\trelevance\nq1\td1\t2\nq1\td2\t0\n", file: "qrels.tsv")
        #expect(plain.relevance == ["q1": ["d1": 2, "d2": 0]])
        let trec = try Judgements(reading: "q1 0 d1 2\nq1 0 d2 0\n", file: "qrels")
        #expect(trec.relevance == plain.relevance)
        #expect(throws: FileProblem.self) {
            try Judgements(reading: "q1\td1\t1\nq2\td2\tmany\n", file: "qrels.tsv")
        }
    }

    @Test("A percentile is a value that was measured")
    func percentiles() {
        let hundred = Percentiles((1...100).map(Double.init).shuffled())
        #expect(hundred.at(0.5) == 50)
        #expect(hundred.at(0.99) == 99)
        #expect(hundred.at(1) == 100)
        #expect(Percentiles([7]).at(0.99) == 7)
        #expect(Percentiles([]).at(0.5) == 0)
    }
}
