/// One query made ready for any number of blocks, and the memory to make the next one ready in.
///
/// In bytes at once, which takes a microsecond. In bits when the first search of codes asks, which
/// takes 15: once for all blocks that share a rotation and a centroid, and never when only bytes are
/// searched.
///
/// One per thread, like `SearchScratch`.
package final class PreparedQuery {
    private(set) var values: [Float]
    private(set) var bytes: Int8Query
    private var bits: BitQuery

    package init(_ query: UnitVector) {
        values = query.values
        bytes = Int8Query(query.values)
        bits = BitQuery(dimension: UnitVector.dimension)
    }

    /// Forgets the query for another one; allocates nothing.
    package func restart(_ query: UnitVector) {
        values = query.values
        bytes.restart(query.values)
        bits.forget()
    }

    /// Whether these codes can be searched without rotating the query again.
    func isRotated(for codes: BitCodes) -> Bool { bits.isReady(for: codes) }

    /// The query for these codes.
    ///
    /// - Complexity: O(d·log d) the first time, O(1) while rotation and centroid stay the same.
    func bits(for codes: BitCodes) -> BitQuery {
        if !bits.isReady(for: codes) { bits.prepare(values, for: codes) }
        return bits
    }
}
