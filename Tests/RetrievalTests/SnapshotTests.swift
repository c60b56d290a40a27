// Snapshots against SQL: whatever was written, caught up and joined, both answer the same.

import Embedding
import Foundation
import Library
import Postgres
import Retrieval
import Testing
import Vectors

@Suite("A session's snapshot")
struct SnapshotTests {
    /// A request whose every part is drawn: filters that keep none, some and all rows.
    private func request(
        _ session: UUID, _ rows: [Planted], topics: [UUID], _ generator: inout Seeded
    ) -> SearchRequest {
        let vector =
            rows.isEmpty || Bool.random(using: &generator)
            ? generator.unitVector() : rows.randomElement(using: &generator)!.vector
        var filter = SearchFilter()
        func chance(_ part: Int) -> Bool { Int.random(in: 0..<part, using: &generator) == 0 }
        if chance(4) {
            filter.documents =
                rows.isEmpty
                ? []
                : (0..<2).map { _ in
                    rows.randomElement(using: &generator)!.document
                }
        }
        if chance(4) { filter.topics = [topics.randomElement(using: &generator)!] }
        if chance(4) { filter.pages = chance(2) ? 2...3 : 1...1 }
        if chance(3) { filter.types = chance(2) ? [.parent] : [.child, .parent] }
        if chance(5) { filter.createdFrom = Date(timeIntervalSinceNow: chance(2) ? -60 : 60) }
        if chance(5) { filter.createdBefore = Date(timeIntervalSinceNow: chance(2) ? -60 : 60) }
        return SearchRequest(
            as: .service, session: session, query: .vector(vector),
            k: [1, 3, 10, 200].randomElement(using: &generator)!, filter: filter,
            minScore: chance(4) ? 0.02 : nil, expansion: chance(2) ? .parent : .none,
            tokenBudget: chance(3) ? Int.random(in: 1...300, using: &generator) : nil,
            exactness: chance(2) ? .proven : .probable)
    }

    private func search(_ request: SearchRequest, _ snapshot: SessionSnapshot) throws
        -> SearchAnswer
    {
        guard case .vector(let vector) = request.query else { throw RetrievalError.sessionNotFound }
        return try SnapshotSearch.search(
            request, vector, in: snapshot, scratch: try SnapshotScratch())
    }

    @Test("After random writes and catch-ups it answers as a fresh one does, and as SQL does")
    func equalsSQL() async throws {
        let seed: UInt64 = 20_261_121
        var generator = Seeded(seed)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let cache = SnapshotCache(pool, limits: .init(bytes: 1 << 30))
            let topics = (0..<3).map { _ in generator.uuid() }
            var rows: [Planted] = []
            for step in 0..<25 {
                if !rows.isEmpty, Int.random(in: 0..<3, using: &generator) == 0 {
                    let gone = rows.randomElement(using: &generator)!.document
                    _ = try await pool.withTransaction(as: .service) { db in
                        try await DocumentRepository.delete(
                            sessionID: session.id, id: gone, on: db)
                    }
                    rows.removeAll { $0.document == gone }
                } else {
                    // Copies of rows there are make ties across segments.
                    let count = Int.random(in: 1...60, using: &generator)
                    let vectors = (0..<count).map { _ in
                        rows.isEmpty || Bool.random(using: &generator)
                            ? generator.unitVector()
                            : rows.randomElement(using: &generator)!.vector
                    }
                    rows += try await plant(
                        vectors, topics: [topics.randomElement(using: &generator)!],
                        in: session.id, using: &generator, on: pool)
                }
                let version = try await pool.withConnection(as: .service) { db in
                    try await SessionRepository.revision(ids: [session.id], on: db)[session.id]
                }
                let revision = try #require(version).revision
                _ = try await cache.build(session.id)
                let caughtUp = try #require(
                    try await cache.current(session.id, atLeast: revision))
                #expect(caughtUp.revision == revision)
                let fresh = try #require(
                    try await SnapshotCache(pool, limits: .init(bytes: 1 << 30))
                        .build(session.id))
                #expect(fresh.segments.count == 1)
                for _ in 0..<6 {
                    let request = request(session.id, rows, topics: topics, &generator)
                    let comment: Comment = "seed \(seed), step \(step), \(request)"
                    let expected = try await searcher(pool, planner: planner(.exact))
                        .search(request)
                    for snapshot in [fresh, caughtUp] {
                        let answer = try search(request, snapshot)
                        #expect(answer.hits == expected.hits, comment)
                        #expect(answer.meta.examined == expected.meta.examined, comment)
                        #expect(answer.meta.revision == expected.meta.revision, comment)
                        #expect(answer.meta.sessionChunks == expected.meta.sessionChunks, comment)
                        #expect(answer.meta.plan == .scan)
                    }
                }
            }
            #expect(cache.statistics.builds == 1)
            #expect(cache.statistics.catchUps > 10)
        }
    }

    @Test("A chunk that was written anew is found as it is now, and once")
    func replacement() async throws {
        var generator = Seeded(3)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let cache = SnapshotCache(pool, limits: .init(bytes: 1 << 30))
            let rows = try await plant(
                (0..<40).map { _ in generator.unitVector() }, in: session.id, using: &generator,
                on: pool)
            _ = try await cache.build(session.id)
            let changed = rows[3]
            let revision = try await pool.withTransaction(as: .service) { db in
                let next = try await SessionRepository.nextRevision(id: session.id, on: db)
                try await db.execute(
                    Statement(
                        "rewrite",
                        """
                        UPDATE carrel.document_chunks
                        SET chunk_text = 'rewritten', revision = $3
                        WHERE session_id = $1 AND id = $2
                        """), session.id, changed.id, next)
                return try await SessionRepository.bumpRevision(id: session.id, on: db)
            }
            let snapshot = try #require(
                try await cache.current(session.id, atLeast: revision))
            #expect(snapshot.segments.count == 2)
            let answer = try search(
                SearchRequest(
                    as: .service, session: session.id, query: .vector(changed.vector), k: 100,
                    expansion: .parent), snapshot)
            let children = answer.hits.flatMap { $0.parent?.children ?? [] }
            #expect(children.count == 40)
            #expect(Set(children.map(\.chunk)).count == 40)
            #expect(answer.hits[0].chunk == changed.id)
            #expect(answer.hits[0].text == "rewritten")
            // Its parent was not written again, and is found in the older segment.
            #expect(answer.hits[0].parent?.chunk == changed.parent)
        }
    }

    @Test("A document stored again under its old ids is there again, not twice")
    func storedAgain() async throws {
        try await withMigratedDatabase { pool in
            var generator = Seeded(5)
            let session = try await plantSession(on: pool)
            let cache = SnapshotCache(pool, limits: .init(bytes: 1 << 30))
            var kept = Seeded(6)
            _ = try await plant(
                (0..<10).map { _ in kept.unitVector() }, in: session.id, using: &kept, on: pool)
            // One seed, so one set of ids.
            let first = try await plant(
                [generator.unitVector()], in: session.id, using: &generator, on: pool)
            _ = try await cache.build(session.id)
            _ = try await pool.withTransaction(as: .service) { db in
                try await DocumentRepository.delete(
                    sessionID: session.id, id: first[0].document, on: db)
            }
            generator = Seeded(5)
            let second = try await plant(
                [generator.unitVector()], in: session.id, using: &generator, on: pool)
            #expect(first.map(\.id) == second.map(\.id))
            let snapshot = try #require(try await cache.current(session.id, atLeast: 4))
            let answer = try search(
                SearchRequest(
                    as: .service, session: session.id, query: .vector(second[0].vector), k: 100),
                snapshot)
            #expect(answer.hits.count == 11)
            #expect(answer.hits[0].chunk == second[1].id)
        }
    }

    @Test("A snapshot older than what is remembered of removals is read anew")
    func pruned() async throws {
        try await withMigratedDatabase { pool in
            var generator = Seeded(8)
            let session = try await plantSession(on: pool)
            let cache = SnapshotCache(pool, limits: .init(bytes: 1 << 30))
            var documents: [UUID] = []
            for _ in 0..<3 {
                documents += try await plant(
                    [generator.unitVector()], in: session.id, using: &generator, on: pool
                ).prefix(1).map(\.document)
            }
            _ = try await cache.build(session.id)
            for document in documents[..<2] {
                _ = try await pool.withTransaction(as: .service) { db in
                    _ = try await DocumentRepository.delete(
                        sessionID: session.id, id: document, on: db)
                    try await db.execute(
                        Statement(
                            "age",
                            """
                            UPDATE carrel.removed_documents
                            SET removed_at = now() - interval '8 days'
                            WHERE session_id = $1
                            """), session.id)
                }
            }
            // The first removal is forgotten, and the snapshot is from before it.
            let snapshot = try #require(try await cache.current(session.id, atLeast: 5))
            #expect(snapshot.segments.count == 1)
            let answer = try search(
                SearchRequest(
                    as: .service, session: session.id, query: .vector(generator.unitVector()), k: 10
                ),
                snapshot)
            #expect(Set(answer.hits.map(\.documentID)) == [documents[2]])
        }
    }

    @Test("Without its text a chunk takes at most 4.2 KB, codes included")
    func memory() async throws {
        try await withMigratedDatabase { pool in
            var generator = Seeded(7)
            let session = try await plantSession(on: pool)
            let vectors = (0..<2_100).map { _ in generator.unitVector() }
            _ = try await plant(
                vectors, pages: 20, in: session.id, using: &generator, on: pool)
            let cache = SnapshotCache(pool, limits: .init(bytes: 1 << 30))
            _ = try await cache.build(session.id)
            // Codes come after the first answer.
            while cache.statistics.encodings == 0 { try await Task.sleep(for: .milliseconds(5)) }
            let snapshot = try #require(cache.resident(session.id))
            #expect(snapshot.segments[0].children.block.hasCodes)
            let texts = snapshot.segments.flatMap { [$0.children, $0.parents] }.reduce(0) {
                sum, table in
                (0..<table.count).reduce(sum) { $0 + table.columns.textByteCount($1) }
            }
            #expect(snapshot.version.chunkCount == 2_520)
            #expect((snapshot.byteCount - texts) / snapshot.version.chunkCount <= 4_200)
            #expect(cache.statistics.bytes == snapshot.byteCount)

            let request = SearchRequest(
                as: .service, session: session.id, query: .vector(vectors[9]), k: 10)
            let probable = try search(request, snapshot)
            var proving = request
            proving.exactness = .proven
            let proven = try search(proving, snapshot)
            #expect(probable.hits == proven.hits)
            #expect(proven.meta.certificate == .proven)
            var both = proving
            both.filter.types = [.child, .parent]
            #expect(try search(both, snapshot).meta.certificate == .proven)
        }
    }
}
