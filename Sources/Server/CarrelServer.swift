// The server's life: bind, accept, drain, close.

import Postgres
import Retrieval
import Vectors
import Wire

import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Accepts connections and answers them.
///
/// One value serves one port, once: `start`, any number of connections, `drain`.
package final class CarrelServer: Sendable {
    private struct State {
        var listener: (any Channel)?
        var connections: [ObjectIdentifier: NIOLoopBound<ConnectionHandler>] = [:]
        var isDraining = false
    }

    private let configuration: ServerConfiguration
    private let services: Services
    private let activity = Activity()
    private let group: MultiThreadedEventLoopGroup
    /// Nil when there are no sessions in memory, and every search is a task.
    private let desks: SearchDesks?
    private let state = Mutex(State())

    package init(_ configuration: ServerConfiguration, _ services: Services) {
        self.configuration = configuration
        self.services = services
        group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
        // Searches run side by side; BLAS with threads of its own would be slower than with one.
        BLAS.pinToOneThread()
        desks = services.searcher.snapshots.map { [activity] snapshots in
            SearchDesks(snapshots, services.pool.configuration, configuration, activity)
        }
    }

    /// Binds the port and begins to accept.
    ///
    /// - Returns: the port, which the system chose when the configuration says 0.
    /// - Throws: the system's error when the port is taken or not allowed.
    package func start() async throws -> Int {
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try accept(channel) }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.autoRead, value: false)
            // A client may say that it has no more to ask and still read: `printf … | nc -N`.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // A connection that leaves more than this unread is not read from.
            .childChannelOption(
                .writeBufferWaterMark, value: .init(low: 64 << 10, high: 1 << 20)
            )
            .bind(host: configuration.host, port: configuration.port)
            .get()
        state.withLock { $0.listener = listener }
        return listener.localAddress?.port ?? configuration.port
    }

    /// Ends well: accepts nothing new, tells every client, lets what runs finish, closes.
    ///
    /// - Parameter time: what still runs after it is cancelled, and answered so.
    package func drain(within time: Duration) async {
        let listener = state.withLock { state -> (any Channel)? in
            state.isDraining = true
            return state.listener.take()
        }
        try? await listener?.close().get()
        forEachConnection { $0.drain(within: time) }
        await waitForConnections(until: .now.advanced(by: time))
        forEachConnection { $0.cancelAll() }
        await waitForConnections(
            until: .now.advanced(by: configuration.drainingGrace * 2 + .seconds(2)))
        forEachConnection { $0.closeNow() }
        // Their connections to the database go with them.
        desks?.close()
        try? await group.shutdownGracefully()
    }

    private func accept(_ channel: any Channel) throws {
        let (name, hasRoom) = activity.connected(limit: configuration.maximumConnections)
        guard hasRoom, !state.withLock({ $0.isDraining }) else {
            activity.disconnected()
            let refusal = WireError(
                .busy, "The server has all the connections it takes.",
                limit: configuration.maximumConnections, retryAfterMilliseconds: 1000)
            channel.writeAndFlush(JSONWriter.error(nil, refusal, requestID: name))
                .whenComplete { _ in channel.close(promise: nil) }
            return
        }
        let handler = ConnectionHandler(
            channel: channel, name: name, services: services, configuration: configuration,
            activity: activity, desk: try desks?.desk(on: channel.eventLoop))
        let key = ObjectIdentifier(channel)
        let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        state.withLock { $0.connections[key] = bound }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { state in _ = state.connections.removeValue(forKey: key) }
        }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    private func forEachConnection(
        _ body: @escaping @Sendable (ConnectionHandler) -> Void
    ) {
        for handler in state.withLock({ Array($0.connections.values) }) {
            handler.eventLoop.execute { body(handler.value) }
        }
    }

    /// Waits for the connections, and for work that outlives its connection because it notices
    /// late that it was cancelled: its last word goes to an event loop that must still be there.
    private func waitForConnections(until end: ContinuousClock.Instant) async {
        while ContinuousClock.now < end {
            let isQuiet = state.withLock { $0.connections.isEmpty }
            if isQuiet, activity.counts.inFlight == 0 { return }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }
}
