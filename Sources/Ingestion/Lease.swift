// A job is one worker's for a while. Everything a worker writes, it writes as the holder.

import Library
import Postgres

/// A leased job.
struct Lease: Sendable {
    let job: Job
    let owner: String
    let duration: Duration
    let pool: Pool

    /// Runs `work` while renewing the lease; when it is lost, `work` is cancelled.
    ///
    /// - Throws: `LeaseLost`, or what `work` throws.
    func keeping(_ work: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await work() }
            group.addTask { try await renewing() }
            // The first to end decides: work done, work failed, or lease lost.
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// A transaction that begins by proving that the job is still this worker's, and locks it so
    /// that nobody can take it before the commit.
    func transaction<R>(_ body: (Transaction) async throws -> R) async throws -> R {
        try await pool.withTransaction(as: .service) { db in
            guard
                try await JobRepository.renew(id: job.id, owner: owner, for: duration, on: db)
            else { throw LeaseLost() }
            return try await body(db)
        }
    }

    /// Leaves the job for later: the lease is let run out, and then anybody may take it.
    func postpone(by wait: Duration, reason: String) async throws {
        _ = try await pool.withTransaction(as: .service) { db in
            try await JobRepository.progress(
                id: job.id, done: job.done, total: job.total, stage: "waiting: \(reason)",
                owner: owner, on: db)
            return try await JobRepository.renew(id: job.id, owner: owner, for: wait, on: db)
        }
    }

    /// Renews three times as often as needed. A database that is away for a moment is no loss; one
    /// that is away for the whole lease is.
    private func renewing() async throws {
        var safeUntil = ContinuousClock.now + duration
        while true {
            try await Task.sleep(for: duration / 3)
            let asked = ContinuousClock.now
            do {
                let held = try await pool.withConnection(as: .service) { db in
                    try await JobRepository.renew(
                        id: job.id, owner: owner, for: duration, on: db)
                }
                guard held else { throw LeaseLost() }
                safeUntil = asked + duration
            } catch let error as PostgresError {
                if ContinuousClock.now >= safeUntil { throw LeaseLost() }
                if case .cancelled = error { throw CancellationError() }
            }
        }
    }
}
