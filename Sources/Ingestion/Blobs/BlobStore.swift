// Where the bytes of documents are: files of this machine, or objects of a bucket.
//
// The order of writing: a key is noted as expected, the bytes are stored under it, and the document's
// row claims it in the transaction that makes the document (Library/Work/BlobRepository). So a row
// always has its bytes, and bytes that no row claimed are found by their note and swept.

package import Foundation

/// Bytes under keys we made up. A key says nothing about the file: the user's name for it is for
/// display and never part of a path.
package protocol BlobStore: Sendable {
    /// Stores bytes; when this returns they survive a power cut.
    ///
    /// - Throws: `IngestionError.storage`; nothing can be read under the key then.
    func put(_ bytes: [UInt8], as key: UUID) async throws(IngestionError) -> Blob

    /// Stores a copy of a file, read and hashed in pieces: memory does not grow with it.
    func put(contentsOf path: String, as key: UUID) async throws(IngestionError) -> Blob

    /// Lends the bytes as a file of this machine, for a program that reads it by itself.
    ///
    /// - Throws: `IngestionError.storage` when they are not there; whatever `body` throws.
    func withFile<R: Sendable>(
        _ key: UUID, _ body: (_ path: String) async throws -> R
    ) async throws -> R

    /// Removes a blob; one that is gone already is no error.
    func delete(_ key: UUID) async throws(IngestionError)
}

/// A stored blob.
package struct Blob: Sendable, Equatable {
    package let key: UUID
    package let size: Int
    /// Lower-case hexadecimal SHA-256 of the bytes.
    package let sha256: String
}
