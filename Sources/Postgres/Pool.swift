// A bounded set of connections, lent one at a time.
//
// `PoolState` decides; this file opens, tests and closes connections and wakes waiters. A lock held
// for a few lines guards the state: an actor would cost a hop on every query.

internal import Synchronization

/// Connections to one database, opened when first needed and kept.
///
/// A connection is tested before it is lent: always for a closed socket, which costs one system
/// call, and with a round trip after a second of idleness, which also finds a peer that vanished
/// without a word. A dead one is replaced; its borrower never sees it.
package final class Pool: Sendable {
    package struct Statistics: Sendable, Equatable {
        package var size: Int
        package var inUse: Int
        package var idle: Int
        package var waiting: Int

        package init(size: Int, inUse: Int, idle: Int, waiting: Int) {
            self.size = size
            self.inUse = inUse
            self.idle = idle
            self.waiting = waiting
        }
    }

    package let configuration: PostgresConfiguration
    /// Most connections at a time.
    package let size: Int
    private let waitTimeout: Duration
    private let prepare: @Sendable (Connection) async throws(PostgresError) -> Void
    private let pool: Mutex<Guarded>

    private typealias State = PoolState<Connection>
    private typealias Waiter = CheckedContinuation<State.Grant, Never>

    private struct Guarded: Sendable {
        var state: State
        var waiters: [State.WaiterID: Waiter] = [:]
        /// What waiters were given before their continuation was stored.
        var early: [State.WaiterID: State.Grant] = [:]
    }

    /// Idle longer than this means a round trip before lending.
    private static let pingAfter = Duration.seconds(1)

    /// How long that round trip may take before the connection counts as dead.
    private static let pingTimeout = Duration.seconds(2)

    /// - Parameters:
    ///   - configuration: the database.
    ///   - size: most connections at a time.
    ///   - waitLimit: most callers in line when all are in use; more are refused at once.
    ///   - waitTimeout: longest wait in line.
    ///   - prepare: what is done with each connection before it is lent for the first time.
    package init(
        _ configuration: PostgresConfiguration, size: Int, waitLimit: Int = 1_000,
        waitTimeout: Duration = .seconds(5),
        prepare: @escaping @Sendable (Connection) async throws(PostgresError) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.size = size
        self.waitTimeout = waitTimeout
        self.prepare = prepare
        pool = Mutex(Guarded(state: State(size: size, waitLimit: waitLimit)))
    }

    /// Runs `body` with a connection of its own, waiting in line for one if need be.
    ///
    /// Row-level security shows it what `asker` may see. There is no form without it.
    ///
    /// A connection returned inside a transaction is closed, which rolls back. Session settings
    /// (`SET`, temporary tables, session locks) stay on it: use `SET LOCAL`, or a `Connection`.
    ///
    /// - Throws: `unavailable` when the line is too long or the wait too long; `connectionFailed`
    ///   when none can be opened; whatever `body` throws.
    package func withConnection<R>(
        as asker: Asker, _ body: (Connection) async throws -> R
    ) async throws -> R {
        let connection = try await borrow(for: asker)
        connection.act(as: asker)
        do {
            let value = try await body(connection)
            giveBack(connection, asker)
            return value
        } catch {
            giveBack(connection, asker)
            throw error
        }
    }

    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
    package func withTransaction<R>(
        as asker: Asker, isolation level: IsolationLevel = .readCommitted, readOnly: Bool = false,
        _ body: (Transaction) async throws -> R
    ) async throws -> R {
        try await withConnection(as: asker) { connection in
            try await connection.withTransaction(isolation: level, readOnly: readOnly, body)
        }
    }

    /// Closes idle connections now and the others when they come back.
    ///
    /// Waiters are refused.
    package func shutdown() async {
        let (members, waiters) = pool.withLock { pool in
            let (close, tell) = pool.state.shutDown()
            let waiters = tell.compactMap { id in
                let waiter = pool.waiters.removeValue(forKey: id)
                if waiter == nil { pool.early[id] = .fail(State.closed) }
                return waiter
            }
            return (close, waiters)
        }
        for waiter in waiters { waiter.resume(returning: .fail(State.closed)) }
        for connection in members { await connection.close() }
    }

    package var statistics: Statistics { pool.withLock { $0.state.statistics } }

    // MARK: Borrowing

    private func borrow(for asker: Asker) async throws(PostgresError) -> Connection {
        if Task.isCancelled { throw .cancelled }
        switch pool.withLock({ $0.state.request(for: asker) }) {
        case .use(let connection, let idleSince):
            return try await test(connection, idleSince: idleSince)
        case .open: return try await open()
        case .refuse(let error): throw error
        case .wait(let waiter):
            switch await turn(of: waiter) {
            case .use(let connection): return connection
            case .open: return try await open()
            case .fail(let error): throw error
            }
        }
    }

    /// Returns the connection if it is good, or a new one in its place.
    private func test(
        _ connection: Connection, idleSince: ContinuousClock.Instant
    ) async throws(PostgresError) -> Connection {
        var isGood = connection.looksIdle
        if !isGood, !connection.isClosed { isGood = await connection.settle() }
        if isGood, idleSince.duration(to: .now) > Pool.pingAfter {
            do throws(PostgresError) {
                try await connection.ping(within: Pool.pingTimeout)
            } catch .cancelled {
                release { $0.giveUpPlace() }
                throw .cancelled
            } catch {
                isGood = false
            }
        }
        if isGood { return connection }
        await connection.close()
        return try await open()
    }

    private func open() async throws(PostgresError) -> Connection {
        do throws(PostgresError) {
            let connection = try await Connection.open(configuration)
            try await prepare(connection)
            return connection
        } catch {
            release { $0.giveUpPlace() }
            throw error
        }
    }

    private func giveBack(_ connection: Connection, _ asker: Asker) {
        if connection.isIdle {
            let now = ContinuousClock.now
            release { $0.give(back: connection, by: asker, at: now) }
        } else {
            release { $0.giveUpPlace() }
            Task { await connection.close() }
        }
    }

    // MARK: The line

    /// Applies an event to the state and does what it says.
    private func release(_ event: (inout State) -> State.Release) {
        let outcome: (Waiter?, State.Grant)?
        let superfluous: Connection?
        (outcome, superfluous) = pool.withLock { pool in
            switch event(&pool.state) {
            case .nothing: return (nil, nil)
            case .close(let connection): return (nil, connection)
            case .wake(let id, let grant):
                if let waiter = pool.waiters.removeValue(forKey: id) {
                    return ((waiter, grant), nil)
                }
                pool.early[id] = grant
                return (nil, nil)
            }
        }
        if let (waiter, grant) = outcome { waiter?.resume(returning: grant) }
        if let superfluous { Task { await superfluous.close() } }
    }

    private func turn(of id: State.WaiterID) async -> State.Grant {
        let timeout = waitTimeout
        let alarm = Task { [weak self] in
            try? await Task.sleep(for: timeout)
            if !Task.isCancelled {
                self?.leave(
                    id, .unavailable("no connection became free within \(timeout)"))
            }
        }
        defer { alarm.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let grant = pool.withLock { pool -> State.Grant? in
                    if let grant = pool.early.removeValue(forKey: id) { return grant }
                    pool.waiters[id] = continuation
                    return nil
                }
                if let grant { continuation.resume(returning: grant) }
            }
        } onCancel: {
            leave(id, .cancelled)
        }
    }

    /// Takes a waiter out of the line, unless its turn has come.
    private func leave(_ id: State.WaiterID, _ error: PostgresError) {
        let waiter = pool.withLock { pool -> Waiter? in
            guard pool.state.leave(id) else { return nil }
            if let waiter = pool.waiters.removeValue(forKey: id) { return waiter }
            pool.early[id] = .fail(error)
            return nil
        }
        waiter?.resume(returning: .fail(error))
    }
}
