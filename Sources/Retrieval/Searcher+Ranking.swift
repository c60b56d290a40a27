// A search that needs more than the nearest vectors: words, both, or hits unlike one another. It is
// answered from the session's snapshot only, because PostgreSQL knows no BM25 and no pool.

package import Foundation
import Library
import Postgres
import Vectors

extension Searcher {
    /// The answer by words, by fusion or spread.
    ///
    /// Waits for the snapshot where there is none, and for the words where they are not indexed: the
    /// first such search of a session takes as long as that (10,000 chunks: about half a second).
    func rank(_ request: SearchRequest, by model: UUID?) async throws -> SearchAnswer {
        var watch = Stopwatch(deadline: request.deadline)
        let query = try await rankingVector(of: request, by: model)
        try watch.split(\.embed)
        let snapshot = try await rankable(request, for: query)
        try watch.split(\.queue)
        let ranked = try scratches.withScratch { scratch in
            try SnapshotSearch.ranked(request, query?.vector, in: snapshot, scratch: scratch)
        }
        try watch.split(\.candidates)
        var answer = SnapshotSearch.answer(of: ranked, for: request, in: snapshot)
        if !request.expansion.isOfChunks {
            answer.hits = try await hits(of: ranked.rows, within: snapshot, for: request)
        }
        try watch.split(\.expand)
        answer.meta.took = watch.times
        return answer
    }

    /// The vector, where the mode goes by vectors.
    func rankingVector(of request: SearchRequest, by model: UUID?) async throws -> QueryVector? {
        request.ranking.mode == .lexical ? nil : try await queryVector(of: request, by: model)
    }

    /// The session's snapshot, as new as was asked for, with its words if they are needed; of it, what
    /// the asker may see.
    ///
    /// - Throws: `notResident` for a session that is too large for the cache, it or its words.
    func rankable(
        _ request: SearchRequest, for query: QueryVector?
    ) async throws -> SessionSnapshot {
        guard let snapshots else { throw RetrievalError.notResident }
        let version = try await validity(for: request)
        try check(version, request, query)
        while true {
            guard try await snapshots.build(request.session) != nil else {
                throw RetrievalError.notResident
            }
            // Evicted between the two: once more.
            guard
                let snapshot = try await snapshots.current(
                    request.session, atLeast: version.revision)
            else { continue }
            try check(snapshot.version, request, query)
            if request.ranking.mode != .dense {
                try await snapshots.indexWords(request.ranking.language, of: snapshot)
            }
            return snapshot.showing(request.visibility)
        }
    }

    private func check(
        _ version: SessionVersion, _ request: SearchRequest, _ query: QueryVector?
    ) throws(RetrievalError) {
        for expected in [request.expectedModel, query?.model] {
            if let expected, expected != version.modelID {
                throw .modelChanged(expected: expected, got: version.modelID)
            }
        }
    }
}

extension Searcher {
    /// Why a chunk of the session is or is not among the hits of a search; nil when the session has
    /// no such chunk. Waits for the snapshot, as `rank` does.
    package func explain(_ chunk: UUID, _ request: SearchRequest) async throws -> Explanation? {
        try request.check()
        return try await following(request) { model in
            let query = try await rankingVector(of: request, by: model)
            let snapshot = try await rankable(request, for: query)
            return try scratches.withScratch { scratch in
                try SnapshotSearch.explain(
                    chunk, request, query?.vector, in: snapshot, scratch: scratch)
            }
        }
    }
}
