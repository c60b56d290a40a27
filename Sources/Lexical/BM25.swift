#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The weighting of Robertson and Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*
/// (2009), §3.4–3.5:
///
///     score(q, d) = Σ over the terms of q:  idf(t) · tf·(k1 + 1) / (tf + k1·(1 − b + b·|d|/avgdl))
///
/// with idf(t) = ln(1 + (N − df + ½)/(df + ½)). The one added inside the logarithm is Lucene's: without it
/// a term in more than half of the rows, which in a session about one thing is common, would count
/// *against* the rows that hold it. A term asked for twice counts twice.
package struct BM25: Sendable {
    /// How soon a term's repetition stops to matter.
    package var k1 = 1.5
    /// How much a long row has to hold more of a term than a short one: 0 not, 1 in proportion.
    package var b = 0.75

    package init() {}

    /// What a term weighs that stands in `documentFrequency` of `count` rows; always positive.
    package func idf(documentFrequency: Int, count: Int) -> Double {
        let df = Double(documentFrequency)
        return log(1 + (Double(count) - df + 0.5) / (df + 0.5))
    }

    /// What occurrences count in a row of a given length, in units of the idf; below k1 + 1.
    @inline(__always)
    func saturation(frequency: Double, length: Double, averageLength: Double) -> Double {
        frequency * (k1 + 1) / (frequency + k1 * (1 - b + b * length / averageLength))
    }
}
