// Which sessions are in memory, who makes which, and who has to leave: a value, without a database.
//
//   absent ──build──► building ──published──► resident ◄──► catching up
//     ▲                                          │
//     └── evicted, forgotten, gone, too large ───┘

import Foundation
import Library

struct CacheState {
    struct Entry {
        var snapshot: SessionSnapshot?
        var lastUse: UInt64 = 0
        /// The one build or catch-up under way.
        var flight: Task<Void, any Error>?
        /// The flight is of a session that was read ahead of a commit.
        var isSucceeding = false
        /// How many chunks the one who had it built knew of.
        var expected = 0
        /// No older revision is published: somebody knows of it.
        var floor: Int64 = 0
        /// What was announced while a flight was under way, which may have read before it.
        var heard: Int64 = 0
        /// Whether codes are being made or segments joined.
        var isMaintained = false
        /// The revision of the base that lies in a file.
        var filed: Int64?
        /// The session was built with so many chunks and does not fit.
        var tooManyChunks: Int?
    }

    let limits: SnapshotCache.Limits
    /// How many searches of sessions that are not in memory PostgreSQL is asked at a time.
    let searchesAtOnce: Int
    /// Whether large sessions can lie in files.
    let hasFiles: Bool
    var entries: [UUID: Entry] = [:]
    var bytes = 0
    var builds = 0
    /// How many searches of sessions that are not in memory PostgreSQL is at.
    var asking: [UUID: Int] = [:]
    /// Counts uses, what is published and what is written.
    private(set) var clock: UInt64 = 0
    private(set) var statistics = SnapshotCache.Statistics()

    init(limits: SnapshotCache.Limits, searchesAtOnce: Int, hasFiles: Bool) {
        self.limits = limits
        self.searchesAtOnce = searchesAtOnce
        self.hasFiles = hasFiles
    }

    /// The snapshot there is, marked as used.
    mutating func use(_ session: UUID) -> SessionSnapshot? {
        clock += 1
        guard let snapshot = entries[session]?.snapshot else { return nil }
        entries[session]!.lastUse = clock
        return snapshot
    }

    /// Somebody has written to a session.
    mutating func wrote() { clock += 1 }

    /// Whether a session is not there yet and somebody is at it.
    func isAwaited(_ session: UUID) -> Bool {
        guard let entry = entries[session] else { return false }
        return entry.snapshot == nil && entry.flight != nil
    }

    /// What a search of a session that is not in memory does.
    enum Admission {
        /// PostgreSQL is asked, and it is counted.
        case ask
        /// The session is being read.
        case arrival(Task<Void, any Error>)
        /// It is there by now.
        case arrived
        /// Others ask already: it is its turn, or the session is there, before long.
        case soon
    }

    /// Whose flight is short is waited for; a larger session is read for longer than its graph is walked,
    /// so its searches take turns.
    mutating func admission(to session: UUID) -> Admission {
        let entry = entries[session]
        if entry?.snapshot != nil { return .arrived }
        let searches = asking[session, default: 0]
        let limit =
            if entry?.tooManyChunks != nil { searchesAtOnce }
            // It is PostgreSQL that reads it, too.
            else if entry?.flight != nil { 1 } else { Self.searchesOfOne }
        guard searches < limit, asking.values.reduce(0, +) < searchesAtOnce else {
            if let entry, let flight = entry.flight, entry.expected <= Self.awaitedChunks {
                return .arrival(flight)
            }
            return .soon
        }
        asking[session] = searches + 1
        return .ask
    }

    /// The first search is not kept waiting, and the next one only if it comes at once.
    private static let searchesOfOne = 2

    private static let awaitedChunks = 50_000

    /// Whether a session of unknown size may be mapped now: not once it was too large.
    func mayMap(_ session: UUID) -> Bool {
        guard builds < limits.buildsAtOnce else { return false }
        guard let entry = entries[session] else { return true }
        return entry.flight == nil && entry.snapshot == nil && entry.tooManyChunks == nil
    }

    /// Whether a session of so many chunks may be built now.
    func mayBuild(_ session: UUID, chunks: Int) -> Bool {
        if let entry = entries[session] {
            if entry.flight != nil || entry.snapshot != nil { return false }
            if let tooMany = entry.tooManyChunks, chunks >= tooMany { return false }
        }
        return builds < limits.buildsAtOnce && !isTooLarge(chunks)
    }

    func isTooLarge(_ chunks: Int) -> Bool { leastBytes(chunks) > limits.sessionBytes }

    /// What a session of so many chunks takes at least.
    ///
    /// Its children and parents are two tables, and a table is held or in files as a whole: no session
    /// of fewer chunks lies in files.
    private func leastBytes(_ chunks: Int) -> Int {
        let isMapped = hasFiles && chunks > limits.heldRows
        return chunks
            * (isMapped
                ? SnapshotCache.leastBytesPerMappedChunk : SnapshotCache.leastBytesPerChunk)
    }

    /// What became of a new snapshot.
    enum Publication: Equatable {
        case published
        /// A newer revision is known of already: catch up first.
        case behind
        /// It is larger than a session may be, and was not kept.
        case tooLarge
    }

    mutating func publish(_ snapshot: SessionSnapshot) -> Publication {
        let session = snapshot.version.id
        var entry = entries[session] ?? Entry()
        if snapshot.revision < entry.floor { return .behind }
        if let known = entry.snapshot, known.revision > snapshot.revision { return .published }
        bytes -= entry.snapshot?.byteCount ?? 0
        guard snapshot.byteCount <= limits.sessionBytes else {
            entry.snapshot = nil
            entry.tooManyChunks = snapshot.version.chunkCount
            entries[session] = entry
            return .tooLarge
        }
        clock += 1
        entry.snapshot = snapshot
        entry.lastUse = clock
        entry.tooManyChunks = nil
        entries[session] = entry
        bytes += snapshot.byteCount
        evict(except: session)
        return .published
    }

    /// Takes a session out; what is under way for it goes on and may put it back.
    mutating func remove(_ session: UUID) {
        guard let entry = entries[session] else { return }
        bytes -= entry.snapshot?.byteCount ?? 0
        if entry.flight == nil, !entry.isMaintained {
            entries[session] = nil
        } else {
            entries[session]!.snapshot = nil
        }
    }

    /// The session's snapshot, when its base belongs into a file and does not lie in one.
    func unfiled(_ session: UUID, _ files: SnapshotFiles) -> SessionSnapshot? {
        guard let entry = entries[session], let snapshot = entry.snapshot,
            let base = snapshot.segments.first, base.count >= files.leastRows,
            entry.filed != base.revision
        else { return nil }
        return snapshot
    }

    mutating func count(_ change: WritableKeyPath<SnapshotCache.Statistics, Int>) {
        statistics[keyPath: change] += 1
    }

    private mutating func evict(except kept: UUID) {
        while bytes > limits.bytes {
            let oldest = entries.filter { $0.key != kept && $0.value.snapshot != nil }
                .min { $0.value.lastUse < $1.value.lastUse }
            guard let oldest else { return }
            remove(oldest.key)
            count(\.evictions)
        }
    }
}
