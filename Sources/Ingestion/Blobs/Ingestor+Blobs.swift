// Bytes and rows, written so that no row is ever without its bytes, and no bytes stay without a row.

import Foundation

import Library
import Postgres

extension Ingestor {
    /// How long a blob may wait for its document. Longer than any upload lasts after its bytes are
    /// stored: what is swept too early is a document lost.
    private static let patience = Duration.seconds(86_400)

    /// Notes a new key and stores bytes under it; a document claims it with `BlobRepository.claim`.
    func keep(_ put: (UUID) async throws -> Blob) async throws -> Blob {
        let key = UUID()
        try await pool.withConnection(as: .service) { db in
            try await BlobRepository.expect(key.blobKey, within: Self.patience, on: db)
        }
        do {
            return try await put(key)
        } catch {
            await discard(key)
            throw error
        }
    }

    /// Removes bytes nobody claimed. What cannot be removed now is swept later.
    func discard(_ key: UUID) async {
        do {
            try await blobs.delete(key)
            try await pool.withConnection(as: .service) { db in
                try await BlobRepository.forget(key.blobKey, on: db)
            }
        } catch {
            // The note is still there.
        }
    }

    /// Removes the bytes that no document claims any more; returns how many blobs went.
    ///
    /// Several processes may sweep at once: a note is one sweeper's until its blob is gone.
    @discardableResult
    package func sweepBlobs() async throws -> Int {
        var swept = 0
        while true {
            let count = try await pool.withTransaction(as: .service) { db in
                let keys = try await BlobRepository.takeUnclaimed(limit: 16, on: db)
                for key in keys.compactMap(UUID.init) { try await blobs.delete(key) }
                return keys.count
            }
            swept += count
            if count == 0 { return swept }
        }
    }
}

extension UUID {
    /// As `documents.file_path` has it.
    var blobKey: String { uuidString.lowercased() }
}
