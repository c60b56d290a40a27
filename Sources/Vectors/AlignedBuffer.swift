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

    /// Nil when the system has no memory for it. Zeroed unless the caller writes every element that is
    /// ever read.
    init?(count: Int, isZeroed: Bool = true) {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard !overflow, count >= 0 else { return nil }
        let allocated =
            unsafe bytes < Self.hugePage ? Self.heap(bytes, isZeroed: isZeroed) : Self.map(bytes)
        guard let memory = unsafe allocated else { return nil }
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

    /// Some of the elements of a buffer, where they lie.
    private init(_ whole: AlignedBuffer, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= whole.count)
        unsafe base = whole.base + range.lowerBound
        count = range.count
        lender = whole
    }

    /// A part of it that shares its memory.
    func slice(_ range: Range<Int>) -> AlignedBuffer { AlignedBuffer(self, range) }

    deinit {
        guard lender == nil else { return }
        if byteCount < Self.hugePage {
            unsafe free(base)
        } else {
            unsafe munmap(base, byteCount)
        }
    }

    private static var hugePage: Int { 1 << 21 }

    private static func heap(_ bytes: Int, isZeroed: Bool) -> UnsafeMutableRawPointer? {
        var memory: UnsafeMutableRawPointer?
        guard unsafe posix_memalign(&memory, 64, max(bytes, 64)) == 0 else { return nil }
        if isZeroed, let memory = unsafe memory { unsafe memset(memory, 0, max(bytes, 64)) }
        return unsafe memory
    }

    /// Memory of its own for a large buffer, zeroed, on the boundary of a huge page.
    ///
    /// Not `malloc`'s, which keeps what is freed: glibc raises the size from which it does not with every
    /// large block it sees, to 32 MB.
    private static func map(_ bytes: Int) -> UnsafeMutableRawPointer? {
        let room = bytes + hugePage
        let start = unsafe mmap(
            nil, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let start = unsafe start, unsafe start != MAP_FAILED else { return nil }
        let before = (hugePage - Int(bitPattern: start) % hugePage) % hugePage
        let memory = unsafe start + before
        // Whole pages on either side go back; what is left ends with the last page of the buffer.
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let end = (before + bytes + page - 1) / page * page
        if before > 0 { unsafe _ = munmap(start, before) }
        if end < room { unsafe _ = munmap(start + end, room - end) }
        #if os(Linux)
            // Advice: where the system has none to give, it says so and nothing is lost.
            unsafe _ = madvise(memory, bytes, MADV_HUGEPAGE)
        #endif
        return unsafe memory
    }

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
        let copy = try uninitialized(count: lent.count)
        unsafe copy.base.update(from: lent.base, count: lent.count)
        return copy
    }

    /// The same, for callers that pass the failure on.
    static func allocate(count: Int) throws(VectorError) -> AlignedBuffer {
        try made(AlignedBuffer(count: count), count)
    }

    /// Memory that the caller writes before anybody reads it.
    static func uninitialized(count: Int) throws(VectorError) -> AlignedBuffer {
        try made(AlignedBuffer(count: count, isZeroed: false), count)
    }

    private static func made(
        _ buffer: AlignedBuffer?, _ count: Int
    ) throws(VectorError) -> AlignedBuffer {
        if let buffer { return buffer }
        let bytes = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        throw .allocation(bytes: bytes.partialValue)
    }
}
