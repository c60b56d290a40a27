/// The rows of a session up to three times over: exactly, in one byte an element, and in one bit.
///
/// Immutable. 3,072 + 776 + 108 = 3,956 bytes a row of 768 elements (and up to 63 rows of codes for
/// the last group). `Cascade` searches it.
///
/// It comes in two stages, because the bytes take a tenth of the time of the codes: a block of bytes
/// answers at once, with a proof, and `withCodes` gives one that answers faster when rows are many.
package struct SessionBlock: Sendable {
    package let rows: Block
    let bytes: Int8Rows
    /// Nil in the first stage.
    let codes: BitCodes?
    /// The same rows cut for searching; empty when they are too few to be worth it.
    let stretches: [Stretch]
    let rowsOfStretch: Int

    package var count: Int { rows.count }
    package var dimension: Int { rows.dimension }
    package var hasCodes: Bool { codes != nil }

    /// What the codes are residuals of; nil without codes.
    ///
    /// A segment appended to a session takes the centroid of its base, so that a query is rotated
    /// once for both.
    package var centroid: [Float]? { codes?.centroid }

    /// The memory held. Floats that lie in a mapped file are not: the system takes their pages back
    /// when it needs them.
    package var byteCount: Int {
        (rows.isMapped ? 0 : rows.byteCount) + bytes.byteCount + (codes?.byteCount ?? 0)
    }

    /// Bounds are computed in float, with at most six roundings of numbers no larger than the
    /// longest row's product with the query; this much is allowed for them on top.
    let slack: Float

    /// Bytes for `rows`, and no codes.
    ///
    /// - Complexity: O(n·d): 768 × 10,000 rows take 13 ms on one core.
    /// - Precondition: rows finite and about unit length; fewer than 2³² of them.
    /// - Throws: `VectorError.allocation`.
    package init(
        _ rows: Block, rowsOfStretch: Int = SessionBlock.rowsOfStretch
    ) throws(VectorError) {
        precondition(rows.count < Int(UInt32.max), "\(rows.count) rows")
        self.init(
            rows: rows, bytes: try Int8Rows(rows), codes: nil, rowsOfStretch: rowsOfStretch)
    }

    /// Bytes and codes for `rows`; see `withCodes`.
    package init(_ rows: Block, rotation: Rotation, centroid: [Float]? = nil) throws(VectorError) {
        self = try SessionBlock(rows).withCodes(rotation: rotation, centroid: centroid)
    }

    init(
        rows: Block, bytes: Int8Rows, codes: BitCodes?,
        rowsOfStretch: Int = SessionBlock.rowsOfStretch
    ) {
        self.rows = rows
        self.bytes = bytes
        self.codes = codes
        self.rowsOfStretch = rowsOfStretch
        stretches = Self.stretches(of: rowsOfStretch, rows, bytes, codes)
        slack = 1e-6 * max(1, bytes.longest)
    }

    /// The same rows and bytes, shared, with codes about `centroid`: the rows' mean unless given.
    ///
    /// - Complexity: O(n·d·log d) for the rotation.
    /// - Precondition: rows of the rotation's dimension.
    /// - Throws: `VectorError.allocation`; `abandoned` soon after it is not wanted any more.
    package func withCodes(
        rotation: Rotation, centroid: [Float]? = nil, whileWanted isWanted: () -> Bool = { true }
    ) throws(VectorError) -> SessionBlock {
        let codes = try BitCodes(
            rows, centroid: centroid ?? BitCodes.centroid(of: rows), rotation: rotation,
            whileWanted: isWanted)
        return SessionBlock(
            rows: rows, bytes: bytes, codes: codes, rowsOfStretch: rowsOfStretch)
    }
}
