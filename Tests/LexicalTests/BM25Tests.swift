import Lexical
import Testing

@Suite("BM25 over postings")
struct BM25Tests {
    /// Words of a made-up language that the stemmer leaves alone, the first much more common.
    private static let words = ["zob", "kub", "mog", "pib", "wod", "gax", "bif", "juk"]

    private func text(_ random: inout Random) -> String {
        let count = Int.random(in: 0...30, using: &random)
        return (0..<count).map { _ in
            Self.words[
                min(
                    Int.random(in: 0..<8, using: &random), Int.random(in: 0..<8, using: &random))]
        }.joined(separator: " ")
    }

    private func bits(_ rows: Set<Int>, of count: Int) -> [UInt64] {
        var words = Array(repeating: UInt64(0), count: (count + 63) / 64)
        for row in rows { words[row / 64] |= 1 << UInt64(row % 64) }
        return words
    }

    @Test(
        "Any cut into parts, any dead rows: the scores are those of the slow sum over what lives",
        arguments: 1...40)
    func matchesTheSlowSum(seed: UInt64) {
        var random = Random(seed: seed)
        let texts = (0..<Int.random(in: 1...200, using: &random)).map { _ in text(&random) }
        let analyzer = Analyzer(.english)
        var live = Set(texts.indices)
        if seed % 3 != 0 { live = live.filter { _ in Int.random(in: 0..<4, using: &random) > 0 } }
        let slow = SlowBM25(rows: texts.map { analyzer.terms(of: $0) }, live: live)

        var cuts = (0..<Int.random(in: 0...3, using: &random))
            .map { _ in Int.random(in: 0...texts.count, using: &random) }
        cuts = [0] + cuts.sorted() + [texts.count]
        let ranges = zip(cuts, cuts.dropFirst()).map { $0..<$1 }
        let parts = ranges.map { range in
            LexicalPart(
                LexicalIndex(Array(texts[range])),
                live: live.count == texts.count
                    ? nil
                    : bits(
                        Set(live.filter(range.contains).map { $0 - range.lowerBound }),
                        of: range.count))
        }
        for question in ["zob", "juk juk zob", "mog gax the unknown", "of the", ""] {
            let query = LexicalQuery(question)
            let scores = LexicalScores(query, over: parts)
            let asked = analyzer.terms(of: question)
            var expected: [(row: Int, score: Double)] = []
            for (part, range) in ranges.enumerated() {
                for row in range where live.contains(row) {
                    let score = slow.score(asked, row: row)
                    let found = scores[LexicalRow(part: part, row: row - range.lowerBound)]
                    #expect(abs(found - score) < 1e-9, "seed \(seed), \(question), row \(row)")
                    if found > 0 { expected.append((row, found)) }
                }
            }
            // Ties the other way round than the rows lie, so that the tie break is seen to work.
            expected.sort { $0.score > $1.score || ($0.score == $1.score && $0.row > $1.row) }
            for k in [1, 3, 10, 1000] {
                let best = scores.best(k) { a, b in
                    ranges[a.part].lowerBound + a.row > ranges[b.part].lowerBound + b.row
                }
                #expect(
                    best.map { ranges[$0.row.part].lowerBound + $0.row.row }
                        == expected.prefix(k).map(\.row), "seed \(seed), \(question), k \(k)")
            }
        }
    }

    @Test("A filter hides rows and changes no score")
    func filter() {
        let texts = (0..<130).map { "zob \($0 % 7 == 0 ? "kub" : "mog")" }
        let scores = LexicalScores(LexicalQuery("kub"), over: [LexicalPart(LexicalIndex(texts))])
        let allowed = bits([7, 8, 126], of: 130)
        let all = scores.best(100) { $0.row < $1.row }
        let some = scores.best(100, allowed: [allowed]) { $0.row < $1.row }
        #expect(all.count == 19)
        #expect(some.map(\.row.row) == [7, 126])
        #expect(some.allSatisfy { $0.score == all[0].score })
    }

    @Test("What a term weighs falls with the rows it stands in and never below zero")
    func weights() {
        let weights = (1...100).map { BM25().idf(documentFrequency: $0, count: 100) }
        #expect(weights == weights.sorted(by: >))
        #expect(weights.last! > 0)
    }

    @Test("One buffer with offsets gives the index that single texts give")
    func oneBuffer() {
        let texts = ["zob  kub", "", "kub’s ünïcode\nzob", String(repeating: "数学", count: 50)]
        let bytes = Array(texts.joined().utf8)
        var offsets = [0]
        for text in texts { offsets.append(offsets.last! + text.utf8.count) }
        let one = LexicalIndex(utf8: bytes.span, offsets: offsets)
        let each = LexicalIndex(texts)
        #expect(one.lengths == each.lengths)
        for question in ["zob", "kub", "ünïcode", "数学"] {
            let query = LexicalQuery(question)
            let (a, b) = (
                LexicalScores(query, over: [LexicalPart(one)]),
                LexicalScores(query, over: [LexicalPart(each)])
            )
            for row in texts.indices {
                let place = LexicalRow(part: 0, row: row)
                #expect(a[place] == b[place])
            }
            #expect(!a.best(4) { $0.row < $1.row }.isEmpty, "\(question)")
        }
    }

    @Test("Cutting at blanks first loses no word that the analyzer sees in the whole text")
    func piecewise() {
        var random = Random(seed: 11)
        let alphabet = Array("ab1.,:;'’_-\"(é\u{301}\u{AD}\u{200D} \n\u{A0}中あไท")
        for _ in 0..<2_000 {
            let text = String(
                (0..<Int.random(in: 0...24, using: &random)).map { _ in
                    alphabet.randomElement(using: &random)!
                })
            let whole = Analyzer(.english).terms(of: text)
            #expect(Int(LexicalIndex([text]).lengths[0]) == whole.count, "\(text.debugDescription)")
        }
    }
}
