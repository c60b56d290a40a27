/// The rows of a session three times over: in one bit an element, in one byte, and exactly.
///
/// Immutable. 3,072 + 776 + 108 = 3,956 bytes a row of 768 elements (and up to 63 rows of codes for
/// the last group). `Cascade` searches it.
package struct SessionBlock: Sendable {
    package let rows: Block
    package let rotation: Rotation
    let codes: BitCodes
    let bytes: Int8Rows

    package var count: Int { rows.count }
    package var dimension: Int { rows.dimension }

    /// What the codes are residuals of.
    ///
    /// A segment appended to a session takes the centroid of its
    /// base, so that one prepared query serves both.
    package var centroid: [Float] { codes.centroid }

    /// All memory held, the floats included.
    package var byteCount: Int {
        let floats = rows.count * rows.dimension * MemoryLayout<Float>.stride
        return floats + codes.byteCount + bytes.byteCount
    }

    /// Bounds are computed in float, with at most six roundings of numbers no larger than the
    /// longest row's product with the query; this much is allowed for them on top.
    let slack: Float

    /// Codes and bytes for `rows`, whose centroid is their mean unless one is given.
    ///
    /// - Complexity: O(n·d²) for the rotation: 768 × 10,000 rows take 0.3 s on one core.
    /// - Precondition: rows finite and about unit length, of the rotation's dimension, a multiple of
    ///   8; fewer than 2³² of them.
    /// - Throws: `VectorError.allocation`.
    package init(_ rows: Block, rotation: Rotation, centroid mean: [Float]? = nil)
        throws(VectorError)
    {
        precondition(rows.count < Int(UInt32.max), "\(rows.count) rows")
        self.rows = rows
        self.rotation = rotation
        codes = try BitCodes(
            rows, centroid: mean ?? BitCodes.centroid(of: rows), rotation: rotation)
        bytes = try Int8Rows(rows)
        slack = 1e-6 * max(1, bytes.longest)
    }
}

/// One query made ready for blocks that share a rotation and a centroid.
package struct PreparedQuery: Sendable {
    let values: [Float]
    let bits: BitQuery
    let bytes: Int8Query

    /// - Complexity: O(d²); 35 µs at d = 768.
    /// - Precondition: the block has 768 columns.
    package init(_ query: UnitVector, for block: SessionBlock) {
        precondition(block.dimension == UnitVector.dimension)
        values = query.values
        bits = BitQuery(values, codes: block.codes, rotation: block.rotation)
        bytes = Int8Query(values)
    }
}
