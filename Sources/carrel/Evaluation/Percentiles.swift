// Latencies are told as percentiles: a mean hides the tail.

/// A sorted sample of times.
package struct Percentiles: Sendable {
    private let sorted: [Double]

    package init(_ sample: [Double]) { sorted = sample.sorted() }

    /// The smallest value that at least `part` (0…1) of the sample does not exceed: a value that
    /// was really measured, never an interpolation.
    ///
    /// 0 for an empty sample.
    package func at(_ part: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        let rank = Int((part * Double(sorted.count)).rounded(.up))
        return sorted[min(max(rank, 1), sorted.count) - 1]
    }
}
