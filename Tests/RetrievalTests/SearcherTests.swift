import Embedding
import Foundation
import Library
import Postgres
import Retrieval
import Testing
import Vectors

@Suite("The searcher, against brute force in double precision")
struct SearcherTests {
    /// Random vectors, every seventh of them a copy of an earlier one.
    private func vectors(_ count: Int, _ generator: inout Seeded) -> [UnitVector] {
        var vectors: [UnitVector] = []
        for index in 0..<count {
            vectors.append(
                index % 7 == 6
                    ? vectors[Int.random(in: 0..<index, using: &generator)]
                    : generator.unitVector())
        }
        return vectors
    }

    private func expect(
        _ answer: SearchAnswer, is expected: [(id: UUID, score: Double)], _ comment: Comment
    ) {
        #expect(answer.hits.map(\.chunk) == expected.map(\.id), comment)
        #expect(answer.hits.map(\.rank) == Array(1..<expected.count + 1), comment)
        for (hit, row) in zip(answer.hits, expected) {
            #expect(abs(Double(hit.score) - row.score) < 1e-6, comment)
        }
    }

    @Test("Answers equal brute force: copies, ties, filters that keep none, one and all rows")
    func differential() async throws {
        let seed: UInt64 = 20_261_121
        var generator = Seeded(seed)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let other = try await plantSession(on: pool, handle: "eve")
            let topic = generator.uuid()
            var rows: [Planted] = []
            for document in 0..<3 {
                rows += try await plant(
                    vectors(100, &generator), topics: document == 1 ? [topic] : [],
                    in: session.id, using: &generator, on: pool)
            }
            // The other session holds the very same vectors: nearer rows than any, out of bounds.
            let queries =
                [rows[1].vector, rows[40].vector] + (0..<6).map { _ in generator.unitVector() }
            _ = try await plant(queries, in: other.id, using: &generator, on: pool)

            let one = rows[0].document
            let filters: [(String, SearchFilter, (Planted) -> Bool)] = [
                ("all", SearchFilter(), { _ in true }),
                ("document", SearchFilter(documents: [one]), { $0.document == one }),
                ("no document", SearchFilter(documents: []), { _ in false }),
                ("unknown document", SearchFilter(documents: [UUID()]), { _ in false }),
                ("topic", SearchFilter(topics: [topic]), { $0.topics == [topic] }),
                ("page", SearchFilter(pages: 2...2), { $0.page == 2 }),
                (
                    "past", SearchFilter(createdBefore: Date(timeIntervalSince1970: 0)),
                    { _ in false }
                ),
                ("since", SearchFilter(createdFrom: Date(timeIntervalSince1970: 0)), { _ in true }),
                (
                    "document and page", SearchFilter(documents: [one], pages: 3...9),
                    { $0.document == one && $0.page == 3 }
                ),
            ]
            for (number, query) in queries.enumerated() {
                for (name, filter, passes) in filters {
                    for k in [1, 10, 100] {
                        let answer = try await searcher(pool, planner: planner(.exact)).search(
                            SearchRequest(
                                as: .service, session: session.id, query: .vector(query), k: k,
                                filter: filter))
                        expect(
                            answer, is: bruteForce(query, rows, k: k, where: passes),
                            "seed \(seed), query \(number), \(name), k \(k)")
                        #expect(answer.meta.certificate == .proven)
                        #expect(
                            answer.meta.examined
                                == rows.count { $0.type == .child && passes($0) })
                    }
                }
            }
        }
    }

    @Test("More copies of one vector than candidates are asked for still come in the order of ids")
    func manyCopies() async throws {
        var generator = Seeded(7)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let copy = generator.unitVector()
            let rows = try await plant(
                Array(repeating: copy, count: 150), in: session.id, using: &generator, on: pool)
            for k in [1, 10, 140] {
                let answer = try await searcher(pool).search(
                    SearchRequest(as: .service, session: session.id, query: .vector(copy), k: k))
                expect(answer, is: bruteForce(copy, rows, k: k), "k \(k)")
            }
        }
    }

    @Test("Types choose between children and parents; a threshold keeps what reaches it")
    func typesAndThreshold() async throws {
        var generator = Seeded(11)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let rows = try await plant(
                vectors(50, &generator), in: session.id, using: &generator, on: pool)
            let query = rows[3].vector
            var request = SearchRequest(
                as: .service, session: session.id, query: .vector(query), k: 1_000)
            let children = try await searcher(pool).search(request)
            #expect(children.hits.count == 50)
            #expect(children.hits.allSatisfy { $0.type == .child })
            request.filter.types = [.parent]
            let parents = try await searcher(pool).search(request)
            #expect(
                Set(parents.hits.map(\.chunk)) == Set(rows.filter { $0.type == .parent }.map(\.id)))
            request.filter.types = [.child, .parent]
            #expect(try await searcher(pool).search(request).hits.count == rows.count)

            request.filter.types = [.child]
            let threshold = children.hits[20].score
            request.minScore = threshold
            let kept = try await searcher(pool).search(request)
            #expect(kept.hits == children.hits.filter { $0.score >= threshold })
        }
    }

    @Test("Expansion keeps every child hit, with its score and span")
    func expansion() async throws {
        var generator = Seeded(13)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let rows = try await plant(
                vectors(60, &generator), in: session.id, using: &generator, on: pool)
            var request = SearchRequest(
                as: .service, session: session.id, query: .vector(rows[9].vector), k: 25)
            let plain = try await searcher(pool).search(request)
            request.expansion = .parent
            let expanded = try await searcher(pool).search(request)
            let children = expanded.hits.flatMap { $0.parent?.children ?? [] }
            #expect(
                children.sorted {
                    ($1.score, $0.chunk.uuidString) < ($0.score, $1.chunk.uuidString)
                }
                    == plain.hits.map { ChildHit(chunk: $0.chunk, score: $0.score, span: $0.span) })
            let parentOf = Dictionary(uniqueKeysWithValues: rows.map { ($0.id, $0.parent) })
            for hit in expanded.hits {
                #expect(hit.section == ["Book", "Page \(hit.pages.lowerBound)"])
                #expect(hit.parent?.text.string.hasPrefix("parent") == true)
                for child in hit.parent?.children ?? [] {
                    #expect(parentOf[child.chunk] == hit.parent?.chunk)
                }
            }
        }
    }

    @Test("A walk that comes back with too few rows is replaced by the exact scan, and says so")
    func shortWalk() async throws {
        var generator = Seeded(17)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let rows = try await plant(
                vectors(20, &generator), in: session.id, using: &generator, on: pool)
            try await fillGraph(session.id, on: pool)
            let query = generator.unitVector()
            let answer = try await searcher(pool, planner: planner(.hnsw)).search(
                SearchRequest(as: .service, session: session.id, query: .vector(query), k: 15))
            expect(answer, is: bruteForce(query, rows, k: 15), "seed 17")
            #expect(answer.meta.plan == .exact)
            #expect(answer.meta.certificate == .proven)
        }
    }

    @Test("The graph never claims a proof, and shows no row of another session")
    func walk() async throws {
        var generator = Seeded(19)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let other = try await plantSession(on: pool, handle: "eve")
            let rows = try await plant(
                vectors(200, &generator), in: session.id, using: &generator, on: pool)
            let query = rows[1].vector
            _ = try await plant(
                Array(repeating: query, count: 50), in: other.id, using: &generator, on: pool)
            try await fillGraph(session.id, on: pool)
            try await fillGraph(other.id, on: pool)
            let answer = try await searcher(pool, planner: planner(.hnsw)).search(
                SearchRequest(as: .service, session: session.id, query: .vector(query), k: 10))
            #expect(answer.meta.plan == .hnsw)
            #expect(answer.meta.certificate == .approximate(efSearch: 400))
            #expect(answer.hits.count == 10)
            #expect(Set(answer.hits.map(\.chunk)).isSubset(of: Set(rows.map(\.id))))
            #expect(answer.hits.first?.score ?? 0 > 0.999)
        }
    }

    @Test("An answer belongs to one revision while documents come and go")
    func snapshot() async throws {
        var generator = Seeded(23)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let query = generator.unitVector()
            // Each document holds 10 children; a search must see all of a document or nothing.
            let writer = Task { [generator] in
                var generator = generator
                for _ in 0..<15 {
                    let rows = try await plant(
                        (0..<10).map { _ in generator.unitVector() }, in: session.id,
                        using: &generator, on: pool)
                    if Bool.random(using: &generator) {
                        _ = try await pool.withTransaction(as: .service) { db in
                            try await DocumentRepository.delete(
                                sessionID: session.id, id: rows[0].document, on: db)
                        }
                    }
                }
            }
            var seen: [Int64: Int] = [:]
            for _ in 0..<60 {
                let answer = try await searcher(pool).search(
                    SearchRequest(
                        as: .service, session: session.id, query: .vector(query), k: 1_000))
                let byDocument = Dictionary(grouping: answer.hits, by: \.documentID)
                #expect(byDocument.values.allSatisfy { $0.count == 10 })
                // 10 children and 2 parents a document.
                #expect(answer.meta.sessionChunks == byDocument.count * 12)
                #expect(answer.meta.examined == answer.hits.count)
                let known = seen.updateValue(answer.hits.count, forKey: answer.meta.revision)
                #expect(known == nil || known == answer.hits.count)
            }
            try await writer.value
        }
    }

    @Test("A text is embedded with the session's model")
    func text() async throws {
        var generator = Seeded(29)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let texts = ["a fixed point of the map", "the price of tea", "iteration converges"]
            let block = try await HashingEmbedder().embed(texts, as: .passage)
            let rows = try await plant(
                texts.indices.map { try UnitVector(normalizing: block.row($0)) },
                in: session.id, using: &generator, on: pool)
            let answer = try await searcher(pool).search(
                SearchRequest(as: .service, session: session.id, query: .text("tea price"), k: 1))
            #expect(answer.hits.map(\.chunk) == [rows[2].id])
            #expect(answer.meta.model == "hashing-lexical")
        }
    }

    @Test("What cannot be answered says why")
    func refusals() async throws {
        var generator = Seeded(31)
        try await withMigratedDatabase { pool in
            let session = try await plantSession(on: pool)
            let query = SearchQuery.vector(generator.unitVector())
            await #expect(throws: RetrievalError.sessionNotFound) {
                try await searcher(pool).search(
                    SearchRequest(as: .service, session: UUID(), query: query))
            }
            let stranger = UUID()
            await #expect(
                throws: RetrievalError.modelChanged(expected: stranger, got: session.model.id)
            ) {
                try await searcher(pool).search(
                    SearchRequest(as: .service, session: session.id, query: query, model: stranger))
            }
            await #expect(throws: RetrievalError.deadlineExceeded) {
                try await searcher(pool).search(
                    SearchRequest(as: .service, session: session.id, query: query, deadline: .now))
            }
            await #expect(
                throws: RetrievalError.invalid(field: "k", reason: "expected 1 to 1,000, got 0")
            ) {
                try await searcher(pool).search(
                    SearchRequest(as: .service, session: session.id, query: query, k: 0))
            }
            let cancelled = Task {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                return try await searcher(pool).search(
                    SearchRequest(as: .service, session: session.id, query: query))
            }
            await #expect(throws: (any Error).self) { try await cancelled.value }
            // An empty session answers, with nothing.
            let empty = try await searcher(pool).search(
                SearchRequest(as: .service, session: session.id, query: query))
            #expect(empty.hits.isEmpty)
        }
    }
}
