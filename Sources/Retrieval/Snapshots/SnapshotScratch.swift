import Synchronization
package import Vectors

/// The memory of one search of snapshots at a time, kept from one to the next.
///
/// One per thread: what it holds is overwritten by each search.
package final class SnapshotScratch {
    let search: SearchScratch
    /// The last query that was searched for, ready for the next table.
    let query: PreparedQuery

    package init() throws(VectorError) {
        search = try SearchScratch()
        var values = [Float](repeating: 0, count: UnitVector.dimension)
        values[0] = 1
        query = PreparedQuery(try UnitVector(normalizing: values))
    }
}

/// Scratches for searches that may run on any thread: as many as were ever in use at once.
package final class ScratchPool: Sendable {
    /// Held by the pool or by one borrower, so never by two threads.
    private struct Lent: @unchecked Sendable { let scratch: SnapshotScratch }

    private let idle = Mutex<[Lent]>([])

    package init() {}

    package func withScratch<R>(_ body: (SnapshotScratch) throws -> R) throws -> R {
        let lent = try idle.withLock({ $0.popLast() }) ?? Lent(scratch: SnapshotScratch())
        defer { idle.withLock { $0.append(lent) } }
        return try body(lent.scratch)
    }
}
