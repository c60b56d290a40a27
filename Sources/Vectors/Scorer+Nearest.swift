// BLAS ranks, the exact sum decides.
//
// `cblas_sgemv` goes over a block in half the time of the exact sum (0.08 against 0.18 µs a row),
// but rounds each row's sum in its own way, so near-equal rows may come out in the wrong order and
// equal ones unequal. Its error has a bound, though, so it can say which rows cannot be among the k
// nearest. Frequent: all but k. Rare: many near-equal rows around the k-th, which are then summed
// exactly too. The answer is that of `distances(from:to:)`, always.

extension Scorer {
    /// How far a single-precision sum of products of two unit vectors can be from the true one.
    ///
    /// For any order of summation it is at most γ₇₆₈ · Σ|qᵢ·vᵢ| ≤ 768·2⁻²⁴ for unit vectors (Higham,
    /// *Accuracy and Stability of Numerical Algorithms*, §3.1). The rest covers lengths that are off
    /// by 1e-3 and the rounding of the exact score itself.
    static let roundingOfBLAS: Float = 800 * 0x1p-24

    /// The `k` nearest rows of `block` and their exact distances, ascending, ties by `tieBreak`.
    ///
    /// Shapes: `query` `[768]`, `block` `[n × 768]`, result `[min(k, n)]`.
    ///
    /// - Complexity: one `sgemv` over the block, exact sums of k rows and of those within 1e-4 of the
    ///   k-th.
    /// - Precondition: `block.dimension == 768`; rows of unit length.
    package static func nearest(
        _ k: Int, to query: UnitVector, in block: Block, tieBreak: (Int, Int) -> Bool
    ) -> [Ranked] {
        precondition(
            block.dimension == UnitVector.dimension,
            "rows of \(UnitVector.dimension) expected, got \(block.dimension)")
        let contenders = contenders(k, for: query, in: block)
        let products = unsafe [Double](unsafeUninitializedCapacity: contenders.count) { to, count in
            unsafe query.values.withUnsafeBufferPointer { query in
                unsafe block.withUnsafeRows { rows in
                    unsafe Kernels.current.dotGathered(
                        query.baseAddress!, rows, dimension: block.dimension, indexes: contenders,
                        count: contenders.count, into: to.baseAddress!)
                }
            }
            count = contenders.count
        }
        let nearest = TopK.select(k, distances: products.map(distance)) { a, b in
            tieBreak(Int(contenders[a]), Int(contenders[b]))
        }
        return nearest.map {
            Ranked(index: Int(contenders[$0.index]), distance: $0.distance)
        }
    }

    /// The rows that can be among the k nearest, as far as single precision can tell.
    private static func contenders(
        _ k: Int, for query: UnitVector, in block: Block
    ) -> [UInt32] {
        guard k < block.count else { return (0..<block.count).map(UInt32.init) }
        guard k > 0 else { return [] }
        // Negative products, so that smaller is nearer.
        let estimates = unsafe [Float](unsafeUninitializedCapacity: block.count) { to, count in
            unsafe query.values.withUnsafeBufferPointer { query in
                unsafe block.withUnsafeRows { rows in
                    unsafe BLAS.gemv(
                        rows: block.count, columns: block.dimension, alpha: -1, a: rows,
                        x: query.baseAddress!, y: to.baseAddress!)
                }
            }
            count = block.count
        }
        let kth = TopK.select(k, distances: estimates) { $0 < $1 }.last!.distance
        let bar = kth + 2 * roundingOfBLAS
        return estimates.indices.filter { estimates[$0] <= bar }.map(UInt32.init)
    }
}
