// The desks of all event loops, and the threads they share.

import NIOCore
import Postgres
import Retrieval
import Synchronization

/// Makes what answers searches when it is first needed: with the first connection of a loop.
final class SearchDesks: Sendable {
    private struct State {
        var desks: [ObjectIdentifier: NIOLoopBound<SearchDesk>] = [:]
        var pool: SearchPool?
    }

    private let snapshots: SnapshotCache
    private let database: PostgresConfiguration
    private let configuration: ServerConfiguration
    private let activity: Activity
    private let state = Mutex(State())

    init(
        _ snapshots: SnapshotCache, _ database: PostgresConfiguration,
        _ configuration: ServerConfiguration, _ activity: Activity
    ) {
        self.snapshots = snapshots
        self.database = database
        self.configuration = configuration
        self.activity = activity
    }

    /// The desk of an event loop; called on it.
    func desk(on loop: any EventLoop) throws -> SearchDesk {
        let key = ObjectIdentifier(loop)
        if let desk = state.withLock({ $0.desks[key] }) { return desk.value }
        let desk = SearchDesk(
            try worker(), try pool(), snapshots, activity, longest: configuration.longestOnLoop,
            on: loop)
        let bound = NIOLoopBound(desk, eventLoop: loop)
        state.withLock { $0.desks[key] = bound }
        return desk
    }

    /// Lets go of them and of their connections to the database. No connection of a client is left.
    func close() {
        state.withLock { state in
            state.desks = [:]
            state.pool = nil
        }
    }

    private func pool() throws -> SearchPool {
        try state.withLock { state in
            if let pool = state.pool { return pool }
            let pool = try SearchPool(lanes: configuration.searchThreads, activity, worker)
            state.pool = pool
            return pool
        }
    }

    private func worker() throws -> SearchWorker { try SearchWorker(snapshots, database) }
}
