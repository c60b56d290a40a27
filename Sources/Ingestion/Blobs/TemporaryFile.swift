import Foundation
import Synchronization

/// A file that is gone when nobody holds it any more. Readable by this user alone.
final class TemporaryFile: Sendable {
    let path: String
    private let handle: Mutex<FileHandle>

    /// - Throws: `IngestionError.storage`.
    init(in directory: String) throws {
        try System.makeDirectories(directory)
        path = "\(directory)/\(UUID().uuidString.lowercased()).part"
        guard
            FileManager.default.createFile(
                atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw IngestionError.storage("could not create a file") }
        self.handle = Mutex(handle)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Appends; to be called by one thread.
    func write(_ piece: [UInt8]) throws {
        try handle.withLock { try $0.write(contentsOf: piece) }
    }
}
