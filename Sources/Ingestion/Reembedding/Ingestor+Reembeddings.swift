// How a re-embedding ends that did not get to its switch, and what is cleared away afterwards.

import Embedding
import Foundation
import Library
import Postgres

extension Ingestor {
    /// What becomes of a re-embedding that was stopped by an error: it is tried again, patiently, or it
    /// waits for somebody. It never fails: what it has staged is worth keeping.
    func settleReembedding(_ error: any Error, under lease: Lease) async throws {
        if let stopped = error as? ReembeddingStopped {
            return try await stop(stopped.reason, under: lease)
        }
        let attempt = lease.job.attempt
        switch Setback(error) {
        case .stopped:
            // Cancelled, perhaps: what was staged is of no use then.
            try await clear(lease.job.sessionID, lease.job.id)
        case .transient(let reason) where attempt < options.reembeddingAttempts:
            var wait = options.backoff * (1 << min(attempt - 1, 16))
            wait = min(wait, options.longestBackoff)
            if case EmbeddingError.unavailable(_, let asked?) = error { wait = max(wait, asked) }
            try await lease.postpone(by: wait, reason: reason)
        case .transient(let reason):
            try await stop("unavailable: \(reason) (\(attempt) attempts)", under: lease)
        case .permanent(let code, let reason):
            try await stop("\(code): \(reason)", under: lease)
        }
    }

    private func stop(_ reason: String, under lease: Lease) async throws {
        let job = lease.job
        try await pool.withTransaction(as: .service) { db in
            guard
                try await JobRepository.pause(
                    sessionID: job.sessionID, id: job.id, stage: "stopped: \(reason)",
                    owner: lease.owner, on: db)
            else { return }
            try await ReembeddingRepository.setStopped(
                reason, sessionID: job.sessionID, jobID: job.id, on: db)
        }
    }

    // MARK: Afterwards

    /// Deletes what nobody needs of re-embeddings that ended, also where their worker was killed.
    package func sweepReembeddings() async throws {
        let ended = try await pool.withConnection(as: .service) { db in
            try await ReembeddingRepository.uncleared(limit: 1_000, on: db)
        }
        for run in ended { try await clear(run.session, run.job) }
    }

    /// Does nothing for one that has not ended.
    func clear(_ session: UUID, _ job: UUID) async throws {
        var isDone = false
        while !isDone {
            isDone = try await pool.withTransaction(as: .service) { db in
                try await ReembeddingRepository.clear(
                    sessionID: session, jobID: job, limit: options.clearedAtOnce, on: db)
            }
        }
    }
}
