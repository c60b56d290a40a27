import Foundation
import Ingestion
import TestSupport
import Testing

extension BlobStore {
    func bytes(of key: UUID) async throws -> [UInt8] {
        try await withFile(key) { path in Array(try Data(contentsOf: URL(filePath: path))) }
    }
}

/// What every blob store must do.
enum BlobStoreContract {
    static func holds(for store: some BlobStore) async throws {
        for bytes in [[], [0, 1, 255], [UInt8](repeating: 7, count: 3_000_000)] as [[UInt8]] {
            let blob = try await store.put(bytes, as: UUID())
            #expect(blob.size == bytes.count)
            #expect(try await store.bytes(of: blob.key) == bytes)
            let again = try await store.withFile(blob.key) { path in
                try await store.put(contentsOf: path, as: UUID())
            }
            #expect(again.sha256 == blob.sha256 && again.size == blob.size)
            try await store.delete(blob.key)
            try await store.delete(blob.key)
            await #expect(throws: IngestionError.self) { try await store.bytes(of: blob.key) }
            #expect(try await store.bytes(of: again.key) == bytes)
        }
        #expect(
            try await store.put(Array("abc".utf8), as: UUID()).sha256
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
