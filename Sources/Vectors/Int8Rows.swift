/// Rows of one byte an element, with what each lost: v = scale · x + ε, |x| ≤ 127, ‖ε‖ ≤ error.
///
/// Because ‖ε‖ is known and not estimated, an inner product of the bytes bounds the true one by
/// Cauchy and Schwarz (`Int8Query`): no assumption about the data, no probability.
struct Int8Rows: Sendable {
    let count: Int
    let dimension: Int
    /// `[count × dimension]`.
    let bytes: AlignedBuffer<Int8>
    /// `[count]`, zero for a row of zeros.
    let scales: AlignedBuffer<Float>
    /// `[count]`, ‖ε‖ rounded up.
    let errors: AlignedBuffer<Float>
    /// The longest of the rows as restored from its bytes, rounded up.
    let longest: Float

    init(
        count: Int, dimension: Int, bytes: AlignedBuffer<Int8>, scales: AlignedBuffer<Float>,
        errors: AlignedBuffer<Float>, longest: Float
    ) {
        self.count = count
        self.dimension = dimension
        self.bytes = bytes
        self.scales = scales
        self.errors = errors
        self.longest = longest
    }

    var byteCount: Int { bytes.byteCount + scales.byteCount + errors.byteCount }

    /// The scale of a row is its largest magnitude over 127.
    init(_ block: Block) throws(VectorError) {
        let (count, dimension) = (block.count, block.dimension)
        let bytes = try AlignedBuffer<Int8>.allocate(count: count * dimension)
        let scales = try AlignedBuffer<Float>.allocate(count: count)
        let errors = try AlignedBuffer<Float>.allocate(count: count)
        var longest = 0.0
        unsafe block.withUnsafeRows { rows in
            for index in 0..<count {
                let lost = unsafe Kernels.current.quantize(
                    rows + index * dimension, count: dimension,
                    into: bytes.base + index * dimension)
                unsafe scales.base[index] = lost.scale
                unsafe errors.base[index] = Float(lost.error).nextUp
                longest = max(longest, lost.length)
            }
        }
        self.count = count
        self.dimension = dimension
        self.bytes = bytes
        self.scales = scales
        self.errors = errors
        self.longest = Float(longest).nextUp
    }
}
