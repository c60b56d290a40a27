/// A query against `BitCodes`: q′ = P·(q − c) in four bits an element, as a table of sums.
///
/// The levels are (2k − 15)·Δ/2 for k in 0…15, symmetric about zero with the largest element on the
/// outermost, so ⟨q̂, x̄⟩ = (Δ/2√d)·Σ ±(2kᵢ − 15), and the sum over four elements is even and at most
/// 60 in magnitude. Half of it plus 30 is a byte of `table`: one for every nibble of code and each
/// of its 16 values.
///
/// The paper rounds at random to stay unbiased (§3.3.1); rounding to the nearest halves the
/// variance, and the small bias it leaves makes rows in the query's direction look nearer than
/// they are, which costs a candidate and never loses one.
struct BitQuery: Sendable {
    /// `[32 × d/8]`, laid out as `bit_scan` in `kernels.h` reads it.
    let table: [UInt8]
    /// ⟨q′, x̄⟩ ≈ scale · sum + offset.
    let scale: Float
    let offset: Float
    /// ⟨q, c⟩, which every estimate still lacks.
    let base: Float
    /// ‖q − c‖²/(d − 1), to be multiplied by a row's own 1 − a².
    private let codeVariance: Double
    /// ‖δ‖²/d, where δ is what the four bits lost.
    private let roundingVariance: Double

    /// - Complexity: O(d²) for the rotation, 23 µs of the 31 at d = 768.
    init(_ query: [Float], codes: BitCodes, rotation: Rotation) {
        let dimension = codes.dimension
        precondition(query.count == dimension && rotation.dimension == dimension)
        var residual = query
        for i in residual.indices { residual[i] -= codes.centroid[i] }
        let length = Kernels.current.dot(residual, residual).squareRoot()
        let rotated = rotation.rotatedInBytes(residual)
        let rounded = Kernels.bitTable(rotated)

        table = rounded.table
        let d = Double(dimension)
        let scale = Double(rounded.step) / d.squareRoot()
        self.scale = Float(scale)
        offset = Float(-scale * 30 * d / 4)
        base = Float(Kernels.current.dot(query, codes.centroid))

        codeVariance = length * length / (d - 1)
        roundingVariance =
            (rounded.squaredError + rotation.squaredErrorInBytes * length * length) / d
    }

    /// One standard deviation of row i's estimate is at most this times errors[i].
    ///
    /// The code's error and the rounding's are independent. A row's error factor holds √(1 − a²),
    /// which belongs to the first only, so the second is divided by the least there is of it.
    func deviation(_ codes: BitCodes) -> Float {
        Float((codeVariance + roundingVariance / codes.leastSpread).squareRoot())
    }
}
