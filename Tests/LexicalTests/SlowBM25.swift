import Foundation
import Lexical

/// BM25 as the paper writes it, over lists of words: what the postings must agree with.
struct SlowBM25 {
    let rows: [[String]]
    let live: Set<Int>

    func score(_ query: [String], row: Int) -> Double {
        let count = Double(live.count)
        let averageLength = live.reduce(0) { $0 + Double(rows[$1].count) } / count
        return query.reduce(0) { sum, term in
            let frequency = Double(rows[row].count { $0 == term })
            let df = Double(live.count { rows[$0].contains(term) })
            let idf = log(1 + (count - df + 0.5) / (df + 0.5))
            let length = Double(rows[row].count)
            let norm = 1.5 * (1 - 0.75 + 0.75 * length / averageLength)
            return sum + (frequency == 0 ? 0 : idf * frequency * 2.5 / (frequency + norm))
        }
    }
}
