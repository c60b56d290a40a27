// LISTEN that outlives its connection.
//
// Notifications are hints: what is sent while the connection is away is lost, and PostgreSQL keeps
// none. So whoever listens must look again each time listening begins; `listening` says when.

/// Listens to channels on a connection of its own, opening it again whenever it breaks.
package struct Listener: Sendable {
    package enum Event: Sendable, Equatable {
        /// Listening has begun, at first or again: anything may have happened before.
        case listening
        case notification(Notification)
        /// The connection broke or could not be opened; trying again.
        case interrupted(PostgresError)
        /// The reader was too slow and lost notifications: look again, as after `listening`.
        case overflowed
    }

    private let configuration: PostgresConfiguration
    private let channels: [String]

    /// Unread events kept for a slow reader.
    private static let bufferedEvents = 1024

    package init(_ configuration: PostgresConfiguration, channels: [String]) {
        self.configuration = configuration
        self.channels = channels
    }

    /// Begins to listen.
    ///
    /// Ends when the reading task is cancelled or the stream dropped.
    package func events() -> AsyncStream<Event> {
        AsyncStream(bufferingPolicy: .bufferingNewest(Listener.bufferedEvents)) { continuation in
            let task = Task { await run(continuation) }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func run(_ events: AsyncStream<Event>.Continuation) async {
        var attempt = 0
        while !Task.isCancelled {
            do throws(PostgresError) {
                let connection = try await Connection.open(configuration)
                let notifications = await connection.notifications()
                for channel in channels { try await connection.listen(channel) }
                attempt = 0
                events.yield(.listening)
                for await notification in notifications {
                    if case .dropped = events.yield(.notification(notification)) {
                        // The newest event stays in a full buffer, so this one will be seen.
                        events.yield(.overflowed)
                    }
                }
                await connection.close()
                if Task.isCancelled { break }
                events.yield(.interrupted(.connectionLost("the listening connection closed")))
            } catch {
                events.yield(.interrupted(error))
            }
            attempt += 1
            try? await Task.sleep(for: Listener.pause(beforeAttempt: attempt))
        }
        events.finish()
    }

    /// 50 ms doubling to 5 s, each shortened by up to half so that many listeners spread out.
    private static func pause(beforeAttempt attempt: Int) -> Duration {
        let longest = min(5_000, 50 << min(attempt - 1, 7))
        return .milliseconds(Int.random(in: longest / 2...longest))
    }
}
