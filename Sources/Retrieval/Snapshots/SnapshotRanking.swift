// Rows ranked by words, by both scores, or for being unlike one another. What is asked most, the nearest
// vectors alone, does not come here (`SnapshotSearch.nearest`).

import Foundation
import Library
package import Vectors

extension SnapshotSearch {
    /// The rows of an answer by words, by fusion, or spread.
    ///
    /// `query` is nil where only words count.
    ///
    /// - Precondition: the snapshot has its words indexed where the mode needs them.
    package static func ranked(
        _ request: SearchRequest, _ query: UnitVector?, in snapshot: SessionSnapshot,
        scratch: SnapshotScratch
    ) throws(VectorError) -> Nearest {
        var pool = try pool(request, query, in: snapshot, scratch: scratch)
        pool.rows = choose(from: pool.rows, for: request, in: snapshot)
        return pool
    }

    /// What hits are chosen from: the best rows of each score that counts, with all scores asked for,
    /// ranked by the one that decides. Nothing is cut by the threshold yet.
    package static func pool(
        _ request: SearchRequest, _ query: UnitVector?, in snapshot: SessionSnapshot,
        scratch: SnapshotScratch
    ) throws(VectorError) -> Nearest {
        var wide = request
        wide.k = RankingRequest.depth(for: request.k)
        wide.minScore = nil
        switch (request.ranking.mode, query) {
        case (.dense, let query?):
            return try nearest(wide, query, in: snapshot, scratch: scratch)
        case (.hybrid, let query?):
            let near = try nearest(wide, query, in: snapshot, scratch: scratch)
            let words = SnapshotWords(wide, in: snapshot)
            return fuse(near, words, query, wide, in: snapshot)
        default:
            let words = SnapshotWords(wide, in: snapshot)
            let rows = words.best(wide.k).map {
                ScoredRow(place: $0, scores: HitScores(lexical: words[$0]))
            }
            return Nearest(rows: rows, certificate: .proven, examined: words.examined)
        }
    }

    /// Both pools in one, each row with both of its exact scores.
    private static func fuse(
        _ near: Nearest, _ words: SnapshotWords, _ query: UnitVector, _ request: SearchRequest,
        in snapshot: SessionSnapshot
    ) -> Nearest {
        let known = Set(near.rows.map(\.place))
        let others = words.best(request.k).filter { !known.contains($0) }
        let places = near.rows.map(\.place) + others
        let dense = near.rows.map(\.score) + snapshot.similarities(of: others, to: query)
        let pairs = zip(places, dense).map { ScorePair(dense: $1, lexical: words[$0]) }
        let fused = request.ranking.fusion.scores(pairs, depth: request.k)
        var rows = places.indices.map { index in
            ScoredRow(
                place: places[index],
                scores: HitScores(
                    dense: pairs[index].dense, lexical: pairs[index].lexical,
                    fused: fused[index]))
        }
        rows.sort { snapshot.isBefore($0, $1) }
        return Nearest(rows: rows, certificate: near.certificate, examined: near.examined)
    }

    /// The threshold, then diversity or simply the first k.
    package static func choose(
        from pool: [ScoredRow], for request: SearchRequest, in snapshot: SessionSnapshot
    ) -> [ScoredRow] {
        var rows = pool
        if let minScore = request.minScore { rows.removeAll { $0.score < minScore } }
        let diversity = request.ranking.diversity
        guard diversity > 0 else { return Array(rows.prefix(request.k)) }
        rows = Array(rows.prefix(RankingRequest.depth(for: request.k)))
        // Cosine and the scaled sum end at 1; BM25 and reciprocal ranks are brought there.
        let scale = request.ranking.scoresEndAtOne ? 1 : rows.first?.score ?? 1
        let vectors = rows.map { snapshot.table($0.place).block.rows.row($0.place.row) }
        return Diversity.select(
            request.k, relevance: rows.map { $0.score / scale }, diversity: diversity
        ) { hit in
            vectors.map { Float(Kernels.current.dot(vectors[hit], $0)) }
        }.map { rows[$0] }
    }
}

extension RankingRequest {
    fileprivate var scoresEndAtOne: Bool {
        mode == .dense || (mode == .hybrid && fusion == .minMax)
    }
}

extension SessionSnapshot {
    /// Exact cosine similarities, in the order of the places.
    func similarities(of places: [RowPlace], to query: UnitVector) -> [Float] {
        var similarities = Array(repeating: Float(0), count: places.count)
        let byTable = Dictionary(grouping: places.indices) { index in
            RowPlace(segment: places[index].segment, type: places[index].type, row: 0)
        }
        for (table, indexes) in byTable {
            let rows = indexes.map { UInt32(places[$0].row) }
            let distances = Scorer.distances(
                from: query, to: rows, in: self.table(table).block.rows)
            for (index, distance) in zip(indexes, distances) { similarities[index] = 1 - distance }
        }
        return similarities
    }
}
