// Keeps the graph of vectors up with the chunks, behind the writers' backs and at its leisure.

package import Postgres

package import Foundation
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
        /// The share of the time that is spent adding; the rest is left to others.
        package var duty = 0.25
        /// How often it looks for sessions that are behind.
        package var interval = Duration.seconds(5)
        /// How long searches and imports that go on can hold a batch back.
        package var patience = Duration.seconds(5)

        package init() {}
    }

    /// What it has to know of those who search and store.
    package struct Demand: Sendable {
        /// Whether PostgreSQL would be asked for the nearest chunks of a session: not while it is in
        /// memory, or in a file that is mapped in less time than a walk takes.
        package var needsGraph: @Sendable (UUID) -> Bool
        /// Counts on whenever somebody searches or stores.
        package var activity: @Sendable () -> UInt64

        package init(
            needsGraph: @escaping @Sendable (UUID) -> Bool = { _ in true },
            activity: @escaping @Sendable () -> UInt64 = { 0 }
        ) {
            self.needsGraph = needsGraph
            self.activity = activity
        }
    }

    private let pool: Pool
    private let options: Options
    private let demand: Demand

    package init(pool: Pool, options: Options = Options(), demand: Demand = Demand()) {
        self.pool = pool
        self.options = options
        self.demand = demand
    }

    /// Works until the task is cancelled. A database that is away is waited for.
    package func run() async {
        while !Task.isCancelled {
            // First of all, too: whoever has waited for the server comes before the graph.
            _ = try? await Task.sleep(for: options.interval)
            // What failed is tried again: a database that was away, a document deleted meanwhile.
            _ = try? await catchUp()
        }
    }

    /// Adds what is missing now, in all sessions that need it. Returns how many rows it added.
    ///
    /// - Throws: `PostgresError`; `CancellationError`. What was added stays.
    @discardableResult
    package func catchUp() async throws -> Int {
        let sessions = try await pool.withConnection(as: .service) { db in
            try await GraphRepository.behind(minimum: options.minimum, limit: 1_000, on: db)
        }
        var added = 0
        for session in sessions { added += try await catchUp(session) }
        return added
    }

    private func catchUp(_ session: UUID) async throws -> Int {
        var total = 0
        // One that is read into memory meanwhile is left as it is.
        while demand.needsGraph(session) {
            try await yieldToOthers()
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
        return total
    }

    /// Waits while searches or imports follow one another within a tenth of a second, but not for ever: a
    /// batch takes one core for a quarter of a second, which whoever works beside it would feel.
    private func yieldToOthers() async throws {
        let deadline = ContinuousClock.now.advanced(by: options.patience)
        var seen = demand.activity()
        // Nobody has ever asked or stored: there is nobody to wait for.
        guard seen > 0 else { return }
        while ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(100))
            let now = demand.activity()
            if now == seen { return }
            seen = now
        }
    }
}
