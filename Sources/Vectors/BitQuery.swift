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
final class BitQuery {
    /// `[32 × d/8]`, laid out as `bit_scan` in `kernels.h` reads it.
    private(set) var table: [UInt8]
    /// ⟨q′, x̄⟩ ≈ scale · sum + offset.
    private(set) var scale: Float = 0
    private(set) var offset: Float = 0
    /// ⟨q, c⟩, which every estimate still lacks.
    private(set) var base: Float = 0
    /// ‖q − c‖²/(d − 1), to be multiplied by a row's own 1 − a².
    private var codeVariance = 0.0
    /// ‖δ‖²/d, where δ is what the four bits lost.
    private var roundingVariance = 0.0

    /// What it was prepared for; nil when for nothing.
    private var seed: UInt64?
    private var centroid: [Float] = []

    /// Memory for the next query.
    private var rotated: [Float]

    /// Prepared for nothing yet.
    init(dimension: Int) {
        precondition(dimension % 4 == 0, "\(dimension) elements are not whole nibbles")
        table = Array(repeating: 0, count: 4 * dimension)
        rotated = Array(repeating: 0, count: dimension)
    }

    /// Whether it was prepared for codes of this rotation and centroid.
    ///
    /// Arrays that share their memory, as those of a session's segments do, are equal at a glance.
    func isReady(for codes: BitCodes) -> Bool {
        seed == codes.rotation.seed && centroid == codes.centroid
    }

    func forget() { seed = nil }

    /// - Complexity: O(d·log d). No allocation.
    func prepare(_ query: [Float], for codes: BitCodes) {
        let dimension = codes.dimension
        let rotation = codes.rotation
        precondition(query.count == dimension && rotated.count == dimension)
        centroid = codes.centroid
        seed = rotation.seed
        for i in rotated.indices { rotated[i] = query[i] - centroid[i] }
        let squaredLength = Kernels.current.dot(rotated, rotated)
        rotation.rotate(&rotated)
        let (step, squaredError) = Kernels.bitTable(rotated, into: &table)

        let d = Double(dimension)
        let scale = Double(step) / d.squareRoot()
        self.scale = Float(scale)
        offset = Float(-scale * 30 * d / 4)
        base = Float(Kernels.current.dot(query, centroid))

        codeVariance = squaredLength / (d - 1)
        roundingVariance = squaredError / d
    }

    /// One standard deviation of row i's estimate is at most this times errors[i].
    ///
    /// The code's error and the rounding's are independent. A row's error factor holds √(1 − a²),
    /// which belongs to the first only, so the second is divided by the least there is of it.
    func deviation(_ codes: BitCodes) -> Float {
        Float((codeVariance + roundingVariance / codes.leastSpread).squareRoot())
    }
}
