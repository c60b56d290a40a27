/// One row of an answer: where it lies in what was scored, and how far from the query.
package struct Ranked: Sendable, Equatable {
    package let index: Int
    package let distance: Float

    package init(index: Int, distance: Float) {
        self.index = index
        self.distance = distance
    }
}

/// The k nearest, with ties in an order the caller gives (chunk id, everywhere).
package enum TopK {
    /// The `k` smallest distances, ascending; all of them when there are fewer.
    ///
    /// `tieBreak(a, b)` says whether row `a` comes before row `b` when their distances are equal. It
    /// must be a strict order. NaN is not a distance.
    ///
    /// - Complexity: O(n + m·log k) with m rows entering the best k; m is about k·ln(n/k) when the
    ///   order is random, n at worst.
    package static func select(
        _ k: Int, distances: [Float], tieBreak: (Int, Int) -> Bool
    ) -> [Ranked] {
        guard k > 0 else { return [] }
        var best = BestRows(capacity: k)
        for index in distances.indices {
            best.insert(Ranked(index: index, distance: distances[index]), tieBreak: tieBreak)
        }
        return best.sort(tieBreak: tieBreak)
    }
}
