/// 768 finite floats of unit length: the type that says a vector was checked at the edge.
///
/// Its norm, taken in double, is 1 within 2⁻²⁴·√768 < 2e-6: dividing rounds each element once.
package struct UnitVector: Sendable, Equatable {
    /// What the schema stores and every session holds; narrower models are padded with zeros.
    package static let dimension = 768

    package let values: [Float]

    /// Exactly 768 finite numbers, not all zero, scaled to unit length.
    ///
    /// Any finite magnitude will do, subnormal or 1e38: the norm is taken in double.
    package init(normalizing values: [Float]) throws(VectorError) {
        guard values.count == Self.dimension else {
            throw .dimensionMismatch(expected: Self.dimension, got: values.count)
        }
        try self.init(padding: values)
    }

    /// Up to 768 finite numbers, not all zero, followed by zeros and scaled to unit length.
    ///
    /// Zeros keep every inner product between vectors of one model. An empty array is a zero vector.
    package init(padding values: [Float]) throws(VectorError) {
        guard values.count <= Self.dimension else {
            throw .dimensionMismatch(expected: Self.dimension, got: values.count)
        }
        // Squares of finite floats have a finite sum in double, so one look finds what is not.
        let norm = Kernels.current.dot(values, values).squareRoot()
        if !norm.isFinite, let element = values.firstIndex(where: { !$0.isFinite }) {
            throw .notFinite(element: element)
        }
        guard norm > 0 else { throw .zeroVector }
        self.values = unsafe [Float](unsafeUninitializedCapacity: Self.dimension) { scaled, count in
            for index in values.indices {
                unsafe scaled[index] = Float(Double(values[index]) / norm)
            }
            unsafe scaled[values.count..<Self.dimension].initialize(repeating: 0)
            count = Self.dimension
        }
    }
}
