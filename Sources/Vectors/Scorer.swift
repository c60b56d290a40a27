/// Exact cosine distances from one query to rows of unit length.
///
/// The score is Σ qᵢ·vᵢ accumulated in double in a fixed order (`kernels.h`) and rounded to float
/// once; the distance is 1 − score. So the score is the correctly rounded product of the stored
/// floats, but for halfway cases one in 10⁸; a nearer row never scores worse than a farther one; and
/// equal rows score equal bits wherever they lie and whatever the machine. Because unit length is
/// itself rounded, a distance can be a few 1e-7 below zero.
///
/// Not `cblas_sgemv`: it sums a row differently according to its place in the block. OpenBLAS 0.3.21
/// scores seven copies of one row 0.103559114 four times and 0.103559092 three times, so ties by id
/// are lost (147 of the counts from 1 to 200 came out unequal). It costs 0.08 µs a row from cache
/// against our 0.18; on 200 rows scattered over 150 MB, where memory decides, copying them
/// together and calling it takes 175 µs against our 133 (Xeon 2.5 GHz, AVX-512). Where rows lie side by
/// side it still goes first, and this sum decides between the rows it leaves: `nearest`.
package struct Scorer: Sendable {
    /// Distances to every row of `block`, in its order.
    ///
    /// Shapes: `query` `[768]`, `block` `[n × 768]`, result `[n]`.
    ///
    /// - Complexity: O(n·d); 768 × 1,000 rows take about 0.1 ms from cache.
    /// - Precondition: `block.dimension == 768`.
    package static func distances(from query: UnitVector, to block: Block) -> [Float] {
        precondition(
            block.dimension == UnitVector.dimension,
            "rows of \(UnitVector.dimension) expected, got \(block.dimension)")
        let products = unsafe [Double](unsafeUninitializedCapacity: block.count) { to, count in
            unsafe query.values.withUnsafeBufferPointer { query in
                unsafe block.withUnsafeRows { rows in
                    unsafe Kernels.current.dotRows(
                        query.baseAddress!, rows, dimension: block.dimension, count: block.count,
                        into: to.baseAddress!)
                }
            }
            count = block.count
        }
        return products.map(distance)
    }

    /// The distance that belongs to a sum of products.
    static func distance(_ product: Double) -> Float { 1 - Float(product) }
}
