// What else can be done to a document or its job: delete, retry, cancel.

package import Foundation
package import Library

package import Postgres

extension Ingestor {
    /// Deletes a document with its chunks, and then its bytes. False when it was not there.
    ///
    /// Work on it is cancelled first. The bytes go only after the rows: a document always has its
    /// bytes, and what a process that dies in between leaves behind is swept.
    @discardableResult
    package func delete(
        as asker: Asker, session: UUID, document: UUID,
        lastly: @Sendable (Document, Transaction) async throws -> Void = { _, _ in }
    ) async throws -> Bool {
        let deleted = try await pool.withTransaction(as: asker) { db -> (Document, [UUID])? in
            let jobs = try await JobRepository.cancelOpen(
                sessionID: session, documentID: document, on: db)
            let gone = try await DocumentRepository.delete(
                sessionID: session, id: document, on: db)
            guard let gone else { return nil }
            try await BlobRepository.disown(gone.filePath, on: db)
            try await SessionRepository.settle(id: session, on: db)
            try await lastly(gone, db)
            return (gone, jobs)
        }
        guard let (document, jobs) = deleted else { return false }
        await didCommit(session)
        for job in jobs { Scratch(in: scratchDirectory, job: job).remove() }
        if let key = UUID(uuidString: document.filePath) { await discard(key) }
        return true
    }

    /// Removes what a deleted account leaves in files: scratch at once, and the bytes of its documents soon.
    package func clear(_ remains: AccountRemains) {
        for job in remains.jobs { Scratch(in: scratchDirectory, job: job).remove() }
        broom.ring()
    }

    /// Begins again with a FAILED document: PENDING, with a new job.
    ///
    /// - Throws: `IngestionError.documentNotFound`; `.conflict` when it has not failed.
    package func retry(
        as asker: Asker, session: UUID, document: UUID
    ) async throws -> (document: Document, job: Job) {
        let retried = try await pool.withTransaction(as: asker) { db in
            let found = try await DocumentRepository.getById(
                sessionID: session, id: document, on: db)
            guard let found else { throw IngestionError.documentNotFound }
            // Changing the row locks it; of two retries at once the second sees an open job.
            let pending = try await DocumentRepository.updateStatus(
                sessionID: session, id: document, status: .pending, on: db)
            guard found.status == .failed,
                try await !JobRepository.hasOpen(sessionID: session, documentID: document, on: db)
            else {
                throw IngestionError.conflict(
                    "only a FAILED document can be retried; this one is \(found.status.rawValue)")
            }
            let job = try await JobRepository.enqueue(
                NewJob(sessionID: session, kind: .ingest, documentID: document), on: db)
            return (document: pending, job: job)
        }
        bell.ring()
        return retried
    }

    /// Cancels a job that waits or runs, and fails its document. False when it has ended already.
    ///
    /// A worker on it stops at its next write or renewal; nothing it did is visible.
    package func cancel(as asker: Asker, job id: UUID) async throws -> Bool {
        let cancelled = try await pool.withTransaction(as: asker) { db in
            guard let job = try await JobRepository.get(id: id, on: db),
                try await JobRepository.cancel(id: id, on: db)
            else { return false }
            if let document = job.documentID {
                try await DocumentRepository.updateStatus(
                    sessionID: job.sessionID, id: document, status: .failed,
                    errorMessage: "cancelled: the ingestion was cancelled", on: db)
            }
            // A re-embedding fills nothing; and its switch locks the session before its job.
            if job.kind != .reembed {
                try await SessionRepository.settle(id: job.sessionID, on: db)
            }
            return true
        }
        if cancelled { Scratch(in: scratchDirectory, job: id).remove() }
        return cancelled
    }
}
