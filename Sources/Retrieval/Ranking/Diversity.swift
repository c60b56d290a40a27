// An answer whose hits do not say the same thing twice.

/// Maximal marginal relevance (Carbonell and Goldstein, *The Use of MMR, Diversity-Based Reranking*, SIGIR
/// 1998): each hit is the one with the largest
///
///     (1 − diversity) · relevance − diversity · (its largest similarity to the hits before it)
///
/// The paper's λ is 1 − diversity. At 0 the order is that of relevance; at 1 everything after the first hit is chosen for
/// being unlike the others.
package enum Diversity {
    /// Indexes of the `count` hits chosen, in the order in which they are chosen.
    ///
    /// `relevance` descends, and equal values keep their order. `similarities(i)` gives the similarity of
    /// candidate i to every candidate; it is asked once for each hit but the last. Both are on a scale that ends at 1.
    ///
    /// - Complexity: O(count · n), and `count` calls.
    package static func select(
        _ count: Int, relevance: [Float], diversity: Float,
        similarities: (Int) -> [Float]
    ) -> [Int] {
        var left = Array(relevance.indices)
        if diversity == 0 { return Array(left.prefix(count)) }
        var nearest = Array(repeating: -Float.infinity, count: relevance.count)
        var chosen: [Int] = []
        while chosen.count < count, !left.isEmpty {
            // The first hit has nothing to be unlike.
            let values = left.map { index in
                chosen.isEmpty
                    ? relevance[index]
                    : (1 - diversity) * relevance[index] - diversity * nearest[index]
            }
            var best = 0
            for place in values.indices where values[place] > values[best] { best = place }
            let hit = left.remove(at: best)
            chosen.append(hit)
            guard chosen.count < count else { break }
            let similarity = similarities(hit)
            for index in left { nearest[index] = max(nearest[index], similarity[index]) }
        }
        return chosen
    }
}
