/// What a search knew about one row before it scored it: for explaining an answer, and for tests.
///
/// All are in units of the inner product.
package struct RowBounds: Sendable, Equatable {
    /// From one bit an element; nil when the block has no codes.
    package let bits: BitBound?
    /// From one byte an element.
    package let byteEstimate: Float
    /// More than it can be off by.
    package let byteError: Float
}

/// An estimate from codes, and how sure it is.
package struct BitBound: Sendable, Equatable {
    package let estimate: Float
    /// One standard deviation of its error; `Cascade` allows six.
    package let deviation: Float
}

extension SessionBlock {
    /// The bounds of one row, computed as a search computes them.
    ///
    /// - Complexity: O(64·d/8 + d): the codes of a group are scanned together.
    /// - Precondition: `0 <= row < count`.
    package func bounds(of row: Int, for query: PreparedQuery) -> RowBounds {
        precondition(row >= 0 && row < count, "row \(row) of \(count)")
        let kernels = Kernels.current
        var dot: Int32 = 0
        var byteEstimate: Float = 0
        unsafe kernels.int8Gathered(
            query.bytes, bytes, indexes: [UInt32(row)], count: 1, into: &dot)
        unsafe kernels.int8Estimates(
            [dot], bytes.scales.base + row, scale: query.bytes.scale, count: 1,
            into: &byteEstimate)
        let byteError = unsafe bytes.errors.base[row]
        return RowBounds(
            bits: codes.map { $0.bound(of: row, for: query.bits(for: $0)) },
            byteEstimate: byteEstimate,
            byteError: query.bytes.weight * byteError + query.bytes.constantError(bytes) + slack)
    }
}

extension BitCodes {
    fileprivate func bound(of row: Int, for query: BitQuery) -> BitBound {
        let kernels = Kernels.current
        var sums = [UInt16](repeating: 0, count: 64)
        var estimate: Float = 0
        unsafe kernels.bitScan(
            table: query.table, codes: codes.base + row / 64 * 64 * columns, columns: columns,
            groups: 1, into: &sums)
        unsafe kernels.bitEstimates(
            [sums[row % 64]], bases: bases.base + row, factors: factors.base + row,
            scale: query.scale, offset: query.offset, count: 1, into: &estimate)
        return BitBound(
            estimate: estimate + query.base,
            deviation: query.deviation(self) * (unsafe errors.base[row]))
    }
}
