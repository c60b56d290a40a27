/// The memory of one search at a time, kept from one to the next so that a search allocates nothing.
///
/// That holds when the last answer's rows have been let go; otherwise they keep their memory, and the
/// next answer takes new.
///
/// One per thread; it grows to the largest block it has seen, 34 bytes a row.
package final class SearchScratch {
    var sums: AlignedBuffer<UInt16>
    var dots: AlignedBuffer<Int32>
    var estimates: AlignedBuffer<Float>
    /// Survivors, as rows of the block.
    var rows: AlignedBuffer<UInt32>
    /// Survivors of survivors, as places in `rows`.
    var places: AlignedBuffer<UInt32>
    var products: AlignedBuffer<Double>
    /// Byte errors and scales of the survivors, side by side.
    var errors: AlignedBuffer<Float>
    var scales: AlignedBuffer<Float>

    /// The memory of other threads that work on the same search; made when there are any.
    private var helpers: [SearchScratch] = []

    /// The best of the estimates.
    var pilots = BestRows(capacity: 1)
    /// The answer.
    var nearest = BestRows(capacity: 1)

    package init() throws(VectorError) {
        sums = try .allocate(count: 64)
        dots = try .allocate(count: 64)
        estimates = try .allocate(count: 64)
        rows = try .allocate(count: 64)
        places = try .allocate(count: 64)
        products = try .allocate(count: 64)
        errors = try .allocate(count: 64)
        scales = try .allocate(count: 64)
    }

    /// Makes room for blocks of `count` rows.
    func reserve(_ count: Int) throws(VectorError) {
        guard count > estimates.count else { return }
        let room = (count + count / 4 + 63) / 64 * 64
        sums = try .allocate(count: room)
        dots = try .allocate(count: room)
        rows = try .allocate(count: room)
        places = try .allocate(count: room)
        products = try .allocate(count: room)
        errors = try .allocate(count: room)
        scales = try .allocate(count: room)
        estimates = try .allocate(count: room)
    }

    /// Memory for `count` threads, its own first.
    func lanes(_ count: Int) throws(VectorError) -> [SearchScratch] {
        while helpers.count < count - 1 { helpers.append(try SearchScratch()) }
        return [self] + helpers.prefix(count - 1)
    }
}
