// A search of a session in memory: synchronous, without a lock, a database or a task.

import Foundation
import Library
package import Vectors

package enum SnapshotSearch {
    /// The nearest chunks of a snapshot, exactly scored, with what they stand in.
    ///
    /// Filters hold before the scan, ties are told by chunk id, and the certificate says what was
    /// done. Neither session, model nor deadline of the request are looked at: the caller chose the
    /// snapshot.
    ///
    /// `scratch` is used by no one else meanwhile.
    ///
    /// - Complexity: see `Cascade`; hits cost a copy of their texts.
    /// - Throws: `VectorError.allocation`.
    package static func search(
        _ request: SearchRequest, _ query: UnitVector, in snapshot: SessionSnapshot,
        scratch: SnapshotScratch
    ) throws(VectorError) -> SearchAnswer {
        let nearest = try nearest(request, query, in: snapshot, scratch: scratch)
        return answer(of: nearest, for: request, in: snapshot)
    }

    /// The second half of `search`: texts and places of the rows, folded and packed as asked.
    package static func answer(
        of nearest: Nearest, for request: SearchRequest, in snapshot: SessionSnapshot
    ) -> SearchAnswer {
        SearchAnswer(
            hits: snapshot.hits(of: nearest.rows, for: request), meta: snapshot.meta(of: nearest))
    }

    /// The rows of an answer, before anything is said about them.
    package struct Nearest: Sendable {
        /// Best first, ties by chunk id.
        package var rows: [ScoredRow]
        package var certificate: Certificate
        /// Rows that passed the filter: the scan looked at each.
        package var examined: Int
    }

    /// A row, what it is ranked by, and all its scores.
    package struct ScoredRow: Sendable, Equatable {
        package let place: RowPlace
        package let score: Float
        package let scores: HitScores

        /// Ranked by the fused score where there is one, else by the one there is.
        init(place: RowPlace, scores: HitScores) {
            self.place = place
            self.scores = scores
            score = scores.fused ?? scores.dense ?? scores.lexical ?? 0
        }
    }

    /// The `k` nearest rows that pass the filter and reach the threshold.
    ///
    /// One table after another, each with the k-th distance so far as its limit, so that a later
    /// one is searched only for what could still enter. Every answer lies in one table and is lost
    /// there or not at all: the chances do not add up over tables.
    package static func nearest(
        _ request: SearchRequest, _ query: UnitVector, in snapshot: SessionSnapshot,
        scratch: SnapshotScratch
    ) throws(VectorError) -> Nearest {
        scratch.query.restart(query)
        var found = Nearest(rows: [], certificate: .proven, examined: 0)
        // One rounding away from the threshold; which side of it a score is on is told exactly below.
        let limit = request.minScore.map { (1 - $0).nextUp + 1e-6 } ?? .infinity
        for (index, segment) in snapshot.segments.enumerated() {
            for type in ChunkType.allCases where request.filter.types.contains(type) {
                let table = segment.table(type)
                let rows = table.rows(passing: request.filter, segment.places)
                let matching = rows?.count ?? table.count
                guard matching > 0 else { continue }
                let worst =
                    found.rows.count < request.k
                    ? limit : min(limit, (1 - found.rows[found.rows.count - 1].score).nextUp)
                let ids = table.columns.ids
                let answer = try Cascade.nearest(
                    request.k, to: scratch.query, in: table.block, exactness: request.exactness,
                    filter: rows, limit: worst, scratch: scratch.search
                ) { ids[$0].isBefore(ids[$1]) }
                found.examined += matching
                found.certificate = found.certificate.and(Certificate(answer.certificate))
                let scored = answer.ranked.map { row in
                    ScoredRow(
                        place: RowPlace(segment: index, type: type, row: row.index),
                        scores: HitScores(dense: 1 - row.distance))
                }
                found.rows =
                    found.rows.isEmpty
                    ? scored : snapshot.merge(found.rows, scored, k: request.k)
            }
        }
        if let minScore = request.minScore { found.rows.removeAll { $0.score < minScore } }
        return found
    }
}

extension SessionSnapshot {
    /// The best k of two rankings.
    fileprivate func merge(
        _ a: [SnapshotSearch.ScoredRow], _ b: [SnapshotSearch.ScoredRow], k: Int
    ) -> [SnapshotSearch.ScoredRow] {
        var merged: [SnapshotSearch.ScoredRow] = []
        merged.reserveCapacity(min(k, a.count + b.count))
        var (left, right) = (0, 0)
        while merged.count < k, left < a.count || right < b.count {
            if right == b.count || (left < a.count && isBefore(a[left], b[right])) {
                merged.append(a[left])
                left += 1
            } else {
                merged.append(b[right])
                right += 1
            }
        }
        return merged
    }

    func isBefore(
        _ a: SnapshotSearch.ScoredRow, _ b: SnapshotSearch.ScoredRow
    ) -> Bool {
        a.score == b.score ? id(a.place).isBefore(id(b.place)) : a.score > b.score
    }

    func id(_ place: RowPlace) -> UUID { table(place).columns.ids[place.row] }

    fileprivate func meta(of nearest: SnapshotSearch.Nearest) -> SearchMeta {
        SearchMeta(
            plan: .scan, certificate: nearest.certificate, examined: nearest.examined,
            sessionChunks: version.chunkCount, revision: revision, model: model,
            took: StageTimes())
    }
}

extension Certificate {
    init(_ certificate: Vectors.Certificate) {
        self =
            switch certificate {
            case .proven: .proven
            case .probable(let missProbability): .probable(missProbability: missProbability)
            }
    }

    /// What may be said of two parts together: the weaker of the two.
    fileprivate func and(_ other: Certificate) -> Certificate {
        switch (self, other) {
        case (.approximate, _): self
        case (_, .approximate): other
        case (.probable(let a), .probable(let b)): .probable(missProbability: max(a, b))
        case (.probable, .proven): self
        case (.proven, _): other
        }
    }
}
