extension Scorer {
    /// Exact distances from one query to some rows of a block, in the order of `indexes`; the same bits
    /// as `distances(from:to:)` gives.
    ///
    /// - Precondition: `block.dimension == 768`, every index below `block.count`.
    package static func distances(
        from query: UnitVector, to indexes: [UInt32], in block: Block
    ) -> [Float] {
        precondition(
            block.dimension == UnitVector.dimension,
            "rows of \(UnitVector.dimension) expected, got \(block.dimension)")
        precondition(indexes.allSatisfy { $0 < block.count }, "an index beyond \(block.count) rows")
        let products = unsafe [Double](unsafeUninitializedCapacity: indexes.count) { to, count in
            unsafe query.values.withUnsafeBufferPointer { query in
                unsafe block.withUnsafeRows { rows in
                    unsafe Kernels.current.dotGathered(
                        query.baseAddress!, rows, dimension: block.dimension, indexes: indexes,
                        count: indexes.count, into: to.baseAddress!)
                }
            }
            count = indexes.count
        }
        return products.map(distance)
    }
}
