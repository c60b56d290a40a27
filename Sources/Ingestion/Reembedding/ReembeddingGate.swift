// Would the session answer as well as before? Sampled queries are asked of both sets of vectors, every
// row compared, before anything is switched.

import Embedding
import Foundation
import Library
import Postgres
import Vectors

struct ReembeddingGate {
    let pool: Pool
    let run: Reembedding
    let terms: ReembeddingTerms
    /// What embeds queries now; nil when this process has not got it.
    let before: (any Embedder)?
    let after: (any Embedder)?

    /// Hits that are compared.
    private static let depth = 10

    func verdict() async throws -> ReembeddingVerdict {
        var verdict = ReembeddingVerdict()
        let drawn = try await pool.withConnection(as: .service) { db in
            try await ReembeddingRepository.sampleQueries(
                sessionID: run.sessionID, count: terms.queries, on: db)
        }
        let queries = drawn + terms.judgements.map(\.query)
        guard !queries.isEmpty else { return verdict }
        guard let before, let after else {
            let missing = before == nil ? run.fromModel : run.toModel
            verdict.objection =
                "it cannot be measured, because the model \(missing) does not run here"
            return verdict
        }
        let rankings = try await rankings(of: queries, before, after)
        verdict.queries = queries.count
        let overlap = rankings.reduce(0) { $0 + Self.overlap($1.before, $1.after) }
        verdict.overlap = overlap / Double(queries.count)
        let judged = zip(rankings.suffix(terms.judgements.count), terms.judgements)
        if !terms.judgements.isEmpty {
            let count = Double(terms.judgements.count)
            verdict.before = judged.reduce(0) { $0 + nDCG($1.0.before, $1.1.relevant) } / count
            verdict.after = judged.reduce(0) { $0 + nDCG($1.0.after, $1.1.relevant) } / count
        }
        verdict.objection = objection(to: verdict)
        return verdict
    }

    private func objection(to verdict: ReembeddingVerdict) -> String? {
        if let overlap = verdict.overlap, overlap < terms.minimumOverlap {
            return String(
                format: "overlap@10 of the two models is %.3f, below %.3f", overlap,
                terms.minimumOverlap)
        }
        if let before = verdict.before, let after = verdict.after,
            after < before - terms.largestLoss
        {
            return String(
                format: "nDCG@10 falls from %.3f to %.3f, by more than %.3f", before, after,
                terms.largestLoss)
        }
        return nil
    }

    private func rankings(
        of queries: [String], _ before: any Embedder, _ after: any Embedder
    ) async throws -> [(before: [UUID], after: [UUID])] {
        let old = try await before.embed(queries, as: .query)
        let new = try await after.embed(queries, as: .query)
        var rankings: [(before: [UUID], after: [UUID])] = []
        for place in queries.indices {
            // Each query a connection of its own turn: others may ask in between.
            rankings.append(
                try await pool.withConnection(as: .service) { db in
                    (
                        try await ChunkRepository.candidatesExact(
                            sessionID: run.sessionID, vector: old.row(place), limit: Self.depth,
                            on: db
                        ).ids,
                        try await ReembeddingRepository.nearestStaged(
                            to: new.row(place), limit: Self.depth, sessionID: run.sessionID,
                            stageID: run.stageID, on: db)
                    )
                })
        }
        return rankings
    }

    /// The part of the first ten that both have; of a smaller session, of as many as there are.
    static func overlap(_ a: [UUID], _ b: [UUID]) -> Double {
        let most = max(a.count, b.count)
        return most == 0 ? 1 : Double(Set(a).intersection(b).count) / Double(most)
    }

    /// As `trec_eval` has it: the gain is the relevance, discounted by log2(rank + 1).
    private func nDCG(_ ranking: [UUID], _ relevance: [UUID: Int]) -> Double {
        func discounted(_ gains: [Int]) -> Double {
            gains.prefix(Self.depth).enumerated().reduce(0) {
                $0 + Double(max($1.element, 0)) / log2(Double($1.offset + 2))
            }
        }
        let ideal = discounted(relevance.values.sorted(by: >))
        return ideal > 0 ? discounted(ranking.map { relevance[$0] ?? 0 }) / ideal : 0
    }
}
