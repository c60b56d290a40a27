// Imported texts have no sections, so their parents are simply neighbours that fit together.

package enum ParentRuns {
    /// As for documents (Documents/Chunker): the most one answer is written from.
    package static let limit = 1_200

    /// Consecutive runs of at most `limit` tokens in all; a longer text is a run by itself.
    package static func runs(tokens: [Int]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var start = 0
        var sum = 0
        for (index, count) in tokens.enumerated() {
            if index > start, sum + count > limit {
                runs.append(start..<index)
                start = index
                sum = 0
            }
            sum += count
        }
        if start < tokens.count { runs.append(start..<tokens.count) }
        return runs
    }
}
