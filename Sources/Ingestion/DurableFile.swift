// Files that are either whole under their name or not there: written beside it, flushed, renamed.
// The one file of this module that calls the C library.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file under a name nobody looks for, until `commit` gives it its own.
///
/// Dropped without `commit`, it is removed. A process killed in between leaves it behind under
/// its temporary name, which no reader opens.
struct DurableFile: ~Copyable {
    private let descriptor: Int32
    private let temporaryPath: String
    private var isCommitted = false

    /// Creates a file for this user alone (0600) that must not exist yet.
    init(creating temporaryPath: String) throws(IngestionError) {
        descriptor = unsafe open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        self.temporaryPath = temporaryPath
        guard descriptor >= 0 else {
            isCommitted = true
            throw .storage(System.reason("create a file"))
        }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        if !isCommitted { unsafe unlink(temporaryPath) }
    }

    /// Appends all of `bytes`.
    func write(_ bytes: [UInt8]) throws(IngestionError) {
        var offset = 0
        while offset < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe System.write(
                    descriptor, buffer.baseAddress! + offset, buffer.count - offset)
            }
            if written > 0 {
                offset += written
            } else if errno != EINTR {
                throw .storage(System.reason("write a file"))
            }
        }
    }

    /// Flushes the file, gives it its name, and flushes the directory that holds the name.
    ///
    /// After this it survives a power cut, and not before.
    consuming func commit(to path: String) throws(IngestionError) {
        guard fsync(descriptor) == 0 else { throw .storage(System.reason("flush a file")) }
        try rename(to: path)
        try System.flushDirectory(System.parent(of: path))
    }

    /// Gives the file its name without flushing: whole after a killed process, not after a power
    /// cut. For what is checked when it is read and can be made again.
    consuming func commitUnflushed(to path: String) throws(IngestionError) {
        try rename(to: path)
    }

    private mutating func rename(to path: String) throws(IngestionError) {
        guard System.rename(temporaryPath, path) == 0 else {
            throw .storage(System.reason("name a file"))
        }
        isCommitted = true
    }
}

/// The few calls this module makes besides.
enum System {
    static func makeDirectories(_ path: String) throws(IngestionError) {
        if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, path != parent(of: path) else {
            throw .storage(reason("create a directory"))
        }
        try makeDirectories(parent(of: path))
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .storage(reason("create a directory"))
        }
    }

    /// Makes the names in a directory survive a power cut.
    static func flushDirectory(_ path: String) throws(IngestionError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .storage(reason("open a directory")) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .storage(reason("flush a directory")) }
    }

    /// Hands the file to `each` in pieces of at most a mebibyte.
    static func read(
        _ path: String, each: ([UInt8]) throws(IngestionError) -> Void
    ) throws(IngestionError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .storage(reason("open a file")) }
        defer { close(descriptor) }
        while true {
            let piece = unsafe [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
                let got = unsafe System.read(descriptor, buffer.baseAddress!, buffer.count)
                count = max(0, got)
                if got < 0 { count = 0 } else { errno = 0 }
            }
            if piece.isEmpty {
                if errno == 0 { return }
                if errno == EINTR { continue }
                throw .storage(reason("read a file"))
            }
            try each(piece)
        }
    }

    /// Removes a file; that it is not there is what was wanted.
    static func remove(_ path: String) throws(IngestionError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw .storage(reason("remove a file"))
        }
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// *could not write a file: No space left on device*, and never a path.
    static func reason(_ action: String) -> String {
        let text = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "unknown error"
        return "could not \(action): \(text)"
    }

    private static func read(_ descriptor: Int32, _ to: UnsafeMutablePointer<UInt8>, _ count: Int)
        -> Int
    {
        #if canImport(Glibc)
            unsafe Glibc.read(descriptor, to, count)
        #elseif canImport(Musl)
            unsafe Musl.read(descriptor, to, count)
        #else
            unsafe Darwin.read(descriptor, to, count)
        #endif
    }

    fileprivate static func write(_ descriptor: Int32, _ from: UnsafeRawPointer, _ count: Int)
        -> Int
    {
        #if canImport(Glibc)
            unsafe Glibc.write(descriptor, from, count)
        #elseif canImport(Musl)
            unsafe Musl.write(descriptor, from, count)
        #else
            unsafe Darwin.write(descriptor, from, count)
        #endif
    }

    fileprivate static func rename(_ from: String, _ to: String) -> Int32 {
        #if canImport(Glibc)
            unsafe Glibc.rename(from, to)
        #elseif canImport(Musl)
            unsafe Musl.rename(from, to)
        #else
            unsafe Darwin.rename(from, to)
        #endif
    }
}
