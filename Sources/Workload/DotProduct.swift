// The benchmark's own arithmetic: it judges the program's, so it shares none of it.

/// The inner product in single precision, sixteen sums side by side; `count` is a multiple of 16.
func dot(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int
) -> Float {
    var sums = SIMD16<Float>.zero
    let left = unsafe UnsafeRawPointer(a)
    let right = unsafe UnsafeRawPointer(b)
    for offset in stride(from: 0, to: count * MemoryLayout<Float>.stride, by: 64) {
        let x = unsafe left.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self)
        let y = unsafe right.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self)
        sums += x * y
    }
    return sums.sum()
}

/// The same in double precision, from left to right: what is called exact.
func exactDot(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

/// A vector of length 1 in the same direction.
func unit(_ vector: [Float]) throws(WorkloadError) -> [Float] {
    let length = exactDot(vector, vector).squareRoot()
    guard length.isFinite, length > 0 else { throw WorkloadError("a vector without a direction") }
    return vector.map { Float(Double($0) / length) }
}
