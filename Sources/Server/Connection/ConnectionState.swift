// What one connection is in the middle of, as a value: no socket, no clock, no task. Each event
// is a method that says what is to be done; `ConnectionHandler` does it.
//
//     greeting ──initialize──► initializing ──ok──► initialized
//        ▲                          │
//        └────────── refused ───────┘
//
// Draining and closing lie across these: a draining connection refuses new work whatever its
// phase, and closes when nothing runs any more.

import NIOCore
import Wire

struct ConnectionState {
    enum Phase { case greeting, initializing, initialized }

    /// Why a connection ends from our side.
    enum Farewell: Equatable {
        /// Told with an error whose id is null, then closed.
        case told(WireError)
        /// Closed at once: who does not read cannot be told.
        case silent
    }

    let limits: Limits
    private(set) var phase = Phase.greeting
    private(set) var isAuthenticated = false
    /// Since when nobody knows who is there.
    private var strangerSince: NIODeadline
    private(set) var isDraining = false
    /// Requests under way, with the size of their lines.
    private(set) var inFlight: [RequestID: Int] = [:]
    private(set) var bytesInFlight = 0
    private var lastSign: NIODeadline
    /// When what we wrote last moved towards the client; nil when nothing waits.
    private var unreadSince: NIODeadline?
    private var writtenOut = 0

    init(limits: Limits, now: NIODeadline) {
        self.limits = limits
        strangerSince = now
        lastSign = now
    }

    /// How long a line may be right now.
    var lineLimit: Int { isAuthenticated ? limits.lineBytes : limits.unauthenticatedLineBytes }

    /// Whether the next line may be looked at. While `initialize` runs it may not: what follows it
    /// in the same packet deserves its outcome.
    var mayTakeLine: Bool { phase != .initializing && bytesInFlight < limits.inFlightBytes }

    /// Whether nothing holds a draining connection open.
    var isFinished: Bool { isDraining && inFlight.isEmpty }

    // MARK: Requests

    /// A request arrived. Returns the refusal, or nil: then it is under way until `finished`.
    mutating func admit(
        _ request: Request, bytes: Int, needs: Method.Needs?, now: NIODeadline
    ) -> WireError? {
        lastSign = now
        guard let needs else {
            return phase == .initialized
                ? WireError(.methodNotFound, "There is no method of this name.", field: "method")
                : notInitialized
        }
        if isDraining, needs != .nothing {
            return WireError(
                .draining, "This server is shutting down; try another or later.",
                retryAfterMilliseconds: 1000)
        }
        switch (needs, phase) {
        case (.greeting, .greeting), (.nothing, _): break
        case (.greeting, _):
            return WireError(.invalidRequest, "The connection is initialized already.")
        case (_, .greeting), (_, .initializing): return notInitialized
        case (.initialized, .initialized): break
        case (.account, .initialized), (.session, .initialized):
            guard isAuthenticated else {
                return WireError(
                    .unauthenticated,
                    "This needs an API key or token, given in `initialize.auth`, or `auth.login`.")
            }
        }
        guard inFlight.count < limits.maximumInFlight else {
            var busy = WireError(
                .busy, "\(limits.maximumInFlight) requests of this connection are under way.",
                retryAfterMilliseconds: 50)
            busy.limit = limits.maximumInFlight
            return busy
        }
        if needs == .greeting { phase = .initializing }
        inFlight[request.id] = bytes
        bytesInFlight += bytes
        return nil
    }

    /// A request was answered.
    mutating func finished(_ id: RequestID, now: NIODeadline) {
        lastSign = now
        bytesInFlight -= inFlight.removeValue(forKey: id) ?? 0
    }

    /// `initialize` was answered.
    mutating func initialized(_ succeeded: Bool, authenticated: Bool) {
        phase = succeeded ? .initialized : .greeting
        isAuthenticated = succeeded && authenticated
    }

    /// Somebody logged in or out.
    mutating func authenticated(_ isAuthenticated: Bool, now: NIODeadline) {
        if self.isAuthenticated, !isAuthenticated { strangerSince = now }
        self.isAuthenticated = isAuthenticated
    }

    // MARK: Time

    /// How many bytes have left for the client, and how many still wait here.
    mutating func moved(writtenOut total: Int, waiting: Int, now: NIODeadline) {
        if waiting == 0 {
            unreadSince = nil
        } else if total != writtenOut || unreadSince == nil {
            unreadSince = now
        }
        writtenOut = total
    }

    /// Whether the connection has outstayed one of the limits.
    func farewell(at now: NIODeadline) -> Farewell? {
        if let unreadSince, now - unreadSince >= TimeAmount(limits.unread) { return .silent }
        // Whose password is being checked is waited for: the line before that is short.
        if !isAuthenticated, inFlight.isEmpty,
            now - strangerSince >= TimeAmount(limits.unauthenticated)
        {
            return .told(
                WireError(
                    .unauthenticated, "Nobody came in within \(limits.unauthenticated).",
                    limit: Int(limits.unauthenticated.components.seconds)))
        }
        if inFlight.isEmpty, now - lastSign >= TimeAmount(limits.idle) {
            return .told(
                WireError(
                    .deadlineExceeded, "No request came in \(limits.idle).",
                    limit: Int(limits.idle.components.seconds)))
        }
        return nil
    }

    /// The server shuts down. Returns whether this is news.
    mutating func drain() -> Bool {
        defer { isDraining = true }
        return !isDraining
    }

    private var notInitialized: WireError {
        WireError(.notInitialized, "Send `initialize` first.")
    }
}
