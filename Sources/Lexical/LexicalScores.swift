/// Rows to be scored: an index and which of its rows are alive.
package struct LexicalPart: Sendable {
    package let index: LexicalIndex
    /// One bit a row, row 0 lowest in the first word; nil when all rows live.
    package let live: [UInt64]?

    /// - Precondition: `live` has a bit for every row.
    package init(_ index: LexicalIndex, live: [UInt64]? = nil) {
        precondition(live.map { $0.count * 64 >= index.rowCount } ?? true, "too few live bits")
        self.index = index
        self.live = live
    }

    func isLive(_ row: Int) -> Bool { live?.hasBit(row) ?? true }
}

/// A row of a part.
package struct LexicalRow: Sendable, Hashable {
    package let part: Int
    package let row: Int

    package init(part: Int, row: Int) {
        self.part = part
        self.row = row
    }
}

/// The BM25 scores of all rows of several parts, as if they were one collection.
///
/// Term at a time: each posting of each term asked for is visited once or, where rows have died, twice. What is
/// frequent is a posting, and costs one division; most rows are in no posting and stay at zero.
package struct LexicalScores: Sendable {
    private let parts: [LexicalPart]
    private var scores: [[Double]]

    /// - Precondition: the indexes are of the query's language.
    package init(_ query: LexicalQuery, over parts: [LexicalPart], by bm25: BM25 = BM25()) {
        self.parts = parts
        scores = parts.map { Array(repeating: 0, count: $0.index.rowCount) }
        for part in parts {
            precondition(part.index.language == query.language, "an index of another language")
        }
        let collection = Collection(parts)
        guard collection.totalLength > 0 else { return }
        let averageLength = Double(collection.totalLength) / Double(collection.count)
        for term in query.terms {
            let postings = parts.map { $0.index.postings(of: term.text) }
            let frequency = zip(parts, postings).reduce(0) { $0 + $1.0.liveCount($1.1) }
            let weight =
                Double(term.count)
                * bm25.idf(documentFrequency: frequency, count: collection.count)
            for (part, range) in postings.enumerated() {
                let index = parts[part].index
                for posting in range {
                    let row = Int(index.rows[posting])
                    scores[part][row] +=
                        weight
                        * bm25.saturation(
                            frequency: Double(index.frequencies[posting]),
                            length: Double(index.lengths[row]), averageLength: averageLength)
                }
            }
        }
    }

    /// The score of a row: 0 when it holds no term of the query.
    package subscript(row: LexicalRow) -> Double { scores[row.part][row.row] }

    /// The best `k` live rows that hold a term of the query and pass the filter, best first.
    ///
    /// `allowed` has for each part the rows that pass, as `LexicalPart.live`; nil lets all pass.
    /// `tieBreak(a, b)` says whether a comes before b when their scores are equal.
    package func best(
        _ k: Int, allowed: [[UInt64]?]? = nil, tieBreak: (LexicalRow, LexicalRow) -> Bool
    ) -> [(row: LexicalRow, score: Double)] {
        guard k > 0 else { return [] }
        // Rows that reach the bar are kept; when there are twice as many as asked for, the worse
        // half goes and the bar rises to what is left.
        var kept: [(row: LexicalRow, score: Double)] = []
        var bar = 0.0
        func cut() {
            kept.sort { $0.score > $1.score || ($0.score == $1.score && tieBreak($0.row, $1.row)) }
            if kept.count > k { kept.removeLast(kept.count - k) }
        }
        for part in parts.indices {
            for row in scores[part].indices {
                let score = scores[part][row]
                guard score > 0, score >= bar, parts[part].isLive(row),
                    allowed?[part]?.hasBit(row) ?? true
                else { continue }
                kept.append((LexicalRow(part: part, row: row), score))
                if kept.count == 2 * k {
                    cut()
                    bar = kept[k - 1].score
                }
            }
        }
        cut()
        return kept
    }
}

/// What BM25 wants to know of all live rows together.
private struct Collection {
    var count = 0
    var totalLength = 0

    init(_ parts: [LexicalPart]) {
        for part in parts {
            guard part.live != nil else {
                count += part.index.rowCount
                totalLength += part.index.totalLength
                continue
            }
            for row in part.index.lengths.indices where part.isLive(row) {
                count += 1
                totalLength += Int(part.index.lengths[row])
            }
        }
    }
}

extension LexicalPart {
    fileprivate func liveCount(_ postings: Range<Int>) -> Int {
        guard live != nil else { return postings.count }
        return postings.reduce(0) { $0 + (isLive(Int(index.rows[$1])) ? 1 : 0) }
    }
}

extension [UInt64] {
    fileprivate func hasBit(_ row: Int) -> Bool { self[row / 64] >> UInt64(row % 64) & 1 == 1 }
}
