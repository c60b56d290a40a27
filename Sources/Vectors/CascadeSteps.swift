/// The steps of one `Cascade`, on the memory of its scratch.
///
/// An estimate step fills `scratch.estimates`, one for each row of the block or each survivor so far;
/// a sift leaves the rows that survive at the front of `scratch.rows` and says how many.
/// Estimates and bars are inner products here, so larger is nearer.
@safe struct CascadeSteps {
    let k: Int
    let query: PreparedQuery
    let block: SessionBlock
    let limit: Float
    let scratch: SearchScratch

    private let kernels = Kernels.current

    init(k: Int, query: PreparedQuery, block: SessionBlock, limit: Float, scratch: SearchScratch) {
        self.k = k
        self.query = query
        self.block = block
        self.limit = limit
        self.scratch = scratch
    }

    // MARK: Every row

    /// Lists the rows of the filter.
    func list(_ filter: RowSet?) -> Int {
        guard let filter else {
            for row in 0..<block.count { unsafe scratch.rows.base[row] = UInt32(row) }
            return block.count
        }
        var count = 0
        filter.forEach { row in
            unsafe scratch.rows.base[count] = UInt32(row)
            count += 1
        }
        return count
    }

    /// Estimates every row from its bits, but for the constant `bits.base`.
    func estimateFromBits(_ bits: BitQuery, _ codes: BitCodes) {
        unsafe kernels.bitScan(
            table: bits.table, codes: codes.codes.base, columns: codes.columns,
            groups: codes.groups, into: scratch.sums.base)
        unsafe kernels.bitEstimates(
            scratch.sums.base, bases: codes.bases.base, factors: codes.factors.base,
            scale: bits.scale, offset: bits.offset, count: block.count,
            into: scratch.estimates.base)
    }

    /// Estimates every row from its bytes.
    func estimateFromBytes() {
        unsafe kernels.int8Scan(query.bytes, block.bytes, into: scratch.dots.base)
        unsafe kernels.int8Estimates(
            scratch.dots.base, block.bytes.scales.base, scale: query.bytes.scale,
            count: block.count, into: scratch.estimates.base)
    }

    /// Gives the rows outside the filter an estimate that nothing survives with.
    func exclude(_ filter: RowSet?) {
        guard let filter else { return }
        for (index, word) in filter.words.enumerated() where word != .max {
            var out = ~word
            while out != 0 {
                let row = index * 64 + out.trailingZeroBitCount
                guard row < block.count else { break }
                unsafe scratch.estimates.base[row] = -.infinity
                out &= out - 1
            }
        }
    }

    // MARK: Sifting

    /// Keeps the rows whose estimate from bits may be off by six deviations and reach the bar.
    func siftByBits(_ bits: BitQuery, _ codes: BitCodes) -> Int {
        let errors = codes.errors
        let bar = unsafe bar(count: block.count, errors: errors.base, rows: nil)
        return unsafe kernels.select(
            scratch.estimates.base, errors: errors.base,
            weight: Cascade.deviations * bits.deviation(codes),
            threshold: bar - bits.base, count: block.count, into: scratch.rows.base)
    }

    /// Keeps the rows whose bytes allow them to reach the bar, having estimated all of them.
    func siftByBytes() -> Int {
        let errors = block.bytes.errors
        let bar = unsafe bar(count: block.count, errors: errors.base, rows: nil)
        return unsafe kernels.select(
            scratch.estimates.base, errors: errors.base, weight: query.bytes.weight,
            threshold: bar - query.bytes.constantError(block.bytes), count: block.count,
            into: scratch.rows.base)
    }

    /// The same for the first `count` of `scratch.rows`, which it estimates first.
    func siftByBytes(_ count: Int) -> Int {
        let bytes = block.bytes
        let rows = unsafe scratch.rows.base
        for place in 0..<count {
            let row = unsafe Int(rows[place])
            unsafe scratch.scales.base[place] = bytes.scales.base[row]
            unsafe scratch.errors.base[place] = bytes.errors.base[row]
        }
        unsafe kernels.int8Gathered(
            query.bytes, bytes, indexes: rows, count: count, into: scratch.dots.base)
        unsafe kernels.int8Estimates(
            scratch.dots.base, scratch.scales.base, scale: query.bytes.scale, count: count,
            into: scratch.estimates.base)
        let bar = unsafe bar(count: count, errors: scratch.errors.base, rows: rows)
        let survivors = unsafe kernels.select(
            scratch.estimates.base, errors: scratch.errors.base, weight: query.bytes.weight,
            threshold: bar - query.bytes.constantError(bytes), count: count,
            into: scratch.places.base)
        // Places ascend, so nothing is overwritten before it is read.
        for index in 0..<survivors {
            unsafe rows[index] = rows[Int(scratch.places.base[index])]
        }
        return survivors
    }

    /// The inner product below which nothing can be among the k nearest, less the block's slack.
    ///
    /// It is the k-th exact one among the 2k best estimates, or the limit's if that is more. With k
    /// of them for 2k, 436 rows of 10,000 survived instead of 298 (median of 400 queries), and 4,579
    /// instead of 2,373 in the worst of a hundred; with 3k, 290.
    ///
    /// `rows` says which row an estimate belongs to; nil when it is its own place.
    private func bar(
        count: Int, errors: UnsafePointer<Float>, rows: UnsafePointer<UInt32>?
    ) -> Float {
        unsafe findPilots(count: count, errors: errors)
        var found = 0
        for pilot in scratch.pilots.rows {
            unsafe scratch.places.base[found] =
                unsafe rows.map { unsafe $0[pilot.index] }
                ?? UInt32(pilot.index)
            found += 1
        }
        unsafe score(scratch.places.base, count: found)
        scratch.pilots.restart(capacity: k)
        for index in 0..<found {
            let distance = unsafe Scorer.distance(scratch.products.base[index])
            scratch.pilots.insert(Ranked(index: index, distance: distance), tieBreak: <)
        }
        let distance = min(scratch.pilots.worstDistance, limit)
        return distance < .infinity ? 1 - distance - block.slack : -.greatestFiniteMagnitude
    }

    /// Puts the 2k best estimates into `scratch.pilots`.
    ///
    /// In stretches that double, each looking only at what beats the worst so far: nearly all rows are
    /// passed over sixteen at a time.
    private func findPilots(count: Int, errors: UnsafePointer<Float>) {
        scratch.pilots.restart(capacity: max(2 * k, 16))
        let found = unsafe scratch.places.base
        var start = 0
        while start < count {
            let stretch = min(max(64, start), count - start)
            let least = -scratch.pilots.worstDistance
            let hits = unsafe kernels.select(
                scratch.estimates.base + start, errors: errors + start, weight: 0,
                threshold: max(least, -.greatestFiniteMagnitude), count: stretch, into: found)
            for hit in 0..<hits {
                let place = unsafe start + Int(found[hit])
                let estimate = unsafe scratch.estimates.base[place]
                scratch.pilots.insert(Ranked(index: place, distance: -estimate), tieBreak: <)
            }
            start += stretch
        }
    }

    // MARK: Exactly

    /// The answer from the first `count` of `scratch.rows`.
    func rank(_ count: Int, tieBreak: (Int, Int) -> Bool) -> [Ranked] {
        unsafe score(scratch.rows.base, count: count)
        scratch.nearest.restart(capacity: k)
        for index in 0..<count {
            let distance = unsafe Scorer.distance(scratch.products.base[index])
            guard distance <= limit else { continue }
            let row = unsafe Int(scratch.rows.base[index])
            scratch.nearest.insert(Ranked(index: row, distance: distance), tieBreak: tieBreak)
        }
        return scratch.nearest.sort(tieBreak: tieBreak)
    }

    /// products[i] = query · row indexes[i], exactly.
    private func score(_ indexes: UnsafePointer<UInt32>, count: Int) {
        unsafe query.values.withUnsafeBufferPointer { query in
            unsafe block.rows.withUnsafeRows { rows in
                unsafe kernels.dotGathered(
                    query.baseAddress!, rows, dimension: block.dimension, indexes: indexes,
                    count: count, into: scratch.products.base)
            }
        }
    }
}
