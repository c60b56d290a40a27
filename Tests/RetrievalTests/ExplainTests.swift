// Each stated cause must be real: taken away, and the next, and the next, the chunk appears.

import Foundation
import Library
import Postgres
import Retrieval
import Testing
import Vectors

@Suite("Explaining an answer")
struct ExplainTests {
    /// The request without what is said to keep the chunk out; nil when there is nothing to change.
    private func without(
        _ explanation: Explanation, _ request: SearchRequest
    ) -> SearchRequest? {
        var request = request
        switch explanation.cause {
        case nil, .notEmbedded: return nil
        case .filtered(let fields):
            for field in fields {
                switch field {
                case .documents: request.filter.documents = nil
                case .topics: request.filter.topics = nil
                case .pages: request.filter.pages = nil
                case .types: request.filter.types = Set(ChunkType.allCases)
                case .createdFrom: request.filter.createdFrom = nil
                case .createdBefore: request.filter.createdBefore = nil
                }
            }
        case .noWord: request.ranking.mode = .hybrid
        case .pool(let denseRank, let lexicalRank, _):
            request.k = min(denseRank, lexicalRank ?? denseRank)
        case .rank: request.k = explanation.rank ?? request.k
        case .threshold:
            request.minScore =
                explanation.scores.fused ?? explanation.scores.dense ?? explanation.scores.lexical
        case .diversity: request.ranking.diversity = 0
        case .tokenBudget: request.tokenBudget = nil
        }
        return request
    }

    private func random(
        _ session: UUID, _ rows: [Planted], _ topics: [UUID], _ generator: inout Seeded
    ) -> SearchRequest {
        func chance(_ part: Int) -> Bool { Int.random(in: 0..<part, using: &generator) == 0 }
        var filter = SearchFilter()
        if chance(3) { filter.documents = [rows.randomElement(using: &generator)!.document] }
        if chance(3) { filter.topics = [topics.randomElement(using: &generator)!] }
        if chance(3) { filter.pages = chance(2) ? 2...3 : 1...1 }
        if chance(3) { filter.types = chance(2) ? [.parent] : [.child, .parent] }
        if chance(4) { filter.createdFrom = Date(timeIntervalSinceNow: chance(2) ? -600 : 600) }
        if chance(4) { filter.createdBefore = Date(timeIntervalSinceNow: chance(2) ? -600 : 600) }
        let words = ["7", "child 7 12 33", "parent 3", "nothing"].randomElement(using: &generator)!
        let mode = SearchMode.allCases.randomElement(using: &generator)!
        let vector = rows.randomElement(using: &generator)!.vector
        let query: SearchQuery =
            switch mode {
            case .dense: .vector(vector)
            case .lexical: .text(words)
            case .hybrid: .vectorAndText(vector, words)
            }
        var request = SearchRequest(
            as: .service, session: session, query: query,
            k: [1, 3, 10].randomElement(using: &generator)!,
            filter: filter,
            minScore: chance(3) ? Float.random(in: 0...0.6, using: &generator) : nil,
            expansion: chance(2) ? .parent : .none,
            tokenBudget: chance(3) ? Int.random(in: 5...60, using: &generator) : nil)
        request.ranking.mode = mode
        request.ranking.fusion = chance(2) ? .minMax : .reciprocalRank
        if chance(3) { request.ranking.diversity = Float.random(in: 0.1...1, using: &generator) }
        return request
    }

    @Test("Cause after cause taken away, any chunk appears; and what is said to be returned is")
    func everyCauseIsReal() async throws {
        let seed: UInt64 = 12
        var generator = Seeded(seed)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let topics = (0..<2).map { _ in generator.uuid() }
            var rows: [Planted] = []
            for topic in topics {
                let vectors = (0..<130).map { _ in generator.unitVector() }
                rows += try await plant(
                    vectors, topics: [topic], in: session.id, using: &generator, on: pool)
            }
            let cache = SnapshotCache(pool, limits: .init(bytes: 1 << 30))
            let searcher = Searcher(
                pool: pool, embedders: searcher(pool).embedders, snapshots: cache)
            _ = try await cache.build(session.id)
            var seen: Set<String> = []
            for step in 0..<400 {
                var request = random(session.id, rows, topics, &generator)
                let chunk = rows.randomElement(using: &generator)!
                var path: [String] = []
                while true {
                    let said = try #require(try await searcher.explain(chunk.id, request))
                    let hits = try await searcher.search(request).hits
                    let place = hits.first { hit in
                        hit.chunk == chunk.id
                            || hit.parent?.children.contains { $0.chunk == chunk.id } ?? false
                    }?.rank
                    let comment: Comment =
                        "seed \(seed), step \(step), \(path), \(said), \(request)"
                    #expect(said.hit == place, comment)
                    #expect((said.cause == nil) == (place != nil), comment)
                    guard let cause = said.cause, place == nil, path.count < 40 else { break }
                    path.append("\(cause)")
                    seen.insert(String("\(cause)".prefix { $0 != "(" }))
                    // A lexical query has no vector to go on with: the words become one.
                    if case .noWord = cause, case .text(let words) = request.query {
                        request.query = .vectorAndText(rows[0].vector, words)
                    }
                    request = try #require(without(said, request), comment)
                }
                #expect(path.count < 40, "seed \(seed), step \(step): \(path)")
            }
            #expect(
                seen == [
                    "filtered", "noWord", "pool", "rank", "threshold", "diversity", "tokenBudget",
                ])
        }
    }

    @Test("A chunk without a vector is said to have none, one of another session is not known")
    func strangers() async throws {
        var generator = Seeded(3)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let other = try await plantSession(on: pool, handle: "grace")
            let rows = try await plant(
                (0..<10).map { _ in generator.unitVector() }, in: session.id, using: &generator,
                on: pool)
            let foreign = try await plant(
                [generator.unitVector()], in: other.id, using: &generator, on: pool)
            try await pool.withTransaction(as: .service) { db in
                _ = try await db.execute(
                    Statement(
                        "unembed",
                        """
                        UPDATE carrel.document_chunks SET embedding = NULL
                        WHERE session_id = $1 AND id = $2
                        """), session.id, rows[2].id)
            }
            let searcher = Searcher(
                pool: pool, embedders: searcher(pool).embedders,
                snapshots: SnapshotCache(pool, limits: .init(bytes: 1 << 30)))
            let request = SearchRequest(
                as: .service, session: session.id, query: .vector(rows[2].vector))
            #expect(try await searcher.explain(rows[2].id, request)?.cause == .notEmbedded)
            #expect(try await searcher.explain(foreign[0].id, request) == nil)
        }
    }
}
