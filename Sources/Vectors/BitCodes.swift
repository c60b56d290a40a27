/// One bit an element: the signs of each row's residual, rotated (RaBitQ, Gao and Long, SIGMOD
/// 2024, §3).
///
/// With c the centroid, r = v − c a row's residual, o = P·r/‖r‖ its rotated direction and
/// x̄ = sign(o)/√d the corner of the cube nearest to o, the code is x̄, and a = ⟨o, x̄⟩ says how near
/// the corner is (0.798 ≈ √(2/π) on average). For a query, with q′ = P·(q − c),
///
///     ⟨q, v⟩ = ⟨q, c⟩ + ⟨c, r⟩ + ⟨q − c, r⟩ ≈ ⟨q, c⟩ + ⟨c, r⟩ + (‖r‖/a)·⟨q′, x̄⟩,
///
/// which is unbiased over rotations (theorem 3.2). x̄ = a·o + √(1−a²)·e with e a unit vector at right
/// angles to o, so what is missing is (‖r‖·√(1−a²)/a)·⟨q′, e⟩, and ⟨q′, e⟩ has the spread
/// ‖q − c‖/√(d−1) of a coordinate of a random direction. That gives a row the standard deviation
/// errors[i] · ‖q − c‖/√(d−1) (`BitQuery` adds its own four-bit rounding).
///
/// Memory: d/8 + 12 bytes a row, counted in whole groups of 64.
struct BitCodes: Sendable {
    let count: Int
    let dimension: Int
    let rotation: Rotation
    let centroid: [Float]

    /// In groups of 64 rows, byte by byte, as `bit_scan` in `kernels.h` reads them.
    let codes: AlignedBuffer<UInt8>
    /// ⟨c, r⟩.
    let bases: AlignedBuffer<Float>
    /// ‖r‖/a; zero for a row that is the centroid, whose estimate is then exact.
    let factors: AlignedBuffer<Float>
    /// (‖r‖/a)·√(1−a²), with 1−a² taken to be at least 0.1.
    let errors: AlignedBuffer<Float>
    /// The smallest 1−a² of all rows, at least 0.1; see `BitQuery.deviation`.
    ///
    /// It is 0.36 on average;
    /// a row nearer to a corner than 0.1 is a freak, and is given more error than it has.
    let leastSpread: Double

    var columns: Int { dimension / 8 }
    var groups: Int { (count + 63) / 64 }
    var byteCount: Int {
        codes.byteCount + bases.byteCount + factors.byteCount + errors.byteCount
    }

    init(
        count: Int, dimension: Int, rotation: Rotation, centroid: [Float],
        codes: AlignedBuffer<UInt8>, bases: AlignedBuffer<Float>, factors: AlignedBuffer<Float>,
        errors: AlignedBuffer<Float>, leastSpread: Double
    ) {
        self.count = count
        self.dimension = dimension
        self.rotation = rotation
        self.centroid = centroid
        self.codes = codes
        self.bases = bases
        self.factors = factors
        self.errors = errors
        self.leastSpread = leastSpread
    }

    /// - Precondition: the dimension is that of the rotation and the centroid.
    /// - Throws: `allocation`; `abandoned` as soon as it is not wanted any more.
    init(
        _ block: Block, centroid: [Float], rotation: Rotation,
        whileWanted isWanted: () -> Bool = { true }
    ) throws(VectorError) {
        let dimension = block.dimension
        precondition(dimension == Rotation.dimension && dimension == centroid.count)
        let groups = (block.count + 63) / 64
        let codes = try AlignedBuffer<UInt8>.allocate(count: groups * 64 * dimension / 8)
        let bases = try AlignedBuffer<Float>.allocate(count: groups * 64)
        let factors = try AlignedBuffer<Float>.allocate(count: groups * 64)
        let errors = try AlignedBuffer<Float>.allocate(count: groups * 64)
        let rotated = try AlignedBuffer<Float>.allocate(count: dimension)
        let kernels = Kernels.current

        var least = 1.0
        for row in 0..<block.count {
            if row % 512 == 0, !isWanted() { throw .abandoned }
            unsafe block.withUnsafeRows { rows in
                unsafe bases.base[row] = Float(
                    kernels.residual(
                        rows + row * dimension, centroid, count: dimension, into: rotated.base))
            }
            unsafe rotation.rotate(at: rotated.base)
            let (factor, spread) = unsafe encode(
                rotated.base, dimension: dimension,
                into: codes.base + row / 64 * 64 * dimension / 8 + row % 64)
            unsafe factors.base[row] = factor
            unsafe errors.base[row] = factor * Float(spread.squareRoot())
            least = min(least, spread)
        }
        count = block.count
        self.dimension = dimension
        self.rotation = rotation
        self.centroid = centroid
        self.codes = codes
        self.bases = bases
        self.factors = factors
        self.errors = errors
        leastSpread = least
    }

    /// The mean of the rows, zero when there are none.
    static func centroid(of block: Block) -> [Float] {
        var sums = [Double](repeating: 0, count: block.dimension)
        unsafe block.withUnsafeRows { rows in
            for row in 0..<block.count {
                for i in sums.indices { unsafe sums[i] += Double(rows[row * block.dimension + i]) }
            }
        }
        return sums.map { Float($0 / Double(max(block.count, 1))) }
    }
}

/// Writes the signs of one rotated residual, a byte every 64, and returns ‖r‖/a and 1 − a².
///
/// ‖r‖ is taken from the rotated residual itself, so that a ≤ 1 whatever rounding the rotation did.
private func encode(
    _ rotated: UnsafePointer<Float>, dimension: Int, into code: UnsafeMutablePointer<UInt8>
) -> (factor: Float, spread: Double) {
    let (square, sum) = unsafe Kernels.current.signs(
        rotated, count: dimension, stride: 64, into: code)
    guard sum > 0 else { return (0, 1) }
    // a = ⟨o, x̄⟩ = Σ|rᵢ| / (‖r‖·√d).
    let a = sum / (square * Double(dimension)).squareRoot()
    return (Float(square.squareRoot() / a), max(1 - a * a, 0.1))
}
