#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Memory for trivial elements, aligned to a cache line: its own, zeroed and freed with the last
/// reference, or lent by a mapped file, which it keeps mapped.
///
/// 64 bytes is a cache line and one AVX-512 register: a row of 768 floats then never costs a load that
/// straddles two lines. From 2 MB on it asks Linux for huge pages. Rows are read all over the
/// buffer, and with pages of 4 KB each costs a walk of the page table, twice as long in a virtual
/// machine: the int8 scan of 10,000 rows took 0.67 ms instead of 0.38, and 400 scattered rows 80 µs
/// instead of 57 (Xeon 2.5 GHz under KVM).
///
/// Sendable because it is written only while being built, by the one who builds it; lent memory is
/// never written.
@safe final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    let base: UnsafeMutablePointer<Element>
    let count: Int
    /// Whose memory it is; nil when its own.
    private let lender: AnyObject?

    var byteCount: Int { count * MemoryLayout<Element>.stride }

    /// Nil when the system has no memory for it.
    init?(count: Int) {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard !overflow, count >= 0 else { return nil }
        let hugePage = 1 << 21
        var memory: UnsafeMutableRawPointer?
        let alignment = bytes < hugePage ? 64 : hugePage
        guard unsafe posix_memalign(&memory, alignment, max(bytes, 64)) == 0,
            let memory = unsafe memory
        else { return nil }
        #if os(Linux)
            // Advice: where the system has none to give, it says so and nothing is lost.
            if bytes >= hugePage { unsafe _ = madvise(memory, bytes, MADV_HUGEPAGE) }
        #endif
        unsafe memset(memory, 0, max(bytes, 64))
        unsafe base = memory.bindMemory(to: Element.self, capacity: count)
        self.count = count
        lender = nil
    }

    /// The elements that fill `memory`.
    ///
    /// - Precondition: whole elements, aligned to a cache line.
    init(lent memory: LentMemory) {
        let (elements, rest) = memory.byteCount.quotientAndRemainder(
            dividingBy: MemoryLayout<Element>.stride)
        precondition(rest == 0, "\(memory.byteCount) bytes are not whole elements")
        precondition(unsafe Int(bitPattern: memory.start) % 64 == 0, "memory not aligned to 64")
        unsafe base = UnsafeMutableRawPointer(mutating: memory.start).bindMemory(
            to: Element.self, capacity: elements)
        count = elements
        lender = memory.lender
    }

    deinit { if lender == nil { unsafe free(base) } }

    /// All elements, as they lie in memory.
    func withUnsafeBytes<R, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> R
    ) throws(Failure) -> R {
        defer { withExtendedLifetime(self) {} }
        return try unsafe body(UnsafeRawBufferPointer(start: base, count: byteCount))
    }
}

/// Memory that stays as it is for as long as somebody holds its lender: a part of a mapped file.
@safe package struct LentMemory: @unchecked Sendable {
    package let start: UnsafeRawPointer
    package let byteCount: Int
    let lender: any AnyObject & Sendable

    package init(_ start: UnsafeRawPointer, byteCount: Int, lender: any AnyObject & Sendable) {
        unsafe self.start = start
        self.byteCount = byteCount
        self.lender = lender
    }
}

extension AlignedBuffer {
    /// The elements that fill `memory`, in memory of its own.
    static func copy(of memory: LentMemory) throws(VectorError) -> AlignedBuffer {
        let lent = AlignedBuffer(lent: memory)
        let copy = try allocate(count: lent.count)
        unsafe copy.base.update(from: lent.base, count: lent.count)
        return copy
    }

    /// The same, for callers that pass the failure on.
    static func allocate(count: Int) throws(VectorError) -> AlignedBuffer {
        guard let buffer = AlignedBuffer(count: count) else {
            let bytes = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
            throw .allocation(bytes: bytes.partialValue)
        }
        return buffer
    }
}
