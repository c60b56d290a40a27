// A session that is about to change as a whole is read in the transaction that changes it, so that no search
// finds it missing afterwards.

package import Foundation
import Library
package import Postgres
import Synchronization

extension SnapshotCache {
    /// Reads a session that is in memory as it will be when a transaction is committed. That must follow
    /// soon: who learns of the commit waits for what is returned to be called with whether it was.
    ///
    /// The transaction has changed the session and lets nobody else write to it. Nil when the session is
    /// not in memory, or would lie in files: then it is read when it is asked for.
    ///
    /// - Throws: what kept it from being read; the transaction is of no use then.
    package func prepare(
        _ session: UUID, on transaction: Transaction
    ) async throws -> (@Sendable (_ isCommitted: Bool) -> Void)? {
        let isHeld = state.withLock { state in
            guard let snapshot = state.entries[session]?.snapshot else { return false }
            return snapshot.version.chunkCount <= state.limits.heldRows
        }
        guard isHeld,
            let read = try await SnapshotLoader.whole(session, .memory, on: transaction)
        else { return nil }
        let snapshot = try await Background.run { try read.encoded(whileWanted: self.isOpen) }
        let (outcome, continuation) = AsyncStream<Bool>.makeStream()
        while let earlier = announce(session, snapshot, outcome) { _ = await earlier.result }
        let teller = Teller(continuation)
        return { teller.tell($0) }
    }

    /// Makes the flight whose outcome is not known yet the session's; returns the one that is under way, if
    /// there is one.
    private func announce(
        _ session: UUID, _ snapshot: SessionSnapshot, _ outcome: AsyncStream<Bool>
    ) -> Task<Void, any Error>? {
        state.withLock { state in
            if let flight = state.entries[session]?.flight { return flight }
            _ = flight(session, &state) {
                await outcome.first { _ in true } == true ? snapshot : nil
            }
            state.entries[session]!.isSucceeding = true
            return nil
        }
    }

    /// What is held of a session is another model's than the session's now. True when its successor was
    /// prepared and has come; otherwise what is held is dropped, and the session is read in whole.
    func succeeded(_ session: UUID, by version: SessionVersion) async -> Bool {
        let prepared = state.withLock { state in
            state.entries[session].flatMap { $0.isSucceeding ? $0.flight : nil }
        }
        _ = await prepared?.result
        let isThere = state.withLock { state in
            guard let snapshot = state.entries[session]?.snapshot else { return false }
            if snapshot.revision >= version.revision { return true }
            state.remove(session)
            if state.entries[session] != nil {
                state.entries[session]!.expected = version.chunkCount
            }
            return false
        }
        if isThere { return true }
        files?.remove(session)
        warm(session, chunks: version.chunkCount)
        return false
    }
}

/// Tells whether a transaction was committed; forgotten without that, that it was not.
private final class Teller: Sendable {
    private let outcome: AsyncStream<Bool>.Continuation

    init(_ outcome: AsyncStream<Bool>.Continuation) { self.outcome = outcome }

    deinit { outcome.finish() }

    func tell(_ isCommitted: Bool) { outcome.yield(isCommitted) }
}
