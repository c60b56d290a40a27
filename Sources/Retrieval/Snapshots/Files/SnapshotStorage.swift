// The one file of this module that calls the C library for files.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
package import Vectors

/// A file's bytes, mapped: read from disk when touched, and given back when memory is short.
///
/// Files of sessions are replaced by renaming and never cut or written in place, so what is mapped
/// stays what it was.
@safe final class MappedFile: @unchecked Sendable {
    private let base: UnsafeRawPointer
    let count: Int

    convenience init(path: String) throws(SnapshotFileError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw errno == ENOENT ? .missing : .storage(reason: reason("open a file"))
        }
        defer { close(descriptor) }
        try self.init(descriptor)
    }

    /// The file is mapped for as long as this lives, whatever becomes of the descriptor.
    fileprivate init(_ descriptor: Int32) throws(SnapshotFileError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw .storage(reason: reason("look at a file"))
        }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
            throw .damaged(reason: "empty or no file")
        }
        count = Int(status.st_size)
        let map = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let map = unsafe map, unsafe map != MAP_FAILED else {
            throw .storage(reason: reason("map a file"))
        }
        unsafe base = UnsafeRawPointer(map)
    }

    deinit { unsafe munmap(UnsafeMutableRawPointer(mutating: base), count) }

    func withBytes<R, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> R
    ) throws(Failure) -> R {
        defer { withExtendedLifetime(self) {} }
        return try unsafe body(UnsafeRawBufferPointer(start: base, count: count))
    }

    fileprivate func lend(_ range: Range<Int>) -> LentMemory {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return unsafe LentMemory(base + range.lowerBound, byteCount: range.count, lender: self)
    }
}

/// A stretch of a mapped file.
package struct MappedSection: Sendable {
    let map: MappedFile
    let range: Range<Int>

    package var byteCount: Int { range.count }
    package var memory: LentMemory { map.lend(range) }

    package func withUnsafeBytes<R, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> R
    ) throws(Failure) -> R {
        try unsafe map.withBytes { bytes throws(Failure) in
            try unsafe body(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }
}

/// A file that has no name of its own until it is whole.
///
/// Dropped without `commit` it is removed; a process killed meanwhile leaves it behind under a
/// temporary name, which nobody opens and the next sweep of the directory removes.
struct UnnamedFile: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private let temporaryPath: String

    static let suffix = ".part"

    init(for path: String) throws(SnapshotFileError) {
        self.path = path
        temporaryPath = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max))\(Self.suffix)"
        descriptor = unsafe open(temporaryPath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .storage(reason: reason("create a file")) }
    }

    /// Takes its name away for good: it lives as long as somebody has it open or mapped.
    func dropName() { unsafe _ = unlink(temporaryPath) }

    /// What was written so far.
    func map() throws(SnapshotFileError) -> MappedFile { try MappedFile(descriptor) }

    deinit {
        close(descriptor)
        // After `commit` there is nothing under this name.
        unsafe unlink(temporaryPath)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SnapshotFileError) {
        var done = 0
        while done < bytes.count {
            let written = unsafe pwrite(
                descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if written > 0 {
                done += written
            } else if errno != EINTR {
                throw .storage(reason: reason("write a file"))
            }
        }
    }

    /// Flushes the file and gives it its name, which a power cut may take but not half of.
    consuming func commit() throws(SnapshotFileError) {
        guard fsync(descriptor) == 0 else { throw .storage(reason: reason("flush a file")) }
        guard unsafe rename(temporaryPath, path) == 0 else {
            throw .storage(reason: reason("name a file"))
        }
    }
}

/// *could not write a file: No space left on device*, and never a path.
private func reason(_ action: String) -> String {
    let text = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "unknown error"
    return "could not \(action): \(text)"
}
