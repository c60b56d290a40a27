// A connection for a thread that must not wait: send, do something else, receive.
//
//   closed ──opened in the background──► ready ──send──► asked ──received──► ready
//     ▲                                    │               │
//     │                                    │               └── late ──► owed ──drained──► ready
//     └───────────────── lost ─────────────┴───────────────────────────────┘
//
// Opening takes milliseconds and may block, so a `Connection` does it on its own thread: it
// connects, prepares the statements and hands over its libpq. Everything here is a system call or
// two on the caller's thread; the measured round trip is in docs/decisions/0013.

internal import Glibc
internal import Synchronization

/// A connection confined to one thread, which asks without waiting for the answer.
///
/// Not `Sendable`, and never blocks longer than `receive` is told to. It is for reads that may be
/// given up: whatever goes wrong, the caller asks again in another way, while this reconnects in
/// the background. An answer that came too late is thrown away before the next question.
package final class ImmediateConnection {
    /// What became of a question.
    package enum Answer {
        case rows(Rows)
        /// Not within the time given; the connection goes on.
        case late
        /// The connection is gone, or the server refused. It is opened anew on later use.
        case failed(PostgresError)
    }

    private enum Phase {
        case closed
        case ready(Lent)
        case asked(Lent, Connection.Prepared)
        /// The answer to a question that nobody waits for any more is still to come.
        case owed(Lent, since: ContinuousClock.Instant)
    }

    /// A failed opening is not repeated sooner.
    private static let reopenAfter = Duration.milliseconds(200)
    /// A server that owes an answer for longer is given up.
    private static let patience = Duration.seconds(5)
    /// How long `receive` looks at the socket before it lets the thread sleep: putting it to sleep
    /// and waking it costs about as much (50 µs in a virtual machine whose core goes idle meanwhile).
    /// Most answers are there at the first look.
    private static let watchfulness = Duration.microseconds(60)

    private let configuration: PostgresConfiguration
    private let asker: Asker
    private let statements: [Statement]
    private let opening = Opening()
    private var phase = Phase.closed
    private var openedAt: ContinuousClock.Instant?

    /// A connection for these statements and no others, on behalf of one asker for good, which begins to
    /// open at once.
    package init(
        _ configuration: PostgresConfiguration, as asker: Asker, statements: [Statement]
    ) {
        self.configuration = configuration
        self.asker = asker
        self.statements = statements
        open()
    }

    /// Whether a question can be asked now.
    ///
    /// Takes up a connection that was opened meanwhile, throws away an answer that came too late,
    /// and has a lost connection opened anew.
    package var isReady: Bool {
        switch phase {
        case .ready: return true
        case .asked: return false
        case .owed(let lent, let since):
            drain(lent, since)
            if case .ready = phase { return true }
            return false
        case .closed:
            if let lent = opening.take() {
                phase = .ready(lent)
                return true
            }
            open()
            return false
        }
    }

    /// Sends one of the statements; what it answers is `receive`'s to say.
    ///
    /// - Returns: false when the connection is not ready: nothing was sent.
    /// - Throws: `invalidParameter`, and nothing was sent.
    /// - Precondition: the last answer was received, or was late.
    package func send(
        _ statement: Statement, _ parameters: (any PostgresEncodable)?...
    ) throws(PostgresError) -> Bool {
        guard isReady, case .ready(let lent) = phase else {
            if case .asked = phase { preconditionFailure("a second question before the answer") }
            return false
        }
        guard let plan = lent.plans[statement] else {
            preconditionFailure("\(statement.name) is not one of this connection's statements")
        }
        let encoded = try Connection.encode(parameters, for: plan)
        // What does not fit the socket now, `receive` flushes.
        guard lent.libpq.sendExecute(plan.name, encoded), lent.libpq.flush() >= 0 else {
            close()
            return false
        }
        phase = .asked(lent, plan)
        return true
    }

    /// The answer to what was sent, waiting for it only so long.
    ///
    /// - Precondition: `send` returned true since the last call.
    package func receive(waitingAtMost limit: Duration) -> Answer {
        guard case .asked(let lent, let plan) = phase else {
            preconditionFailure("nothing was asked")
        }
        let libpq = lent.libpq
        let begun = ContinuousClock.now
        while true {
            guard libpq.flush() >= 0, libpq.consumeInput() else { return lost(lent) }
            if !libpq.isBusy { break }
            let waited = begun.duration(to: .now)
            if waited >= limit {
                phase = .owed(lent, since: .now)
                return .late
            }
            if waited >= Self.watchfulness { waitForInput(libpq.socket, limit - waited) }
        }
        guard let result = libpq.nextResult() else { return lost(lent) }
        phase = .owed(lent, since: begun)
        switch result.kind {
        case .tuples, .command, .empty:
            // The server is ready again as soon as it has said so, mostly in the same packet.
            drain(lent, begun)
            return .rows(Rows(result: result, columns: plan.columns))
        default:
            // Perhaps a plan that the schema has moved away from: opening prepares anew.
            if libpq.isBroken { return lost(lent) }
            close()
            return .failed(.server(result.error))
        }
    }

    // MARK: Losing and opening

    /// Reads what is there of an answer to its end: first what libpq has, then what the socket has.
    private func drain(_ lent: Lent, _ since: ContinuousClock.Instant) {
        let libpq = lent.libpq
        var hasLooked = false
        while true {
            while !libpq.isBusy {
                guard libpq.nextResult() == nil else { continue }
                if libpq.isBroken { return close() }
                phase = .ready(lent)
                return
            }
            if hasLooked { break }
            guard libpq.flush() >= 0, libpq.consumeInput() else { return close() }
            hasLooked = true
        }
        if since.duration(to: .now) > Self.patience { close() }
    }

    private func lost(_ lent: Lent) -> Answer {
        let reason = lent.libpq.errorMessage
        close()
        return .failed(.connectionLost(reason))
    }

    /// Lets go of the connection, whose own thread closes the socket, and opens another.
    private func close() {
        phase = .closed
        open()
    }

    private func open() {
        let now = ContinuousClock.now
        if let openedAt, openedAt.duration(to: now) < Self.reopenAfter { return }
        openedAt = now
        opening.begin(configuration, asker, statements)
    }

    /// Sleeps until something can be read, or for about so long: poll(2) counts in milliseconds.
    private func waitForInput(_ socket: Int32, _ limit: Duration) {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        let milliseconds = min((limit / .milliseconds(1)).rounded(.up), 1e9)
        _ = unsafe poll(&descriptor, 1, Int32(milliseconds))
    }
}

/// A connection given out of its actor's hands, with its statements prepared.
///
/// The actor is kept because it owns the thread that closes the socket with its last reference.
private struct Lent: Sendable {
    let connection: Connection
    let plans: [Statement: Connection.Prepared]

    var libpq: LibPQConnection { connection.libpq }
}

/// The place where a connection opened in the background waits to be taken.
private final class Opening: Sendable {
    private struct State {
        var isUnderWay = false
        var opened: Lent?
    }
    private let state = Mutex(State())

    func take() -> Lent? { state.withLock { $0.opened.take() } }

    /// Opens a connection unless one is on its way.
    func begin(
        _ configuration: PostgresConfiguration, _ asker: Asker, _ statements: [Statement]
    ) {
        let isNews = state.withLock { state in
            defer { state.isUnderWay = true }
            return !state.isUnderWay
        }
        guard isNews else { return }
        Task {
            let lent = try? await Lent(
                connection: Connection.open(configuration), as: asker, preparing: statements)
            state.withLock { state in
                state.isUnderWay = false
                state.opened = lent
            }
        }
    }
}

extension Lent {
    fileprivate init(connection: Connection, as asker: Asker, preparing statements: [Statement])
        async throws(PostgresError)
    {
        connection.act(as: asker)
        self.init(connection: connection, plans: try await connection.lend(preparing: statements))
    }
}

extension Connection {
    /// Prepares statements and leaves libpq to the caller for good: the actor does nothing more with
    /// it than to close it in the end.
    fileprivate nonisolated func lend(
        preparing statements: [Statement]
    ) async throws(PostgresError) -> [Statement: Prepared] {
        try await interruptible { connection, cancellation throws(PostgresError) in
            for statement in statements { _ = try connection.prepare(statement, cancellation) }
            connection.thread.watch(-1, nil)
            try connection.state.begin(.statement)
            return connection.prepared
        }
    }
}
