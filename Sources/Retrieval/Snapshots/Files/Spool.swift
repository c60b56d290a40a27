import Foundation

/// Bytes that are gathered in a file without a name, to be mapped when all are there: rows of a session
/// that is too large to be held in memory while it is read.
///
/// The file is gone with the last who maps it, also when the process is killed.
///
/// `@unchecked Sendable`: used by one at a time, who passes it on.
final class Spool: @unchecked Sendable {
    private let file: UnnamedFile
    private(set) var byteCount = 0

    /// - Throws: `storage`.
    init(in directory: String) throws(SnapshotFileError) {
        // Where it cannot be made, the file says so.
        try? FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        file = try UnnamedFile(for: "\(directory)/spool")
        file.dropName()
    }

    /// - Throws: `storage`, when the disk is full above all.
    func append(_ bytes: UnsafeRawBufferPointer) throws(SnapshotFileError) {
        try unsafe file.write(bytes, at: byteCount)
        byteCount += bytes.count
    }

    /// All of it; nothing may be appended afterwards.
    ///
    /// - Precondition: it is not empty.
    func map() throws(SnapshotFileError) -> MappedSection {
        MappedSection(map: try file.map(), range: 0..<byteCount)
    }
}
