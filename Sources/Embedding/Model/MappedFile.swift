#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file's bytes, mapped: read from disk when touched, and given back when memory is short.
///
/// The file must not shrink while it is mapped; models are written once.
@safe final class MappedFile: @unchecked Sendable {
    private let base: UnsafeRawPointer
    let count: Int

    init(path: String) throws(EmbeddingError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .modelMissing(path: path) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_size > 0 else {
            throw .modelDamaged(reason: "the weights file is empty or no file")
        }
        count = Int(status.st_size)
        let map = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let map = unsafe map, unsafe map != MAP_FAILED else {
            throw .modelDamaged(reason: "the weights file cannot be mapped into memory")
        }
        unsafe base = UnsafeRawPointer(map)
    }

    deinit { unsafe munmap(UnsafeMutableRawPointer(mutating: base), count) }

    /// The bytes of a range, which must lie in the file. The pointer dies with the call.
    func withBytes<R, Failure: Error>(
        _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> R
    ) throws(Failure) -> R {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        defer { withExtendedLifetime(self) {} }
        return try unsafe body(
            UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    /// Tells the system that these pages need not stay in memory.
    func release() {
        unsafe _ = madvise(UnsafeMutableRawPointer(mutating: base), count, MADV_DONTNEED)
    }
}
