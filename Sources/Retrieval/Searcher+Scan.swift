// The second call of a search: from memory, when the session is there, and as new as was asked for.

import Library
import Postgres
import Vectors

extension Searcher {
    /// The answer of the session's snapshot; nil when it is not in memory.
    ///
    /// A strong search reads the session's revision while it scans. Frequent: it is the snapshot's,
    /// and the answer stands. Rare: it is a later one; then the snapshot catches up and is scanned
    /// again. What was committed before the search began is in the answer either way, because the
    /// read began after it did. When it is another model's by now, it is all to be read anew: unless that
    /// was done ahead of the commit it counts as not in memory.
    func scan(
        _ request: SearchRequest, for query: QueryVector, _ watch: inout Stopwatch
    ) async throws -> SearchAnswer? {
        guard let snapshots, let snapshot = snapshots.resident(request.session) else { return nil }
        if snapshots.isTrusted(
            for: request.consistency, by: request.credential, in: request.session)
        {
            return try scan(request, for: query, in: snapshot, &watch)
        }
        async let read = validity(for: request)
        // Whose model is another may have caught up in vain or may be behind: the read will tell.
        let early =
            snapshot.fits(request, query)
            ? try scan(request, for: query, in: snapshot, &watch) : nil
        var version = try await read
        try watch.split(\.queue)
        if let early, early.meta.revision == version.revision { return early }
        if version.revision < snapshot.revision {
            // Read before a commit that the snapshot has seen; or the database was put back.
            version = try await validity(for: request)
            if version.revision < snapshot.revision { snapshots.forget(request.session) }
        }
        if snapshots.resident(request.session)?.version.modelID != version.modelID {
            guard await snapshots.succeeded(request.session, by: version) else { return nil }
        }
        guard
            let current = try await snapshots.current(
                request.session, atLeast: version.revision)
        else { return nil }
        return try scan(request, for: query, in: current, &watch)
    }

    /// The session as it is now.
    ///
    /// - Throws: `sessionNotFound`, `credentialNotValid`.
    func validity(for request: SearchRequest) async throws -> SessionVersion {
        try await pool.withConnection(as: request.asker) {
            try await validity(for: request, on: $0)
        }
    }

    func validity(for request: SearchRequest, on db: some Queryable) async throws -> SessionVersion
    {
        let generation = snapshots?.vouchers.generation
        let checked = try await SessionRepository.check(
            request.session, for: request.credential, on: db)
        guard let checked else {
            snapshots?.forget(request.session)
            throw RetrievalError.sessionNotFound
        }
        guard checked.isCredentialValid else { throw RetrievalError.credentialNotValid }
        if let generation {
            snapshots?.vouchers.vouch(for: request.credential, checked, since: generation)
        }
        return checked.session.version
    }

    private func scan(
        _ request: SearchRequest, for query: QueryVector, in snapshot: SessionSnapshot,
        _ watch: inout Stopwatch
    ) throws -> SearchAnswer {
        try snapshot.version.check(request, query)
        let nearest = try scratches.withScratch { scratch in
            try SnapshotSearch.nearest(request, query.vector, in: snapshot, scratch: scratch)
        }
        try watch.split(\.candidates)
        var answer = SnapshotSearch.answer(of: nearest, for: request, in: snapshot)
        try watch.split(\.expand)
        answer.meta.took = watch.times
        return answer
    }
}

extension SessionSnapshot {
    fileprivate func fits(_ request: SearchRequest, _ query: QueryVector) -> Bool {
        (try? version.check(request, query)) != nil
    }
}

extension SessionVersion {
    /// Refuses vectors of another model than the session's.
    ///
    /// - Throws: `RetrievalError.modelChanged`.
    func check(_ request: SearchRequest, _ query: QueryVector) throws(RetrievalError) {
        for expected in [request.expectedModel, query.model] {
            if let expected, expected != modelID {
                throw .modelChanged(expected: expected, got: modelID)
            }
        }
    }
}
