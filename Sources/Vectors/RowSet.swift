/// Which rows of a block may be answered, one bit a row: what a filter becomes before the scan.
package struct RowSet: Sendable, Equatable {
    /// How many rows the block has.
    package let universe: Int
    /// How many of them are in the set.
    package private(set) var count: Int
    /// One bit a row, row 0 lowest in the first word.
    package private(set) var words: [UInt64]

    /// The empty set, or all rows.
    package init(universe: Int, all: Bool = false) {
        precondition(universe >= 0, "a set over \(universe) rows")
        self.universe = universe
        count = all ? universe : 0
        words = Array(repeating: all ? .max : 0, count: (universe + 63) / 64)
        if all && universe % 64 != 0 { words[words.count - 1] = 1 << UInt64(universe % 64) - 1 }
    }

    /// - Precondition: `0 <= row < universe`.
    package func contains(_ row: Int) -> Bool {
        precondition(row >= 0 && row < universe, "row \(row) of \(universe)")
        return words[row / 64] >> UInt64(row % 64) & 1 == 1
    }

    package mutating func insert(_ row: Int) {
        guard !contains(row) else { return }
        words[row / 64] |= 1 << UInt64(row % 64)
        count += 1
    }

    package mutating func remove(_ row: Int) {
        guard contains(row) else { return }
        words[row / 64] &= ~(1 << UInt64(row % 64))
        count -= 1
    }

    /// Keeps the rows that are in both.
    ///
    /// - Precondition: the same universe.
    package mutating func formIntersection(_ other: RowSet) {
        precondition(universe == other.universe, "\(universe) rows against \(other.universe)")
        count = 0
        for i in words.indices {
            words[i] &= other.words[i]
            count += words[i].nonzeroBitCount
        }
    }

    /// What is in the set of the rows of a stretch, counted from its first.
    ///
    /// - Precondition: the stretch begins at a multiple of 64.
    func stretch(_ rows: Range<Int>) -> RowSet {
        precondition(rows.lowerBound % 64 == 0 && rows.upperBound <= universe)
        var part = RowSet(universe: rows.count)
        part.words = Array(words[rows.lowerBound / 64..<(rows.upperBound + 63) / 64])
        if rows.count % 64 != 0 {
            part.words[part.words.count - 1] &= 1 << UInt64(rows.count % 64) - 1
        }
        part.count = part.words.reduce(0) { $0 + $1.nonzeroBitCount }
        return part
    }

    /// The rows, ascending.
    package func forEach(_ body: (Int) -> Void) {
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                body(index * 64 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
    }
}
