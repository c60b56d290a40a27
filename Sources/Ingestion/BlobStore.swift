// The bytes people uploaded, as files of this machine, each under a key we made up.

package import Foundation

import Crypto

/// Files under `directory`, two levels of 256 folders: `ab/cd/abcd….` by the key's digits.
///
/// A key says nothing about the file: the user's name for it is for display and never part of a
/// path. Files are readable by this user alone.
package struct BlobStore: Sendable {
    package let directory: String

    /// Nothing is created before the first `put`.
    package init(directory: String) {
        self.directory = directory
    }

    /// Stores bytes under a new key; when this returns they survive a power cut.
    ///
    /// - Throws: `IngestionError.storage`; nothing is left behind then.
    package func put(_ bytes: [UInt8]) throws(IngestionError) -> Blob {
        try store { write throws(IngestionError) in try write(bytes) }
    }

    /// Stores a copy of a file, read and hashed in pieces: memory does not grow with it.
    package func put(contentsOf path: String) throws(IngestionError) -> Blob {
        try store { write throws(IngestionError) in try System.read(path, each: write) }
    }

    /// All bytes of a blob.
    package func get(_ key: UUID) throws(IngestionError) -> [UInt8] {
        var bytes: [UInt8] = []
        try System.read(path(of: key)) { piece in bytes += piece }
        return bytes
    }

    /// Where a blob lies, for a program that reads it by itself.
    package func path(of key: UUID) -> String {
        let name = key.uuidString.lowercased()
        return "\(directory)/\(name.prefix(2))/\(name.dropFirst(2).prefix(2))/\(name)"
    }

    /// Removes a blob; one that is gone already is no error.
    package func delete(_ key: UUID) throws(IngestionError) {
        try System.remove(path(of: key))
    }

    private func store(
        _ fill: (_ write: ([UInt8]) throws(IngestionError) -> Void) throws(IngestionError) -> Void
    ) throws(IngestionError) -> Blob {
        let key = UUID()
        let path = path(of: key)
        try System.makeDirectories(System.parent(of: path))
        let file = try DurableFile(creating: path + ".part")
        var hash = SHA256()
        var size = 0
        try fill { (bytes) throws(IngestionError) in
            hash.update(data: bytes)
            size += bytes.count
            try file.write(bytes)
        }
        try file.commit(to: path)
        return Blob(key: key, size: size, sha256: hash.finalize().hexadecimal)
    }
}

/// A stored blob.
package struct Blob: Sendable, Equatable {
    package let key: UUID
    package let size: Int
    /// Lower-case hexadecimal SHA-256 of the bytes.
    package let sha256: String
}

extension Sequence<UInt8> {
    var hexadecimal: String {
        let digits = Array("0123456789abcdef")
        return reduce(into: "") { text, byte in
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
    }
}
