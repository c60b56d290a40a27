// The sessions in memory. What callers see is here; how snapshots are made and kept current is in
// SnapshotCache+Flights.swift, what keeps them in step with others in SnapshotCache+Coherence.swift.

package import Foundation
import Library
package import Postgres
import Synchronization

/// Snapshots of sessions, bounded in bytes, least recently used out first.
///
/// No search waits for a build: a session that is not here is answered from PostgreSQL while one
/// task, however many ask, reads it. Catching up is waited for, because a strong search must.
package final class SnapshotCache: Sendable {
    package struct Limits: Sendable {
        /// All snapshots together.
        package var bytes: Int
        /// One snapshot; a larger session is always answered from PostgreSQL.
        package var sessionBytes: Int
        /// Sessions of more rows are read into files, where there is a folder for them, and hold
        /// bytes, codes and columns alone.
        package var heldRows: Int
        /// Builds at a time: each holds a database connection and a core.
        package var buildsAtOnce = 2

        /// Held by default are rows whose vectors take an eighth of the cache: with texts of usual
        /// length a session that is held takes a quarter at most.
        package init(bytes: Int, sessionBytes: Int? = nil, heldRows: Int? = nil) {
            self.bytes = bytes
            self.sessionBytes = sessionBytes ?? bytes / 2
            self.heldRows = heldRows ?? bytes / 8 / SnapshotCache.leastBytesPerChunk
        }

        /// Half of the machine's memory.
        package static let standard = Limits(
            bytes: Int(clamping: ProcessInfo.processInfo.physicalMemory / 2))
    }

    package struct Statistics: Sendable, Equatable {
        package var sessions = 0
        package var bytes = 0
        /// Sessions read in whole because somebody asked for them.
        package var builds = 0
        /// Those of them that began with a file.
        package var mapped = 0
        package var filed = 0
        package var catchUps = 0
        /// Segments joined, codes made.
        package var compactions = 0
        package var encodings = 0
        package var evictions = 0
    }

    /// 3,072 of floats, 776 of bytes, 84 of columns: a session cannot take less.
    static let leastBytesPerChunk = 3_932
    /// The same and 108 of codes, without the floats: of a session that lies in files.
    static let leastBytesPerMappedChunk = 968

    let pool: Pool
    let state: Mutex<CacheState>
    /// Whether notifications of others' changes arrive.
    let isFollowing = Atomic<Bool>(false)
    /// Whether the process is about to end.
    let isClosed = Atomic<Bool>(false)

    /// Who may search without being read.
    package let vouchers = Vouchers()

    /// Where bases are kept from one process to the next; nil: nowhere.
    let files: SnapshotFiles?
    let sessionBytes: Int
    /// Where rows are held while a session is read, and afterwards.
    let placement: RowPlacement

    package init(_ pool: Pool, limits: Limits = .standard, files: SnapshotFiles? = nil) {
        self.pool = pool
        self.files = files
        // Half of what the builds leave: the other half is for those who are not in need of a session.
        let searchesAtOnce = max(1, (pool.size - limits.buildsAtOnce) / 2)
        state = Mutex(
            CacheState(
                limits: limits, searchesAtOnce: searchesAtOnce, hasFiles: files != nil))
        sessionBytes = limits.sessionBytes
        placement =
            files.map { RowPlacement(heldRows: limits.heldRows, directory: $0.directory) }
            ?? .memory
    }

    /// The session's snapshot, if it is in memory: whatever its revision.
    package func resident(_ session: UUID) -> SessionSnapshot? {
        state.withLock { $0.use(session) }
    }

    /// Whether a session is in memory, or in a file from which it is there in no time. Not a use.
    package func holds(_ session: UUID) -> Bool {
        state.withLock { $0.entries[session]?.snapshot != nil } || files?.has(session) == true
    }

    /// Counts on whenever somebody searches or this process stores something.
    package var activity: UInt64 { state.withLock { $0.clock } }

    /// Whether a snapshot may be searched without asking for the session's revision, by this key or
    /// login.
    package func isTrusted(
        for consistency: Consistency, by credential: UUID?, in session: UUID
    ) -> Bool {
        switch consistency {
        case .strong: return false
        // `committed` sees to it.
        case .session where credential == nil: return true
        // Changes and revocations by others are heard of only while notifications arrive.
        case .session, .cached:
            return isFollowing.load(ordering: .acquiring)
                && vouchers.holds(for: credential, in: session)
        }
    }

    /// The session at a revision that is known to be committed, or later: caught up if need be, or
    /// nil when it is not in memory (any more) or gone.
    ///
    /// - Throws: what kept it from being read.
    package func current(_ session: UUID, atLeast revision: Int64) async throws -> SessionSnapshot?
    {
        while true {
            let flight: Task<Void, any Error>? = state.withLock { state in
                guard let snapshot = state.entries[session]?.snapshot,
                    snapshot.revision < revision
                else { return nil }
                state.entries[session]!.floor = max(state.entries[session]!.floor, revision)
                return self.flight(session, &state)
            }
            guard let flight else { return resident(session) }
            try await flight.value
        }
    }

    /// Begins to read a session that is not in memory, unless it is being read, is too large or too
    /// many are. Returns at once.
    package func warm(_ session: UUID, chunks: Int) {
        state.withLock { state in
            guard state.mayBuild(session, chunks: chunks) else {
                if state.isTooLarge(chunks), state.entries[session] == nil {
                    state.entries[session] = CacheState.Entry(tooManyChunks: chunks)
                }
                return
            }
            _ = flight(session, &state)
            state.entries[session]!.expected = chunks
        }
    }

    /// The session in memory, built now if need be; nil when it is gone or too large.
    package func build(_ session: UUID) async throws -> SessionSnapshot? {
        if let snapshot = resident(session) { return snapshot }
        try await state.withLock { flight(session, &$0) }.value
        return resident(session)
    }

    /// Drops a session, its file too: it was deleted, or what is held of it cannot be trusted.
    package func forget(_ session: UUID) {
        state.withLock { $0.remove(session) }
        files?.remove(session)
    }

    package var statistics: Statistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.sessions = state.entries.values.count { $0.snapshot != nil }
            statistics.bytes = state.bytes
            return statistics
        }
    }
}
