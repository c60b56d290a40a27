// The loop around jobs: lease one, work on it, decide what becomes of it.

import Foundation

import Documents
package import Library
import Postgres

extension Ingestor {
    /// Works until the task is cancelled. Several calls side by side share the work. Imports have a
    /// turn of their own, as they wait for others' servers, and so have re-embeddings: one at a time.
    ///
    /// A database that is away is waited for; nothing else ends the loop either.
    package func run() async {
        await sweepScratch()
        await withTaskGroup { group in
            for kinds in [[JobKind.ingest, .assignTopics], [.import], [.reembed]] {
                group.addTask { await work(on: kinds) }
            }
            group.addTask { await sweeping() }
        }
    }

    private func work(on kinds: [JobKind]) async {
        while !Task.isCancelled {
            let worked = (try? await runOnce(kinds)) ?? false
            if !worked { await bell.wait(upTo: options.pollInterval) }
        }
    }

    private func sweeping() async {
        while !Task.isCancelled {
            _ = try? await sweepBlobs()
            _ = try? await sweepReembeddings()
            await broom.wait(upTo: options.sweepInterval)
        }
    }

    /// Takes one job and brings it to an end or to its next attempt. False when none waits.
    ///
    /// - Throws: what kept it from leasing a job or from writing down how one ended; the job is
    ///   then taken up again when its lease has run out.
    package func runOnce(_ kinds: [JobKind] = JobKind.allCases) async throws
        -> Bool
    {
        // One name per lease, not per worker: a lease that was lost is never mistaken for a new one.
        let owner = "\(ProcessInfo.processInfo.processIdentifier)-\(UUID().uuidString)"
        let job = try await pool.withConnection(as: .service) { db in
            try await JobRepository.lease(
                kinds: kinds, owner: owner, for: options.lease, on: db)
        }
        guard let job else { return false }
        let lease = Lease(job: job, owner: owner, duration: options.lease, pool: pool)
        do {
            let limit = job.kind == .reembed ? options.reembeddingAttempts : options.attempts
            guard job.attempt <= limit else { throw TooManyAttempts(limit: limit) }
            try await observe(.leased)
            try await lease.keeping { try await work(under: lease) }
        } catch  where job.kind == .reembed {
            try await settleReembedding(error, under: lease)
        } catch {
            try await settle(error, under: lease)
        }
        return true
    }

    private func work(under lease: Lease) async throws {
        if lease.job.kind == .assignTopics {
            return try await AssignRun(ingestor: self, lease: lease).work()
        }
        if lease.job.kind == .reembed {
            return try await ReembedRun(self, lease).work()
        }
        if lease.job.kind == .import {
            var run = try await CloudImportRun(self, lease)
            return try await run.work()
        }
        var run = try await IngestRun(self, lease)
        try await run.work()
        try await observe(.stored)
        run.scratch.remove()
    }

    /// What becomes of a job that was stopped by an error.
    private func settle(_ error: any Error, under lease: Lease) async throws {
        let attempt = lease.job.attempt
        switch Setback(error) {
        case .stopped:
            // The lease is also lost when the job has ended, by cancelling or by our own commit
            // just before a renewal asked.
            await discardScratch(ofEnded: lease.job.id)
        case .transient(let reason) where attempt < options.attempts:
            let wait = options.backoff * (1 << min(attempt - 1, 5))
            try await lease.postpone(by: wait, reason: reason)
        case .transient(let reason):
            try await fail("unavailable", "\(reason) (\(attempt) attempts)", under: lease)
        case .permanent(let code, let reason):
            try await fail(code, reason, under: lease)
        }
    }

    /// The document is FAILED and says why. Nothing else changes: no other row was visible yet.
    private func fail(_ code: String, _ reason: String, under lease: Lease) async throws {
        let job = lease.job
        let message = "\(code): \(reason)"
        do {
            try await lease.transaction { db in
                if let document = job.documentID {
                    try await DocumentRepository.updateStatus(
                        sessionID: job.sessionID, id: document, status: .failed,
                        errorMessage: message, on: db)
                }
                guard
                    try await JobRepository.finish(
                        id: job.id, state: .failed, error: message, owner: lease.owner, on: db)
                else { throw LeaseLost() }
                try await SessionRepository.settle(id: job.sessionID, on: db)
            }
        } catch is LeaseLost {
            return
        }
        Scratch(in: scratchDirectory, job: job.id).remove()
    }

    /// Removes scratch files of jobs that have ended: a worker killed right after its commit leaves
    /// them behind.
    private func sweepScratch() async {
        for job in Scratch.jobs(in: scratchDirectory) { await discardScratch(ofEnded: job) }
    }

    /// Removes a job's scratch files if it has ended or is gone; leaves them when in doubt.
    private func discardScratch(ofEnded job: UUID) async {
        let ended = try? await pool.withConnection(as: .service) { db in
            try await JobRepository.get(id: job, on: db).map(\.state.isEnded) ?? true
        }
        if ended == true { Scratch(in: scratchDirectory, job: job).remove() }
    }
}
