/// A query against `Int8Rows`: q = scale · y + δ, |y| ≤ 16,256.
///
/// Fourteen bits and a sign rather than seven: the rows are read from memory more slowly than either
/// is multiplied, δ all but vanishes, and with it half of the bound's width. 768 · 128 · 16,256
/// stays below 2³¹, so sums are exact.
///
/// The bound. ⟨q, v⟩ = ⟨scale·y, s·x⟩ + ⟨δ, s·x⟩ + ⟨q, ε⟩, so
/// |⟨q, v⟩ − scale·s·⟨y, x⟩| ≤ ‖δ‖·‖s·x‖ + ‖q‖·‖ε‖ = `constantError(rows)` + `weight` · errors[i].
struct Int8Query {
    private(set) var values: [Int16]
    private(set) var scale: Float = 0
    /// ‖q‖, by which a row's own error is multiplied; rounded up.
    private(set) var weight: Float = 0
    /// ‖δ‖, rounded up.
    private var error: Float = 0

    init(_ query: [Float]) {
        precondition(query.count <= 1_023, "sums of \(query.count) products may overflow")
        values = [Int16](repeating: 0, count: query.count)
        restart(query)
    }

    /// Becomes another query of the same length; allocates nothing.
    mutating func restart(_ query: [Float]) {
        precondition(query.count == values.count, "\(query.count) numbers for \(values.count)")
        let lost = unsafe query.withUnsafeBufferPointer { from in
            unsafe values.withUnsafeMutableBufferPointer { to in
                unsafe Kernels.current.quantize(
                    from.baseAddress!, count: from.count, into: to.baseAddress!)
            }
        }
        scale = lost.scale
        error = Float(lost.error).nextUp
        weight = Float(Kernels.current.dot(query, query).squareRoot()).nextUp
    }

    /// The part of the bound that is the same for every row.
    func constantError(_ rows: Int8Rows) -> Float { (error * rows.longest).nextUp }
}
