// Which searches of a session that is not in memory are PostgreSQL's, and which wait for the session.

import Foundation
import Synchronization

extension SnapshotCache {
    /// Waits while PostgreSQL is at enough searches already of a session that is not in memory, or of such
    /// sessions altogether: they and the read of the session are one another's rivals for cores and
    /// connections, and the read serves everybody.
    ///
    /// Those that ask have the session read as soon as they have a connection, however long that takes; when
    /// they are done without it, it is this one's turn.
    ///
    /// - Returns: true when the session may be there by now; false when PostgreSQL is to be asked, after
    ///   which `hasAsked` is called.
    /// - Throws: `deadlineExceeded`; `CancellationError`.
    func shouldWait(
        for session: UUID, until deadline: ContinuousClock.Instant?
    ) async throws -> Bool {
        var pause = Duration.milliseconds(2)
        while true {
            switch state.withLock({ $0.admission(to: session) }) {
            case .ask: return false
            case .arrived: return true
            case .arrival(let flight):
                // Whatever came of it, the next look says what there is.
                _ = await flight.result
                return true
            case .soon:
                if let deadline, ContinuousClock.now > deadline {
                    throw RetrievalError.deadlineExceeded
                }
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .milliseconds(32))
            }
        }
    }

    func hasAsked(_ session: UUID) {
        state.withLock { state in
            state.asking[session]! -= 1
            if state.asking[session] == 0 { state.asking[session] = nil }
        }
    }
}
