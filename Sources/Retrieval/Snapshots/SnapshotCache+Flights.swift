// Builds, catch-ups and upkeep. One flight a session at a time makes it current; one upkeep a session
// at a time makes it fast again, and never makes a search wait.

import Dispatch
package import Foundation
import Library
import Postgres
import Synchronization
import Vectors

extension SnapshotCache {
    /// The flight under way, or a new one, which begins with what `prepared` returns if it is given.
    func flight(
        _ session: UUID, _ state: inout CacheState,
        from prepared: (@Sendable () async -> SessionSnapshot?)? = nil
    ) -> Task<Void, any Error> {
        if let flight = state.entries[session]?.flight { return flight }
        let isBuild = state.entries[session]?.snapshot == nil
        if isBuild { state.builds += 1 }
        state.count(isBuild ? \.builds : \.catchUps)
        let flight = Task { [self] in
            let result: Result<Void, any Error>
            do {
                result = .success(try await fly(session, from: await prepared?()))
            } catch {
                result = .failure(error)
            }
            self.state.withLock { state in
                if isBuild { state.builds -= 1 }
                state.entries[session]?.flight = nil
                state.entries[session]?.isSucceeding = false
                let entry = state.entries[session]
                if let entry, entry.snapshot == nil, entry.tooManyChunks == nil, !entry.isMaintained
                {
                    state.entries[session] = nil
                }
            }
            try result.get()
        }
        state.entries[session, default: CacheState.Entry()].flight = flight
        return flight
    }

    /// Reads until what is published is as new as anybody knows.
    private func fly(_ session: UUID, from prepared: SessionSnapshot?) async throws {
        var known = prepared ?? state.withLock { $0.entries[session]?.snapshot }
        if known == nil { known = await mapped(session) }
        while true {
            guard let made = try await read(session, from: known) else {
                return forget(session)
            }
            switch state.withLock({ $0.publish(made) }) {
            case .behind:
                // Read again without coming nearer: the database is not the one in which that revision
                // was seen (restored, perhaps). What is held is of no use then.
                if made.revision == known?.revision { return forget(session) }
                known = made
            case .tooLarge: return
            case .published:
                let isLate = state.withLock { state in
                    let heard = state.entries[session]?.heard ?? 0
                    state.entries[session]?.heard = 0
                    return heard > made.revision
                }
                if !isLate { return maintain(session) }
                known = made
            }
        }
    }

    /// Reads the session in whole or what it lacks.
    ///
    /// A disk that cannot hold it is not filled again for the next search.
    private func read(
        _ session: UUID, from known: SessionSnapshot?
    ) async throws -> SessionSnapshot? {
        do {
            return try await SnapshotLoader.load(session, from: known, pool, placement)
        } catch let error as SnapshotFileError {
            state.withLock { $0.entries[session]?.tooManyChunks = 0 }
            throw error
        }
    }

    // MARK: The end

    /// Gives up what goes on in the background and waits until it has.
    ///
    /// A process must not end while a thread of it is in BLAS, which takes its memory away from under
    /// it.
    package func close() async {
        isClosed.store(true, ordering: .releasing)
        try? await Background.run {}
    }

    @Sendable func isOpen() -> Bool { !isClosed.load(ordering: .acquiring) }

    // MARK: Files

    /// Waits a moment for a session that is in a file; returns at once when there is none.
    ///
    /// A session of 10,000 chunks is mapped and checked in some 20 ms, in which PostgreSQL would only
    /// have begun; a larger one is not waited for.
    package func arrival(of session: UUID) async throws {
        guard let files, files.has(session) else { return }
        state.withLock { state in
            if state.mayMap(session) { _ = flight(session, &state) }
        }
        let deadline = ContinuousClock.now.advanced(by: Self.patience)
        while state.withLock({ $0.isAwaited(session) }), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// As long as PostgreSQL takes, when it has been started too, for a session of 10,000 chunks.
    private static let patience = Duration.milliseconds(200)

    /// The session as its file has it, to be caught up.
    private func mapped(_ session: UUID) async -> SessionSnapshot? {
        guard let files else { return nil }
        let snapshot = await Background.read { files.read(session) }
        if let snapshot {
            state.withLock { state in
                state.entries[session]?.filed = snapshot.revision
                state.count(\.mapped)
            }
        }
        return snapshot
    }

    /// Writes the base to a file, unless it lies there already.
    ///
    /// What fails here leaves the session without a file, and the next process reads PostgreSQL.
    private func file(_ session: UUID) async {
        guard let files, let snapshot = state.withLock({ $0.unfiled(session, files) }) else {
            return
        }
        guard (try? await Background.run { try files.write(snapshot) }) != nil else { return }
        let isKnown = state.withLock { state in
            guard state.entries[session]?.snapshot != nil else { return false }
            state.entries[session]!.filed = snapshot.segments[0].revision
            state.count(\.filed)
            return true
        }
        // Deleted, perhaps, while it was being written.
        if !isKnown { files.remove(session) }
    }

    // MARK: Upkeep

    /// Joins segments and makes codes, in the background, until there is nothing left to do, and writes
    /// what came of it to a file.
    private func maintain(_ session: UUID) {
        state.withLock { state in
            guard isOpen(), let entry = state.entries[session], !entry.isMaintained,
                entry.snapshot?.upkeep != nil
                    || files.flatMap({ state.unfiled(session, $0) }) != nil
            else { return }
            state.entries[session]!.isMaintained = true
            Task { [self] in
                // What fails here is tried again after the next catch-up; searches go on without.
                try? await keepUp(session)
                await file(session)
                self.state.withLock { state in
                    state.entries[session]?.isMaintained = false
                    if let entry = state.entries[session], entry.snapshot == nil,
                        entry.flight == nil, entry.tooManyChunks == nil
                    {
                        state.entries[session] = nil
                    }
                }
            }
        }
    }

    private func keepUp(_ session: UUID) async throws {
        while let snapshot = state.withLock({ $0.entries[session]?.snapshot }),
            let upkeep = snapshot.upkeep
        {
            switch upkeep {
            case .encode:
                let encoded = try await Background.run {
                    try snapshot.encoded(whileWanted: self.isOpen)
                }
                state.withLock { state in
                    guard let current = state.entries[session]?.snapshot else { return }
                    state.count(\.encodings)
                    _ = state.publish(current.adopting(encoded))
                }
            case .join(let kept):
                try await join(snapshot, keeping: kept)
            }
        }
    }

    /// Reads what lies after the first `kept` segments again, as one segment, and publishes it when
    /// it is as new as what searches see by then.
    private func join(_ snapshot: SessionSnapshot, keeping kept: Int) async throws {
        let session = snapshot.version.id
        var joined = try await SnapshotLoader.load(
            session, from: snapshot, keeping: kept, pool, placement)
        while let made = joined {
            // A base of many rows without codes would be slower than what it replaces.
            let made = try await Background.run { try made.encoded(whileWanted: self.isOpen) }
            let isCurrent = state.withLock { state in
                guard let current = state.entries[session]?.snapshot else { return true }
                guard made.revision >= current.revision else { return false }
                state.count(\.compactions)
                _ = state.publish(made)
                return true
            }
            if isCurrent { return }
            joined = try await SnapshotLoader.load(session, from: made, pool, placement)
        }
    }
}

/// Long computations, one after another on a thread of their own: the threads that answer stay free.
enum Background {
    private static let queue = DispatchQueue(label: "carrel.snapshots", qos: .utility)

    /// Files are read beside it: a search may be waiting for its session.
    private static let reading = DispatchQueue(label: "carrel.snapshots.files", qos: .userInitiated)

    static func read<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
        await withCheckedContinuation { continuation in
            reading.async { continuation.resume(returning: body()) }
        }
    }

    static func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
