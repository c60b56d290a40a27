// Blobs as objects of a bucket: of S3, or of anything that speaks like it.

package import Clouds
package import Foundation

import Crypto

/// Objects `PREFIX/UUID`. A document that is read is copied to a file of this machine meanwhile.
package struct BucketBlobStore: BlobStore {
    private let bucket: S3Bucket
    private let prefix: String
    private let copies: String

    /// `prefix` is what all keys begin with; it ends with `/`, or is empty. `copies` is the folder for
    /// copies under way; made when needed.
    package init(bucket: S3Bucket, prefix: String, copies: String) {
        self.bucket = bucket
        self.prefix = prefix
        self.copies = copies
    }

    /// Asks for one key, so that a wrong name or credential is known at the start.
    package func probe() async throws(CloudError) {
        _ = try await bucket.list(prefix: prefix, limit: 1)
    }

    package func put(_ bytes: [UInt8], as key: UUID) async throws(IngestionError) -> Blob {
        let hash = SHA256.hash(data: bytes).hexadecimal
        return try await put(HTTPBody(bytes), sha256: hash, as: key)
    }

    /// Reads the file twice: its hash is signed, and goes before it.
    package func put(contentsOf path: String, as key: UUID) async throws(IngestionError) -> Blob {
        let (size, hash) = try await storing {
            var hash = SHA256()
            var size = 0
            try System.read(path) { piece in
                hash.update(data: piece)
                size += piece.count
            }
            return (size, hash.finalize().hexadecimal)
        }
        let body = HTTPBody(size: size) {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            return { count in try file.read(upToCount: count).map(Array.init) ?? [] }
        }
        return try await put(body, sha256: hash, as: key)
    }

    package func withFile<R: Sendable>(
        _ key: UUID, _ body: (String) async throws -> R
    ) async throws -> R {
        let copy = try TemporaryFile(in: copies)
        do {
            try await bucket.get(name(of: key), limit: .max) { piece in try copy.write(piece) }
        } catch {
            throw Self.storage(error)
        }
        return try await body(copy.path)
    }

    package func delete(_ key: UUID) async throws(IngestionError) {
        do { try await bucket.delete(name(of: key)) } catch { throw Self.storage(error) }
    }

    private func put(
        _ body: HTTPBody, sha256: String, as key: UUID
    ) async throws(IngestionError) -> Blob {
        do {
            try await bucket.put(name(of: key), body, sha256: sha256)
        } catch {
            throw Self.storage(error)
        }
        return Blob(key: key, size: body.size, sha256: sha256)
    }

    private func name(of key: UUID) -> String { prefix + key.uuidString.lowercased() }

    private static func storage(_ error: CloudError) -> IngestionError {
        .storage("the store of documents: \(error)")
    }
}
