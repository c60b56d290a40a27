// The file with the master keys: one line `number base64` each. Readable by its owner only, and
// refused when it is not. The one file of this module that calls the C library.

internal import FoundationEssentials
internal import Glibc

struct MasterKeyFile: Sendable {
    let path: String

    private static let heading = """
        # The master keys of Carrel: number and 32 bytes in base64; the highest number seals.
        # Keep a copy elsewhere. Without them nothing that was sealed can be opened again.

        """

    /// The keys in the file; it is made with a first one when it is not there.
    func readOrMake() throws(MasterKeyError) -> [MasterKey] {
        if exists { return try read() }
        return try alone { () throws(MasterKeyError) in
            if !exists { try write([.random(number: 1)]) }
            return try read()
        }
    }

    func read() throws(MasterKeyError) -> [MasterKey] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path: path) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(path: path) }
        guard status.st_mode & 0o077 == 0, status.st_uid == geteuid() else {
            throw .exposed(path: path)
        }
        return try keys(in: try text(of: descriptor))
    }

    /// Adds a key under the next number. A server knows it from its next start, or when it meets a
    /// value that was sealed with it.
    func addKey() throws(MasterKeyError) -> [MasterKey] {
        try alone { () throws(MasterKeyError) in
            let known = try read()
            guard let last = known.last, last.number < .max else { throw .invalid(source: path) }
            try write(known + [.random(number: last.number + 1)])
            return try read()
        }
    }

    private var exists: Bool { unsafe access(path, F_OK) == 0 }

    /// Where the path's last slash is.
    private var folder: String {
        path.lastIndex(of: "/").map { String(path[..<$0]) + "/" } ?? "./"
    }

    private func keys(in text: String) throws(MasterKeyError) -> [MasterKey] {
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") }
        let keys = lines.compactMap { line -> MasterKey? in
            let fields = line.split(separator: " ")
            guard fields.count == 2, let number = UInt16(fields[0]) else { return nil }
            return MasterKey(number: number, base64: fields[1])
        }
        guard keys.count == lines.count else { throw .invalid(source: path) }
        return try KeyRing.inOrder(keys, source: path)
    }

    /// Two processes that add keys at once would lose one of them, and what was sealed with it.
    private func alone<R>(
        _ body: () throws(MasterKeyError) -> R
    ) throws(MasterKeyError) -> R {
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        let lock = unsafe open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw .unwritable(path: path) }
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0 {
            guard errno == EINTR else { throw .unwritable(path: path) }
        }
        return try body()
    }

    /// Puts the keys in place of the file, whole and flushed: losing one would lose data.
    private func write(_ keys: [MasterKey]) throws(MasterKeyError) {
        let aside = "\(path).new"
        unsafe unlink(aside)
        let descriptor = unsafe open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unwritable(path: path) }
        defer { close(descriptor) }
        let lines = keys.map { "\($0.number) \($0.base64)\n" }
        let text = Array((Self.heading + lines.joined()).utf8)
        let written = unsafe text.withUnsafeBytes {
            unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
        }
        guard written == text.count, fsync(descriptor) == 0,
            unsafe rename(aside, path) == 0
        else {
            unsafe unlink(aside)
            throw .unwritable(path: path)
        }
        let directory = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw .unwritable(path: path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw .unwritable(path: path) }
    }

    private func text(of descriptor: Int32) throws(MasterKeyError) -> String {
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            if count == 0 { return String(decoding: text, as: UTF8.self) }
            guard count > 0, text.count < 1 << 20 else { throw .unreadable(path: path) }
            text += piece[..<count]
        }
    }
}
