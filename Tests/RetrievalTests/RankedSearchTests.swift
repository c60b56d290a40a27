// Searches by words, by both scores and spread, against slow versions of the same.

import Foundation
import Lexical
import Library
import Postgres
import Retrieval
import Testing
import Vectors

@Suite("Searches by words and by both scores")
struct RankedSearchTests {
    /// A session of several documents, one of them deleted, in memory since before the last was written: a base
    /// with dead rows and an appended segment.
    private func withSession(
        _ seed: UInt64,
        _ body: (Searcher, PlantedSession, [Planted]) async throws -> Void
    ) async throws {
        var generator = Seeded(seed)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let cache = SnapshotCache(pool, limits: .init(bytes: 1 << 30))
            let searcher = Searcher(
                pool: pool, embedders: searcher(pool).embedders, snapshots: cache)
            var rows: [Planted] = []
            for step in 0..<3 {
                let vectors = (0..<60).map { _ in generator.unitVector() }
                rows += try await plant(
                    vectors, in: session.id, using: &generator, on: pool)
                if step == 1 { _ = try await cache.build(session.id) }
            }
            let gone = rows[0].document
            _ = try await pool.withTransaction(as: .service) { db in
                try await DocumentRepository.delete(sessionID: session.id, id: gone, on: db)
            }
            rows.removeAll { $0.document == gone }
            try await body(searcher, session, rows)
        }
    }

    private func request(
        _ session: PlantedSession, _ query: SearchQuery, _ mode: SearchMode, k: Int = 10
    ) -> SearchRequest {
        var request = SearchRequest(as: .service, session: session.id, query: query, k: k)
        request.ranking.mode = mode
        return request
    }

    /// BM25 of every child by chunk id, over one index of all that live.
    private func lexical(_ words: String, _ rows: [Planted]) -> [UUID: Float] {
        let children = rows.filter { $0.type == .child }
        let scores = LexicalScores(
            LexicalQuery(words),
            over: [LexicalPart(LexicalIndex(children.map(\.text)))])
        return Dictionary(
            uniqueKeysWithValues: children.indices.map {
                (children[$0].id, Float(scores[LexicalRow(part: 0, row: $0)]))
            })
    }

    @Test(
        "Words rank what lives, across base, dead rows and appended rows, as one index over all would"
    )
    func lexicalMode() async throws {
        try await withSession(1) { searcher, session, rows in
            for words in ["7", "child 7 12 33", "parent", "nothing here"] {
                let expected = lexical(words, rows).filter { $0.value > 0 }
                    .sorted { a, b in
                        a.value == b.value
                            ? a.key.uuidString < b.key.uuidString : a.value > b.value
                    }.prefix(10)
                let answer = try await searcher.search(
                    request(session, .text(words), .lexical))
                #expect(answer.hits.map(\.chunk) == expected.map(\.key), "\(words)")
                for (hit, (_, score)) in zip(answer.hits, expected) {
                    #expect(abs(hit.score - score) < 1e-5)
                    #expect(hit.scores == HitScores(lexical: hit.score))
                }
                #expect(answer.meta.certificate == .proven)
            }
        }
    }

    @Test(
        "Every hybrid hit has both exact scores, and they are fused as the slow pool would",
        arguments: Fusion.allCases)
    func hybridMode(fusion: Fusion) async throws {
        try await withSession(2) { searcher, session, rows in
            var generator = Seeded(9)
            for words in ["7", "child 7 12 33", "nothing here"] {
                let vector = generator.unitVector()
                let depth = RankingRequest.depth(for: 10)
                let dense = bruteForce(vector, rows, k: rows.count)
                let spoken = lexical(words, rows)
                // Fewer rows than the depth: the pool is everything.
                #expect(dense.count <= depth)
                let pairs = dense.map {
                    ScorePair(dense: Float($0.score), lexical: spoken[$0.id]!)
                }
                let fused = fusion.scores(pairs, depth: depth)
                var wanted = request(session, .vectorAndText(vector, words), .hybrid)
                wanted.ranking.fusion = fusion
                let answer = try await searcher.search(wanted)
                #expect(answer.hits.count == 10)
                for (rank, hit) in answer.hits.enumerated() {
                    let index = try #require(dense.firstIndex { $0.id == hit.chunk })
                    #expect(abs(try #require(hit.scores.dense) - pairs[index].dense) < 1e-6)
                    #expect(abs(try #require(hit.scores.lexical) - pairs[index].lexical) < 1e-4)
                    #expect(abs(hit.score - fused[index]) < 1e-4)
                    #expect(hit.scores.fused == hit.score)
                    let better = fused.count { $0 > fused[index] + 1e-4 }
                    #expect(better <= rank, "\(fusion), \(words), rank \(rank)")
                }
            }
        }
    }

    @Test("What the words take is counted in the cache, once")
    func bytes() async throws {
        try await withSession(3) { searcher, session, _ in
            let cache = try #require(searcher.snapshots)
            _ = try await searcher.search(request(session, .text("7"), .dense))
            let before = cache.statistics.bytes
            _ = try await searcher.search(request(session, .text("7"), .lexical))
            let after = cache.statistics.bytes
            #expect(after > before)
            _ = try await searcher.search(request(session, .text("12"), .hybrid))
            #expect(cache.statistics.bytes == after)
            #expect(cache.resident(session.id)?.byteCount == after)
        }
    }

    @Test("A vector alone cannot be searched by words, and a text without words finds nothing")
    func refusals() async throws {
        try await withSession(4) { searcher, session, rows in
            let vector = rows[0].vector
            await #expect(throws: RetrievalError.self) {
                _ = try await searcher.search(request(session, .vector(vector), .hybrid))
            }
            let answer = try await searcher.search(request(session, .text("the of and"), .lexical))
            #expect(answer.hits.isEmpty)
        }
    }

    @Test("With diversity the hits are those that the formula picks from the exact pool")
    func diversity() async throws {
        try await withSession(5) { searcher, session, rows in
            let vector = rows.first { $0.type == .child }!.vector
            var spread = request(session, .vector(vector), .dense)
            spread.ranking.diversity = 0.4
            let pool = bruteForce(vector, rows, k: 200)
            let vectors = Dictionary(uniqueKeysWithValues: rows.map { ($0.id, $0.vector.values) })
            let expected = Diversity.select(
                10, relevance: pool.map { Float($0.score) }, diversity: 0.4
            ) { hit in
                pool.map { other in
                    zip(vectors[pool[hit].id]!, vectors[other.id]!).reduce(0) { $0 + $1.0 * $1.1 }
                }
            }.map { pool[$0].id }
            let answer = try await searcher.search(spread)
            #expect(answer.hits.map(\.chunk) == expected)
        }
    }
}
