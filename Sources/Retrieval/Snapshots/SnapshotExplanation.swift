// An exact engine can always say why: the same steps again, looking for one row.

package import Foundation
import Library
package import Vectors

extension SnapshotSearch {
    /// Why a chunk is or is not among the hits; nil when the session has no such chunk.
    ///
    /// `query` is nil where only words count.
    ///
    /// - Precondition: the snapshot has its words indexed where the mode needs them.
    /// - Complexity: every row that passes the filter is scored exactly, 0.2 µs each.
    package static func explain(
        _ chunk: UUID, _ request: SearchRequest, _ query: UnitVector?,
        in snapshot: SessionSnapshot, scratch: SnapshotScratch
    ) throws(VectorError) -> Explanation? {
        guard let place = snapshot.place(of: chunk) else { return nil }
        var explanation = Explanation(chunk: chunk, scores: HitScores(), count: 0)
        if let refusal = snapshot.refusal(of: place, by: request.filter) {
            explanation.cause = refusal
            return explanation
        }
        let standing = Standing(of: place, request, query, in: snapshot)
        let pool = try uncut(request, query, in: snapshot, scratch: scratch)
        let chosen = choose(from: pool.rows, for: request, in: snapshot)
        let row =
            pool.rows.first { $0.place == place }
            ?? ScoredRow(place: place, scores: standing.scores)
        explanation.scores = row.scores
        explanation.count = standing.count
        explanation.rank = standing.rank(in: pool.rows)
        if pool.rows.count >= request.k {
            explanation.gap = pool.rows[request.k - 1].score - row.score
        }
        if chosen.contains(where: { $0.place == place }) {
            let hits = snapshot.hits(of: chosen, for: request)
            explanation.hit =
                hits.first { hit in
                    hit.chunk == chunk
                        || hit.parent?.children.contains { $0.chunk == chunk } ?? false
                }?.rank
            if explanation.hit == nil {
                let tokens = Int(snapshot.table(place).columns.tokens[place.row])
                explanation.cause = .tokenBudget(tokens: tokens)
            }
        } else {
            explanation.cause = standing.cause(explanation.rank, row.score)
        }
        return explanation
    }

    /// The pool, or for a plain search the best rows without the threshold.
    private static func uncut(
        _ request: SearchRequest, _ query: UnitVector?, in snapshot: SessionSnapshot,
        scratch: SnapshotScratch
    ) throws(VectorError) -> Nearest {
        guard request.ranking.isPlain, let query else {
            return try pool(request, query, in: snapshot, scratch: scratch)
        }
        var open = request
        open.minScore = nil
        return try nearest(open, query, in: snapshot, scratch: scratch)
    }
}

/// Where one row stands by each score, among all that pass the filter.
private struct Standing {
    let request: SearchRequest
    let place: RowPlace
    let scores: HitScores
    let count: Int
    let denseRank: Int?
    let lexicalRank: Int?

    init(
        of place: RowPlace, _ request: SearchRequest, _ query: UnitVector?,
        in snapshot: SessionSnapshot
    ) {
        self.request = request
        self.place = place
        let places = snapshot.places(passing: request.filter)
        count = places.count
        var scores = HitScores()
        if let query, request.ranking.mode != .lexical {
            let own = snapshot.similarities(of: [place], to: query)[0]
            scores.dense = own
            let id = snapshot.id(place)
            denseRank =
                1
                + zip(places, snapshot.similarities(of: places, to: query)).count { other, score in
                    score > own || (score == own && snapshot.id(other).isBefore(id))
                }
        } else {
            denseRank = nil
        }
        if request.ranking.mode != .dense {
            let words = SnapshotWords(request, in: snapshot)
            scores.lexical = words[place]
            lexicalRank = words.best(max(1, places.count)).firstIndex(of: place).map { $0 + 1 }
        } else {
            lexicalRank = nil
        }
        self.scores = scores
    }

    /// By the score that decides.
    func rank(in pool: [SnapshotSearch.ScoredRow]) -> Int? {
        switch request.ranking.mode {
        case .dense: denseRank
        case .lexical: lexicalRank
        case .hybrid: pool.firstIndex { $0.place == place }.map { $0 + 1 }
        }
    }

    /// Why a row that passes the filter was not chosen.
    func cause(_ rank: Int?, _ score: Float) -> Explanation.Cause {
        guard let rank else {
            guard let denseRank else { return .noWord }
            return .pool(
                denseRank: denseRank, lexicalRank: lexicalRank,
                depth: RankingRequest.depth(for: request.k))
        }
        if rank > request.k { return .rank }
        if let minScore = request.minScore, score < minScore { return .threshold }
        return .diversity
    }
}

extension SessionSnapshot {
    /// Where a chunk is, of whichever type.
    func place(of chunk: UUID) -> RowPlace? {
        for type in ChunkType.allCases {
            if let place = place(of: chunk, type) { return place }
        }
        return nil
    }

    /// Every live row that passes the filter.
    func places(passing filter: SearchFilter) -> [RowPlace] {
        var places: [RowPlace] = []
        for (index, segment) in segments.enumerated() {
            for type in ChunkType.allCases where filter.types.contains(type) {
                let table = segment.table(type)
                let rows =
                    table.rows(passing: filter, segment.places)
                    ?? RowSet(universe: table.count, all: true)
                rows.forEach { places.append(RowPlace(segment: index, type: type, row: $0)) }
            }
        }
        return places
    }

    /// What of the filter keeps a row out; nil when it passes. Each field is asked alone, in the way
    /// the search asks all of them.
    func refusal(of place: RowPlace, by filter: SearchFilter) -> Explanation.Cause? {
        let segment = segments[place.segment]
        func passes(_ part: SearchFilter) -> Bool {
            table(place).rows(passing: part, segment.places)?.contains(place.row) ?? true
        }
        let failing = Explanation.FilterField.allCases.filter { field in
            var part = SearchFilter(types: filter.types)
            switch field {
            case .documents: part.documents = filter.documents
            case .topics: part.topics = filter.topics
            case .pages: part.pages = filter.pages
            case .types: return !filter.types.contains(place.type)
            case .createdFrom: part.createdFrom = filter.createdFrom
            case .createdBefore: part.createdBefore = filter.createdBefore
            }
            return !part.isUnrestricted && !passes(part)
        }
        if !passes(SearchFilter(types: filter.types)) { return .notEmbedded }
        return failing.isEmpty ? nil : .filtered(failing)
    }
}
