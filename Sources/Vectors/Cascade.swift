/// What the caller wants to be sure of.
package enum Exactness: Sendable { case probable, proven }

/// What a search reads of every row before it drops any.
package enum FirstStep: Sendable { case bits, bytes }

/// What a search can say about rows it did not return: never more than was done.
package enum Certificate: Sendable, Equatable {
    /// Every row that was dropped had a bound, by Cauchy and Schwarz, beyond the k-th distance.
    case proven
    /// Some row was dropped because its estimate was more than six standard deviations beyond the
    /// k-th distance. The chance, over rotations, that one of the answers is missing.
    case probable(missProbability: Double)
}

/// The exact k nearest rows of a block.
///
/// Coarse to fine, and a row is dropped at a step only when it cannot be among the k nearest any more:
///
/// 1. Estimate every row from its codes (`BitCodes`: 96 bytes a row).
/// 2. Score the 2k best estimates exactly. The k-th of these distances is the bar: k rows are at least
///    this near, so a row whose estimate plus six standard deviations misses it is dropped.
/// 3. Do the same with what is left in bytes (`Int8Rows`: 768 bytes a row), whose bound is hard.
/// 4. Score what is left exactly and rank it.
///
/// What is frequent is a row dropped in step 1; of 10,000 real rows 298 see step 3 and 12 see step 4
/// (medians). It starts at step 3, and the answer is proven, when a proof was asked for, when the
/// block has no codes yet, or when so few rows match that rotating the query for step 1 costs more
/// than it spares (`faster`).
///
/// The six standard deviations: a row is lost when the error of its estimate, a coordinate of a random
/// direction in d − 1 dimensions, exceeds z = 6 of them. Such a coordinate has lighter tails than the
/// normal distribution, whose tail beyond 6 is 9.87e-10, and only the k nearest can be lost.
/// Random is the rotation, not the data: that holds for any data chosen without knowing the seed.
package enum Cascade {
    package struct Answer: Sendable, Equatable {
        /// Nearest first, ties by the caller's order; `index` is a row of the block.
        package let ranked: [Ranked]
        package let certificate: Certificate
        package let examined: Examined
    }

    /// Rows whose bytes were looked at, and rows whose floats were.
    package struct Examined: Sendable, Equatable {
        package let bytes: Int
        package let exactly: Int
    }

    /// Beyond this many standard deviations a row is dropped.
    package static let deviations: Float = 6
    /// The normal distribution's tail there.
    package static let missProbability = 9.87e-10
    /// So few rows are scored outright: two dozen microseconds, and nothing to bound.
    static let scoredOutright = 96

    /// The `k` nearest rows among those of `filter` (all when nil) that are no farther than `limit`.
    ///
    /// - Parameters:
    ///   - k: how many; fewer are found when fewer match.
    ///   - query: used by no one else meanwhile.
    ///   - block: the rows.
    ///   - exactness: what the caller wants to be sure of.
    ///   - first: where to start, whenever that is possible; what should be faster when nil.
    ///   - filter: the rows that may be answered; over this block's rows.
    ///   - limit: the distance beyond which nothing is wanted.
    ///   - scratch: used by no one else meanwhile.
    ///   - tieBreak: whether one row comes before another at the same distance; a strict order.
    /// - Complexity: O(n·d/8) and little more when rows differ; O(n·d) when all are alike. No
    ///   allocation beyond the answer.
    /// - Returns: rows, certificate and how much was looked at.
    /// - Throws: `VectorError.allocation` when `scratch` has to grow and cannot.
    package static func nearest(
        _ k: Int, to query: PreparedQuery, in block: SessionBlock, exactness: Exactness = .probable,
        first: FirstStep? = nil, filter: RowSet? = nil, limit: Float = .infinity,
        scratch: SearchScratch,
        tieBreak: (Int, Int) -> Bool
    ) throws(VectorError) -> Answer {
        precondition(filter == nil || filter!.universe == block.count, "a filter over other rows")
        let matching = filter?.count ?? block.count
        guard k > 0, matching > 0 else {
            return Answer(
                ranked: [], certificate: .proven, examined: Examined(bytes: 0, exactly: 0))
        }
        if !block.stretches.isEmpty {
            return try nearestInStretches(
                k, to: query, in: block, exactness: exactness, first: first, filter: filter,
                limit: limit, scratch: scratch, tieBreak: tieBreak)
        }
        try scratch.reserve((block.count + 63) / 64 * 64)
        let steps = CascadeSteps(k: k, query: query, block: block, limit: limit, scratch: scratch)

        if matching <= max(scoredOutright, k) {
            let count = steps.list(filter)
            return Answer(
                ranked: steps.rank(count, tieBreak: tieBreak), certificate: .proven,
                examined: Examined(bytes: 0, exactly: count))
        }
        guard exactness == .probable, let codes = block.codes,
            .bits == first
                ?? faster(matching, of: block.count, rotated: query.isRotated(for: codes))
        else {
            let survivors: Int
            if let filter, matching < block.count / 2 {
                survivors = steps.siftByBytes(steps.list(filter))
            } else {
                steps.estimateFromBytes()
                steps.exclude(filter)
                survivors = steps.siftByBytes()
            }
            return Answer(
                ranked: steps.rank(survivors, tieBreak: tieBreak), certificate: .proven,
                examined: Examined(bytes: matching, exactly: survivors))
        }
        let bits = query.bits(for: codes)
        steps.estimateFromBits(bits, codes)
        steps.exclude(filter)
        let candidates = steps.siftByBits(bits, codes)
        let survivors = steps.siftByBytes(candidates)
        return Answer(
            ranked: steps.rank(survivors, tieBreak: tieBreak),
            certificate: candidates == matching
                ? .proven : .probable(missProbability: Double(k) * missProbability),
            examined: Examined(bytes: candidates, exactly: survivors))
    }

    /// Whether to read the bytes of `matching` rows or the codes of all `count`.
    ///
    /// A row costs about 45 ns in bytes and 6 in bits, and sifting what the bits leave 15 µs; rotating
    /// the query 15 more. All rows of a block: 200 take 19 µs in bytes and 30 in bits (16 when the query
    /// is rotated already), 500 take 36 and 34 (19), 1,000 take 60 and 39 (22). Zen 3 under load.
    static func faster(_ matching: Int, of count: Int, rotated: Bool) -> FirstStep {
        matching < count / 8 + (rotated ? 200 : 500) ? .bytes : .bits
    }
}
