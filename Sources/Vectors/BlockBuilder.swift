/// Rows gathered one by one into a block, without a copy when no more come than were expected.
///
/// Memory that was reserved and not written costs nothing: the system gives pages when they are touched.
///
/// `@unchecked Sendable`: used by one at a time, who passes it on.
@safe package final class BlockBuilder: @unchecked Sendable {
    package let dimension: Int
    package private(set) var count = 0
    private var storage: AlignedBuffer<Float>

    /// Room for so many rows to begin with; it doubles when more come.
    ///
    /// - Throws: `VectorError.allocation`.
    package init(dimension: Int, expecting rows: Int) throws(VectorError) {
        precondition(dimension > 0 && rows >= 0)
        self.dimension = dimension
        storage = try .uninitialized(count: max(rows, 16) * dimension)
    }

    /// - Precondition: `dimension` elements.
    /// - Throws: `VectorError.allocation`.
    package func append(_ row: [Float]) throws(VectorError) {
        precondition(row.count == dimension, "\(row.count) elements for \(dimension)")
        if (count + 1) * dimension > storage.count {
            let larger = try AlignedBuffer<Float>.uninitialized(count: 2 * storage.count)
            unsafe larger.base.update(from: storage.base, count: count * dimension)
            storage = larger
        }
        unsafe row.withUnsafeBufferPointer {
            unsafe (storage.base + count * dimension).update(
                from: $0.baseAddress!, count: dimension)
        }
        count += 1
    }

    /// The rows so far, as they lie in memory.
    package func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try unsafe body(
            UnsafeRawBufferPointer(
                start: storage.base, count: count * dimension * MemoryLayout<Float>.stride))
    }

    /// Forgets the rows and keeps the room.
    package func removeAll() { count = 0 }

    /// The rows, which nobody writes to from now on.
    package func block() -> Block {
        Block(dimension: dimension, storage: storage.slice(0..<count * dimension), isMapped: false)
    }
}
