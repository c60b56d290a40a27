// A file comes in: its bytes are kept, its row and its job are written together.

package import Foundation
package import Library
package import Postgres

import Dispatch

extension Ingestor {
    /// Keeps a file and enqueues its ingestion. The document is PENDING when this returns.
    ///
    /// `fileName` is what the user calls it: shown, never used as a path. `lastly` is done last in the
    /// transaction that makes document and job; when it fails, neither is made.
    ///
    /// - Returns: the document, PENDING, and the job that will take it in.
    /// - Throws: `LibraryError.duplicateDocument` naming the document the session already has with
    ///   these bytes, of which then no second copy is kept; `IngestionError`; `PostgresError`. After
    ///   `outcomeUnknown` the document may be there: submitting again tells.
    package func submit(
        as asker: Asker, session: UUID, fileName: String, bytes: [UInt8],
        description: String? = nil,
        lastly: @Sendable (Document, Transaction) async throws -> Void = { _, _ in }
    ) async throws -> (document: Document, job: Job) {
        let blob = try await keep { try await blobs.put(bytes, as: $0) }
        return try await enqueue(
            blob, as: asker, session: session, fileName: fileName, description, lastly)
    }

    /// The same for a file of this machine, which is copied in pieces.
    package func submit(
        as asker: Asker, session: UUID, fileName: String, path: String,
        description: String? = nil,
        lastly: @Sendable (Document, Transaction) async throws -> Void = { _, _ in }
    ) async throws -> (document: Document, job: Job) {
        let blob = try await keep { try await blobs.put(contentsOf: path, as: $0) }
        return try await enqueue(
            blob, as: asker, session: session, fileName: fileName, description, lastly)
    }

    private func enqueue(
        _ blob: Blob, as asker: Asker, session: UUID, fileName: String, _ description: String?,
        _ lastly: @Sendable (Document, Transaction) async throws -> Void
    ) async throws -> (document: Document, job: Job) {
        do {
            let submitted = try await pool.withTransaction(as: asker) { db in
                let submitted = try await Self.enqueue(
                    blob, session: session, fileName: fileName, description: description,
                    sourceURI: nil, on: db)
                try await lastly(submitted.document, db)
                return submitted
            }
            bell.ring()
            return submitted
        } catch let error as PostgresError {
            // If the row is there after all, it needs its bytes.
            if case .outcomeUnknown = error { throw error }
            await discard(blob.key)
            if error.sqlState == .foreignKeyViolation || error.isRowSecurity {
                throw IngestionError.sessionNotFound
            }
            throw error
        } catch {
            await discard(blob.key)
            throw error
        }
    }

    /// Makes the document that claims a blob, PENDING, and the job that will take it in.
    static func enqueue(
        _ blob: Blob, session: UUID, fileName: String, description: String?, sourceURI: String?,
        on db: Transaction
    ) async throws -> (document: Document, job: Job) {
        let document = try await DocumentRepository.create(
            NewDocument(
                sessionID: session, fileName: FileName.display(fileName),
                filePath: blob.key.blobKey, fileDescription: description, fileHash: blob.sha256,
                fileType: unknownFileType, fileSizeBytes: Int64(blob.size), sourceURI: sourceURI),
            on: db)
        guard try await BlobRepository.claim(blob.key.blobKey, on: db) else {
            throw IngestionError.storage("the file waited too long to be taken in")
        }
        let job = try await JobRepository.enqueue(
            NewJob(sessionID: session, kind: .ingest, documentID: document.id), on: db)
        return (document: document, job: job)
    }

    /// Until the extractor has looked inside; a name proves nothing.
    static let unknownFileType = "unknown"
}

/// Runs file work on a thread that may block, off the cooperative pool.
func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
    }
}
