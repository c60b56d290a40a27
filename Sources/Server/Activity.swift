// Counts for `server.status`, and the names of connections.

import Synchronization

/// What the server is doing right now.
final class Activity: Sendable {
    struct Counts {
        var connections = 0
        var inFlight = 0
        var accepted = 0
        var searches = Searches()
    }

    /// Where a search was answered.
    enum Place {
        /// On the event loop that read it.
        case loop
        /// On a thread that computes.
        case pool
        /// By a task: not in memory, a text, or the session had moved on.
        case task
    }

    /// Searches by where they were answered.
    struct Searches {
        var onLoop = 0
        var onPool = 0
        var byTask = 0
    }

    let started = ContinuousClock.now
    private let state = Mutex(Counts())

    var counts: Counts { state.withLock { $0 } }

    /// A connection came. Returns its name, and whether there is room for it.
    func connected(limit: Int) -> (name: String, hasRoom: Bool) {
        state.withLock {
            $0.connections += 1
            $0.accepted += 1
            return ("c\($0.accepted)", $0.connections <= limit)
        }
    }

    func disconnected() { state.withLock { $0.connections -= 1 } }
    func searched(_ place: Place) {
        state.withLock {
            switch place {
            case .loop: $0.searches.onLoop += 1
            case .pool: $0.searches.onPool += 1
            case .task: $0.searches.byTask += 1
            }
        }
    }

    func began() { state.withLock { $0.inFlight += 1 } }
    func ended() { state.withLock { $0.inFlight -= 1 } }
}
