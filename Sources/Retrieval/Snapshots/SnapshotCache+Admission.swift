// Which searches of a session that is not in memory are PostgreSQL's, and which wait for the session.

import Foundation
import Synchronization

extension SnapshotCache {
    /// Waits while a session that is not in memory has enough searches at PostgreSQL already: they and the
    /// read of the session are one another's rivals for cores and connections, and the read serves
    /// everybody.
    ///
    /// Those that ask have the session read as soon as they have a connection, however long that takes; when
    /// they are done without it, it is this one's turn.
    ///
    /// - Returns: true when it waited and the session may be there; false when PostgreSQL is to be
    ///   asked, after which `hasAsked` is called. Past the deadline false, too: who asks looks at it.
    func shouldWait(
        for session: UUID, until deadline: ContinuousClock.Instant?
    ) async throws -> Bool {
        while deadline.map({ ContinuousClock.now < $0 }) ?? true {
            switch state.withLock({ $0.admission(to: session) }) {
            case .ask: return false
            case .arrival(let flight):
                // Whatever came of it, the next look says what there is.
                _ = await flight.result
                return true
            case .soon: try await Task.sleep(for: .milliseconds(2))
            }
        }
        state.withLock { $0.asking[session, default: 0] += 1 }
        return false
    }

    func hasAsked(_ session: UUID) {
        state.withLock { state in
            state.asking[session]! -= 1
            if state.asking[session] == 0 { state.asking[session] = nil }
        }
    }
}
