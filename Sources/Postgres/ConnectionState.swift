// The life of a connection as a value: no socket, no clock. `Connection` asks it what to do.
//
//   ready ──begin──► busy ──finish──► ready
//     │                │
//     │                ├── interrupted ──► closed    (cancelled, timed out: what the server will
//     │                │                              still send is unknown, so it is not reused)
//     └──── lost ──────┴── lost ─────────► closed    (during COMMIT: outcome unknown)

/// What a connection may do next, and what an event means for its caller.
package struct ConnectionState: Sendable {
    package enum Phase: Sendable, Equatable {
        case ready
        case busy(Work)
        case closed(PostgresError)
    }

    package enum Work: Sendable, Equatable { case connect, statement, commit, copy }

    /// The server's view, sent with every ReadyForQuery.
    package enum TransactionStatus: UInt8, Sendable, Equatable { case none, open, failed }

    package enum Interruption: Sendable, Equatable { case cancelled, timedOut }

    package enum Recovery: Sendable, Equatable {
        /// The server no longer has (or no longer accepts) its prepared plan: prepare and run again.
        case prepareAgain
        case forgetAndFail
        case fail
    }

    package private(set) var phase = Phase.busy(.connect)
    package private(set) var transaction = TransactionStatus.none

    package init() {}

    package var isReady: Bool { phase == .ready }

    /// The caller wants to send something.
    package mutating func begin(_ work: Work) throws(PostgresError) {
        switch phase {
        case .ready: phase = .busy(work)
        case .closed(let reason): throw reason
        case .busy(let current):
            preconditionFailure("\(work) begun while \(current) is under way on one connection")
        }
    }

    /// The server is ready again.
    package mutating func finish(_ status: TransactionStatus) {
        guard case .busy = phase else { return }
        phase = .ready
        transaction = status
    }

    /// The caller stopped waiting.
    ///
    /// The connection is to be closed and the backend told to stop.
    package mutating func interrupted(_ interruption: Interruption) -> PostgresError {
        let error: PostgresError =
            switch (phase, interruption) {
            case (.busy(.connect), .timedOut): .connectionFailed("no answer in time")
            case (.busy(.commit), .timedOut): .outcomeUnknown("no answer in time")
            case (_, .timedOut): .timedOut
            case (_, .cancelled): .cancelled
            }
        phase = .closed(.connectionLost("closed after an interrupted statement"))
        return error
    }

    /// The socket is gone.
    package mutating func lost(_ reason: String) -> PostgresError {
        let error: PostgresError =
            switch phase {
            case .busy(.connect): .connectionFailed(reason)
            case .busy(.commit): .outcomeUnknown(reason)
            case .busy, .ready: .connectionLost(reason)
            case .closed(let earlier): earlier
            }
        if case .closed = phase {} else { phase = .closed(.connectionLost(reason)) }
        return error
    }

    /// We closed it ourselves.
    package mutating func closed() {
        if case .closed = phase { return }
        phase = .closed(.connectionLost("the connection was closed"))
    }

    /// A prepared statement failed.
    ///
    /// Both failures below are raised before execution begins, so running again repeats nothing;
    /// inside a transaction the failure has already ended it.
    package func recovery(
        from error: ServerError, inTransactionBefore: Bool, isRetry: Bool
    ) -> Recovery {
        let planIsStale =
            error.sqlState == .invalidStatementName
            || (error.sqlState == .featureNotSupported && error.routine == "RevalidateCachedQuery")
        guard planIsStale else { return .fail }
        return inTransactionBefore || isRetry ? .forgetAndFail : .prepareAgain
    }
}
