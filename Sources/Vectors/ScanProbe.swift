// What one pass over n rows costs on this machine, and what reading as many bytes costs: for
// `carrel bench kernels`. The rows mean nothing; no kernel's time depends on what is in them.

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A way to look at every row of 768 dimensions once.
package enum ScanProbe: String, CaseIterable, Sendable {
    /// fp32 rows by `cblas_sgemv`, for comparison.
    case blas = "fp32 sgemv"
    /// fp32 rows, summed in double as scores are.
    case exact = "fp32 exact"
    case bytes = "int8"
    case bits = "1 bit × 4 bits"

    package struct Reading: Sendable {
        /// Medians of the passes.
        package let scan: Duration
        /// As many bytes as the scan reads, looked at by memchr(3), which the C library has written
        /// for that alone.
        package let read: Duration
        package let byteCount: Int
    }

    package var bytesPerRow: Int {
        switch self {
        case .blas, .exact: 4 * UnitVector.dimension
        case .bytes: UnitVector.dimension
        case .bits: UnitVector.dimension / 8
        }
    }

    /// Whether it is done by a table of kernels, so that tables can be compared.
    package var isKernel: Bool { self != .blas }

    /// Scans `rows` rows `passes` times after one that does not count.
    ///
    /// - Precondition: both are positive.
    /// - Throws: `VectorError.allocation`.
    package func measure(
        rows: Int, passes: Int, with kernels: Kernels = .current
    ) throws(VectorError) -> Reading {
        precondition(rows > 0 && passes > 0, "\(rows) rows, \(passes) passes")
        let groups = (rows + 63) / 64
        let memory = try AlignedBuffer<UInt8>.allocate(count: groups * 64 * bytesPerRow)
        fill(memory)
        var random = SplitMix64(seed: 7)
        let query = (0..<UnitVector.dimension).map { _ in Float(random.nextGaussian()) }
        let scan = try scan(memory, rows: rows, groups: groups, query, kernels)
        return Reading(
            scan: median(of: passes, scan),
            read: median(of: passes) {
                let found = unsafe memchr(memory.base, 255, memory.count)
                unsafe precondition(found == nil, "no byte is 255")
            },
            byteCount: memory.count)
    }

    private func scan(
        _ memory: AlignedBuffer<UInt8>, rows: Int, groups: Int, _ query: [Float],
        _ kernels: Kernels
    ) throws(VectorError) -> () -> Void {
        let dimension = UnitVector.dimension
        let raw = unsafe UnsafeMutableRawPointer(memory.base)
        switch self {
        case .blas:
            BLAS.pinToOneThread()
            let products = try AlignedBuffer<Float>.allocate(count: rows)
            return {
                unsafe BLAS.gemv(
                    rows: rows, columns: dimension, a: raw.assumingMemoryBound(to: Float.self),
                    x: query, y: products.base)
            }
        case .exact:
            let products = try AlignedBuffer<Double>.allocate(count: rows)
            return {
                unsafe kernels.dotRows(
                    query, raw.assumingMemoryBound(to: Float.self), dimension: dimension,
                    count: rows, into: products.base)
            }
        case .bytes:
            let numbers = try AlignedBuffer<Float>.allocate(count: rows)
            let block = Int8Rows(
                count: rows, dimension: dimension,
                bytes: AlignedBuffer(
                    lent: unsafe LentMemory(raw, byteCount: rows * dimension, lender: memory)),
                scales: numbers, errors: numbers, longest: 1)
            let inBytes = Int8Query(query)
            let dots = try AlignedBuffer<Int32>.allocate(count: rows)
            return { unsafe kernels.int8Scan(inBytes, block, into: dots.base) }
        case .bits:
            var table = [UInt8](repeating: 0, count: 4 * dimension)
            _ = Kernels.bitTable(query, into: &table)
            let entries = table
            let sums = try AlignedBuffer<UInt16>.allocate(count: groups * 64)
            return {
                unsafe kernels.bitScan(
                    table: entries, codes: memory.base, columns: dimension / 8, groups: groups,
                    into: sums.base)
            }
        }
    }

    /// Bytes below 64: any of them four at a time is a small float, no NaN and no denormal to slow
    /// the sums down.
    private func fill(_ memory: AlignedBuffer<UInt8>) {
        var random = SplitMix64(seed: 1)
        let words = memory.count / 8
        unsafe UnsafeMutableRawPointer(memory.base).withMemoryRebound(
            to: UInt64.self, capacity: words
        ) { words in
            for index in 0..<(memory.count / 8) {
                unsafe words[index] = random.next() & 0x3F3F_3F3F_3F3F_3F3F | 0x2020_2020_2020_2020
            }
        }
    }

    private func median(of passes: Int, _ body: () -> Void) -> Duration {
        body()
        let clock = ContinuousClock()
        let times = (0..<passes).map { _ in clock.measure(body) }.sorted()
        return times[passes / 2]
    }
}
