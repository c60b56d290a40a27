// A block of many rows, cut into stretches that are searched one after another, or by several cores.

extension SessionBlock {
    /// Some of a block's rows. Shares the block's memory.
    struct Stretch: Sendable {
        /// The first of them.
        let start: Int
        let block: SessionBlock
    }

    /// What one search of a stretch writes lies in a core's own cache then: 2 MB of scratch instead of
    /// 34 for a million rows, and each stretch begins with the k-th distance of those before it.
    package static let rowsOfStretch = 1 << 16

    /// Two stretches are worth cutting for; a multiple of 64 rows each, because codes lie in groups.
    static func stretches(
        of rowsOfStretch: Int, _ rows: Block, _ bytes: Int8Rows, _ codes: BitCodes?
    ) -> [Stretch] {
        precondition(rowsOfStretch > 0 && rowsOfStretch % 64 == 0, "\(rowsOfStretch) rows")
        guard rows.count >= 2 * rowsOfStretch else { return [] }
        return stride(from: 0, to: rows.count, by: rowsOfStretch).map { start in
            let range = start..<min(start + rowsOfStretch, rows.count)
            return Stretch(
                start: start,
                block: SessionBlock(
                    rows: rows.slice(range), bytes: bytes.slice(range), codes: codes?.slice(range)))
        }
    }
}

extension Block {
    fileprivate func slice(_ rows: Range<Int>) -> Block {
        Block(
            dimension: dimension, storage: memory.slice(rows.scaled(dimension)), isMapped: isMapped)
    }
}

extension Int8Rows {
    /// The longest row of all is as good a bound for some of them.
    fileprivate func slice(_ rows: Range<Int>) -> Int8Rows {
        Int8Rows(
            count: rows.count, dimension: dimension, bytes: bytes.slice(rows.scaled(dimension)),
            scales: scales.slice(rows), errors: errors.slice(rows), longest: longest)
    }
}

extension BitCodes {
    /// - Precondition: the rows begin with a group.
    fileprivate func slice(_ rows: Range<Int>) -> BitCodes {
        precondition(rows.lowerBound % 64 == 0)
        let groups = rows.lowerBound..<(rows.upperBound + 63) / 64 * 64
        return BitCodes(
            count: rows.count, dimension: dimension, rotation: rotation, centroid: centroid,
            codes: codes.slice(groups.scaled(columns)), bases: bases.slice(groups),
            factors: factors.slice(groups), errors: errors.slice(groups), leastSpread: leastSpread)
    }
}

extension Range<Int> {
    fileprivate func scaled(_ factor: Int) -> Range { lowerBound * factor..<upperBound * factor }
}
