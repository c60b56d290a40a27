// Blobs as files of this machine.

package import Foundation

import Crypto

/// Files under `directory`, two levels of 256 folders: `ab/cd/abcd….` by the key's digits.
///
/// Written under another name, flushed, and renamed. Readable by this user alone.
package struct LocalBlobStore: BlobStore {
    package let directory: String

    /// Nothing is created before the first `put`.
    package init(directory: String) {
        self.directory = directory
    }

    package func put(_ bytes: [UInt8], as key: UUID) async throws(IngestionError) -> Blob {
        try await storing { try store(key) { write throws(IngestionError) in try write(bytes) } }
    }

    package func put(contentsOf path: String, as key: UUID) async throws(IngestionError) -> Blob {
        try await storing {
            try store(key) { write throws(IngestionError) in try System.read(path, each: write) }
        }
    }

    package func withFile<R: Sendable>(
        _ key: UUID, _ body: (String) async throws -> R
    ) async throws -> R {
        let path = path(of: key)
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw IngestionError.storage("the document's bytes are not there")
        }
        return try await body(path)
    }

    package func delete(_ key: UUID) async throws(IngestionError) {
        try await storing { try System.remove(path(of: key)) }
    }

    /// Where a blob lies.
    package func path(of key: UUID) -> String {
        let name = key.uuidString.lowercased()
        return "\(directory)/\(name.prefix(2))/\(name.dropFirst(2).prefix(2))/\(name)"
    }

    private func store(
        _ key: UUID,
        _ fill: (_ write: ([UInt8]) throws(IngestionError) -> Void) throws(IngestionError) -> Void
    ) throws(IngestionError) -> Blob {
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

/// Runs file work on a thread that may block; what it throws is a refusal to store.
func storing<R: Sendable>(
    _ body: @escaping @Sendable () throws -> R
) async throws(IngestionError) -> R {
    do {
        return try await blocking(body)
    } catch {
        throw error as? IngestionError ?? .storage("a file could not be read or written")
    }
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
