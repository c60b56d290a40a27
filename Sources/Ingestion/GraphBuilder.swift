// Keeps the graph of vectors up with the chunks, behind the writers' backs and at its leisure.

package import Postgres

import Foundation
import Library

/// Brings sessions large enough to need a graph into it, a few rows at a time.
///
/// Any number of processes may run one: a session is extended by one of them at a time. Killed at any
/// moment it loses at most the rows of one batch, which the next one adds.
package struct GraphBuilder: Sendable {
    package struct Options: Sendable {
        /// Chunks from which on a session gets a graph. Comparing so many rows in SQL takes as long as
        /// a walk of the graph (docs/decisions/0009).
        package var minimum = 4_096
        /// Rows added in one transaction: a quarter of a second, which a deletion may have to wait.
        package var batch = 64
        /// The share of the time that is spent adding; the rest is left to searches.
        package var duty = 0.25
        /// How often it looks for sessions that are behind.
        package var interval = Duration.seconds(5)

        package init() {}
    }

    private let pool: Pool
    private let options: Options

    package init(pool: Pool, options: Options = Options()) {
        self.pool = pool
        self.options = options
    }

    /// Works until the task is cancelled. A database that is away is waited for.
    package func run() async {
        while !Task.isCancelled {
            // What failed is tried again: a database that was away, a document deleted meanwhile.
            _ = try? await catchUp()
            _ = try? await Task.sleep(for: options.interval)
        }
    }

    /// Adds what is missing now, in all sessions. Returns how many rows it added.
    ///
    /// - Throws: `PostgresError`; `CancellationError`. What was added stays.
    @discardableResult
    package func catchUp() async throws -> Int {
        let sessions = try await pool.withConnection(as: .service) { db in
            try await GraphRepository.behind(minimum: options.minimum, limit: 100, on: db)
        }
        var added = 0
        for session in sessions { added += try await catchUp(session) }
        return added
    }

    private func catchUp(_ session: UUID) async throws -> Int {
        var total = 0
        while true {
            let begun = ContinuousClock.now
            let step = try await pool.withTransaction(as: .service) { db in
                try await GraphRepository.extend(
                    sessionID: session, limit: options.batch, on: db)
            }
            switch step {
            case .taken: return total
            case .complete(let added): return total + added
            case .added(let added): total += added
            }
            let worked = begun.duration(to: .now)
            try await Task.sleep(for: worked * ((1 - options.duty) / options.duty))
        }
    }
}
