/// What a search knew about one row before it scored it: for explaining an answer, and for tests.
///
/// All four are in units of the inner product.
package struct RowBounds: Sendable, Equatable {
    /// From one bit an element.
    package let bitEstimate: Float
    /// One standard deviation of its error; `Cascade` allows six.
    package let bitDeviation: Float
    /// From one byte an element.
    package let byteEstimate: Float
    /// More than it can be off by.
    package let byteError: Float
}

extension SessionBlock {
    /// The bounds of one row, computed as a search computes them.
    ///
    /// - Complexity: O(64·d/8 + d): the codes of a group are scanned together.
    /// - Precondition: `0 <= row < count`; the query was prepared for this rotation and centroid.
    package func bounds(of row: Int, for query: PreparedQuery) -> RowBounds {
        precondition(row >= 0 && row < count, "row \(row) of \(count)")
        let kernels = Kernels.current
        var sums = [UInt16](repeating: 0, count: 64)
        var dot: Int32 = 0
        var bitEstimate: Float = 0
        var byteEstimate: Float = 0
        unsafe kernels.bitScan(
            table: query.bits.table, codes: codes.codes.base + row / 64 * 64 * codes.columns,
            columns: codes.columns, groups: 1, into: &sums)
        unsafe kernels.bitEstimates(
            [sums[row % 64]], bases: codes.bases.base + row, factors: codes.factors.base + row,
            scale: query.bits.scale, offset: query.bits.offset, count: 1, into: &bitEstimate)
        unsafe kernels.int8Gathered(
            query.bytes, bytes, indexes: [UInt32(row)], count: 1, into: &dot)
        unsafe kernels.int8Estimates(
            [dot], bytes.scales.base + row, scale: query.bytes.scale, count: 1,
            into: &byteEstimate)
        let (codeError, byteError) = unsafe (codes.errors.base[row], bytes.errors.base[row])
        return RowBounds(
            bitEstimate: bitEstimate + query.bits.base,
            bitDeviation: query.bits.deviation(codes) * codeError, byteEstimate: byteEstimate,
            byteError: query.bytes.weight * byteError + query.bytes.constantError(bytes) + slack)
    }
}
