/// Rows of fp32, row-major, 64-byte aligned, immutable once built.
///
/// A value: copies share the memory, which is freed with the last of them. It promises nothing
/// about the rows' content; `UnitVector` and whoever builds the block do that.
package struct Block: Sendable {
    package let count: Int
    package let dimension: Int
    /// Whether the rows lie in a mapped file.
    package let isMapped: Bool
    private let storage: AlignedBuffer<Float>

    /// A block whose `count * dimension` floats, zero at first, are written by `body`.
    ///
    /// Traps when there is no memory, as an array would.
    package init<Failure: Error>(
        count: Int, dimension: Int,
        initializingWith body: (inout MutableSpan<Float>) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(count >= 0 && dimension > 0, "no block of \(count) rows of \(dimension)")
        guard let storage = AlignedBuffer<Float>(count: count * dimension) else {
            preconditionFailure("no memory for \(count) rows of \(dimension) floats")
        }
        self.count = count
        self.dimension = dimension
        self.storage = storage
        isMapped = false
        var elements = unsafe MutableSpan(_unsafeStart: storage.base, count: storage.count)
        try body(&elements)
    }

    /// A copy of `rows`, each of which must have `dimension` floats.
    package init(rows: [[Float]], dimension: Int) throws(VectorError) {
        precondition(dimension > 0, "no block of rows of \(dimension)")
        for row in rows where row.count != dimension {
            throw .dimensionMismatch(expected: dimension, got: row.count)
        }
        guard let storage = AlignedBuffer<Float>(count: rows.count * dimension) else {
            throw .allocation(bytes: rows.count * dimension * MemoryLayout<Float>.stride)
        }
        count = rows.count
        self.dimension = dimension
        self.storage = storage
        isMapped = false
        for (index, row) in rows.enumerated() {
            let start = unsafe storage.base + index * dimension
            unsafe row.withUnsafeBufferPointer {
                unsafe start.update(from: $0.baseAddress!, count: dimension)
            }
        }
    }

    /// The unit vectors, one a row.
    package init(_ vectors: [UnitVector]) {
        self.init(count: vectors.count, dimension: UnitVector.dimension) { elements in
            var next = 0
            for vector in vectors {
                for value in vector.values {
                    elements[next] = value
                    next += 1
                }
            }
        }
    }

    /// Rows that lie in `storage` already.
    init(dimension: Int, storage: AlignedBuffer<Float>, isMapped: Bool) {
        self.isMapped = isMapped
        precondition(storage.count % dimension == 0, "\(storage.count) floats are no whole rows")
        count = storage.count / dimension
        self.dimension = dimension
        self.storage = storage
    }

    /// Rows that lie in a mapped file.
    ///
    /// - Precondition: `memory` holds whole rows and is aligned to a cache line.
    package init(dimension: Int, lent memory: LentMemory) {
        self.init(dimension: dimension, storage: AlignedBuffer(lent: memory), isMapped: true)
    }

    /// The memory of the rows, to be written to a file.
    var memory: AlignedBuffer<Float> { storage }

    var byteCount: Int { storage.byteCount }

    /// A copy of one row.
    ///
    /// - Precondition: `0 <= index < count`.
    package func row(_ index: Int) -> [Float] {
        precondition(index >= 0 && index < count, "row \(index) of \(count)")
        return unsafe [Float](
            UnsafeBufferPointer(start: storage.base + index * dimension, count: dimension))
    }

    /// All rows, `[count × dimension]`, by a pointer that dies with the call.
    package func withUnsafeRows<R, Failure: Error>(
        _ body: (UnsafePointer<Float>) throws(Failure) -> R
    ) throws(Failure) -> R {
        defer { withExtendedLifetime(storage) {} }
        return try unsafe body(UnsafePointer(storage.base))
    }
}
