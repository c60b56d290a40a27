// The pool's bookkeeping as a value: no connection is opened, pinged or closed here, no clock read,
// nobody woken. Each event returns what its caller is to do.
//
//   request ──► use an idle one · open one · wait in line · be refused
//   give back ─► to the first in line · to the idle ones · close it
//
// A place is taken by whoever holds a connection or is opening one; `taken + idle.count ≤ size`.
// A waiter is handed either a connection or a place: the right to open one itself. So nobody opens
// connections in the background, and a failure to open reaches someone who asked.

/// Who has which connection and who waits.
package struct PoolState<Member: Sendable>: Sendable {
    package typealias WaiterID = Int

    /// What to do with a request for a connection.
    package enum Admission: Sendable {
        case use(Member, idleSince: ContinuousClock.Instant)
        case open
        case wait(WaiterID)
        case refuse(PostgresError)
    }

    /// What a waiter gets when its turn comes.
    package enum Grant: Sendable {
        case use(Member)
        case open
        case fail(PostgresError)
    }

    /// Whom to wake, and with what; `close` is a connection nobody will use again.
    package enum Release: Sendable {
        case nothing
        case wake(WaiterID, Grant)
        case close(Member)
    }

    private struct Idle: Sendable {
        let member: Member
        /// On whose behalf it was used last.
        let asker: Asker
        let since: ContinuousClock.Instant
    }

    private let size: Int
    private let waitLimit: Int
    /// The one given back last is used first: it is warm, and the others may grow old and go.
    private var idle: [Idle] = []
    private var taken = 0
    /// First come, first served.
    ///
    /// Rarely more than a few, so removal from the middle may be linear.
    private var waiters: [WaiterID] = []
    private var nextWaiter = 0
    private var isShutDown = false

    /// - Precondition: `size` is at least 1.
    package init(size: Int, waitLimit: Int) {
        precondition(size >= 1 && waitLimit >= 0, "a pool of \(size) with a line of \(waitLimit)")
        self.size = size
        self.waitLimit = waitLimit
    }

    package var statistics: Pool.Statistics {
        Pool.Statistics(size: size, inUse: taken, idle: idle.count, waiting: waiters.count)
    }

    /// Somebody wants a connection, best one that was used on behalf of `asker` last: it needs no word to
    /// the server.
    package mutating func request(for asker: Asker = .nobody) -> Admission {
        if isShutDown { return .refuse(PoolState.closed) }
        if let best = popIdle(for: asker) {
            taken += 1
            return .use(best.member, idleSince: best.since)
        }
        if taken < size {
            taken += 1
            return .open
        }
        guard waiters.count < waitLimit else {
            return .refuse(
                .unavailable(
                    "all \(size) connections are in use and \(waiters.count) callers are waiting"))
        }
        nextWaiter += 1
        waiters.append(nextWaiter)
        return .wait(nextWaiter)
    }

    /// A holder returns a connection that can be used again.
    package mutating func give(
        back member: Member, by asker: Asker = .nobody, at now: ContinuousClock.Instant
    ) -> Release {
        if isShutDown {
            taken -= 1
            return .close(member)
        }
        if let first = popWaiter() { return .wake(first, .use(member)) }
        taken -= 1
        idle.append(Idle(member: member, asker: asker, since: now))
        return .nothing
    }

    /// A holder's connection is gone, or could not be opened: its place is free.
    package mutating func giveUpPlace() -> Release {
        if !isShutDown, let first = popWaiter() { return .wake(first, .open) }
        taken -= 1
        return .nothing
    }

    /// A waiter stops waiting.
    ///
    /// False: its turn has come already, and the grant is on its way.
    package mutating func leave(_ waiter: WaiterID) -> Bool {
        guard let index = waiters.firstIndex(of: waiter) else { return false }
        waiters.remove(at: index)
        return true
    }

    /// No more requests.
    ///
    /// Returns what to close now and whom to tell; what is in use is closed when it comes back.
    package mutating func shutDown() -> (close: [Member], tell: [WaiterID]) {
        isShutDown = true
        defer {
            idle = []
            waiters = []
        }
        return (idle.map(\.member), waiters)
    }

    package static var closed: PostgresError { .unavailable("the pool is shut down") }

    private mutating func popIdle(for asker: Asker) -> Idle? {
        let place =
            idle.lastIndex { $0.asker == asker }
            ?? idle.lastIndex { $0.asker.hasRole(of: asker) }
            ?? idle.indices.last
        return place.map { idle.remove(at: $0) }
    }

    private mutating func popWaiter() -> WaiterID? {
        waiters.isEmpty ? nil : waiters.removeFirst()
    }
}
