/// A random rotation of space: one seeded orthogonal matrix.
///
/// The 1-bit codes (`BitCodes`) need their error spread evenly over all coordinates, whatever the
/// data. A rotation drawn uniformly (Haar) does that: the orthogonal factor of a Gaussian matrix,
/// its columns' signs fixed by R's diagonal (Mezzadri, Notices of the AMS 54, 2007, §5). Vectors
/// padded with zeros come out with all 768 coordinates at work.
///
/// The same seed gives the same rotation up to rounding, which differs between BLAS libraries by
/// about 1e-7 an element: far below what one bit an element can tell.
package struct Rotation: Sendable {
    package let dimension: Int
    package let seed: UInt64
    /// `[d × d]`: row i is the i-th axis; rotating is multiplying by it.
    package let axes: Block
    /// The same in bytes, for queries.
    ///
    /// They are cut to four bits afterwards, beside which this loses nothing (an error of 0.7 % of
    /// the length against 13 %), and 0.6 MB are read instead of 2.4: 23 µs a query instead of SGEMV's 96.
    let axesInBytes: Int8Rows
    /// Σ‖εᵢ‖² / d over the axes in bytes: the mean square of the length a rotated unit vector is
    /// off by.
    let squaredErrorInBytes: Double

    /// - Complexity: O(d³), 0.15 s for 768. Make it once per model and keep it.
    package init(dimension: Int = UnitVector.dimension, seed: UInt64) throws(VectorError) {
        precondition(dimension > 0, "no rotation of \(dimension) dimensions")
        var random = SplitMix64(seed: seed)
        var gaussian = (0..<dimension * dimension).map { _ in random.nextGaussian() }
        BLAS.orthonormalize(&gaussian, dimension: dimension)
        let orthogonal = gaussian
        let axes = Block(count: dimension, dimension: dimension) { elements in
            for index in orthogonal.indices { elements[index] = Float(orthogonal[index]) }
        }
        try self.init(seed: seed, axes: axes)
    }

    /// The rotation whose axes were made from `seed` before.
    package init(seed: UInt64, axes: Block) throws(VectorError) {
        precondition(axes.count == axes.dimension, "\(axes.count) axes of \(axes.dimension)")
        dimension = axes.dimension
        self.seed = seed
        self.axes = axes
        axesInBytes = try Int8Rows(axes)
        var squares = 0.0
        for index in 0..<dimension {
            let error = unsafe Double(axesInBytes.errors.base[index])
            squares += error * error
        }
        squaredErrorInBytes = squares / Double(dimension)
    }

    /// Rotates `count` rows in full precision.
    ///
    /// Shapes: `rows`, `rotated` `[count × d]`.
    func rotate(
        _ rows: UnsafePointer<Float>, count: Int, into rotated: UnsafeMutablePointer<Float>
    ) {
        unsafe axes.withUnsafeRows { axes in
            unsafe BLAS.gemm(
                transposeB: true, m: count, n: dimension, k: dimension, a: rows, b: axes,
                c: rotated)
        }
    }

    /// Rotates one vector by the axes in bytes; `squaredErrorInBytes` says how well.
    ///
    /// - Complexity: O(d²), 23 µs at d = 768. No allocation: `dots` is memory to work in.
    func rotate(_ vector: Int8Query, dots: inout [Int32], into rotated: inout [Float]) {
        precondition(rotated.count == dimension && dots.count == dimension)
        unsafe Kernels.current.int8Scan(vector, axesInBytes, into: &dots)
        unsafe Kernels.current.int8Estimates(
            dots, axesInBytes.scales.base, scale: vector.scale, count: dimension, into: &rotated)
    }
}
