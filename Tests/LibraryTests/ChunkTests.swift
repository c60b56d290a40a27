// Chunks: bulk loading, reading, candidates against their meaning.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("Chunks")
struct ChunkTests {
    @Test("Chunks are stored as given, once, and counted")
    func insert() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            var chunks = stored.chunks(children: 40)
            chunks[3].topicIDs = [UUID(), UUID()]
            chunks[4].embedding = nil
            chunks[5].text = "naïve 東京\n\ttab \\N"
            chunks.reverse()  // Children before their parent.
            #expect(try await f.store(chunks) == 41)
            #expect(try await f.store(chunks) == 0)
            let more = stored.chunk(parent: nil, index: 50, embedding: axis(9))
            #expect(try await f.store(chunks + [more]) == 1)
            #expect(try await f.store([]) == 0)

            let session = try await f.currentSession()
            #expect(session.chunkCount == 42)
            #expect(session.revision == 2)
            try await f.pool.withConnection(as: .service) { db in
                for chunk in chunks {
                    let read = try #require(
                        try await ChunkRepository.get(
                            sessionID: f.session.id, id: chunk.id, on: db))
                    #expect(read.text == chunk.text)
                    #expect(read.type == chunk.type)
                    #expect(read.parentID == chunk.parentID)
                    #expect(read.topicIDs == chunk.topicIDs)
                    #expect((read.start, read.end) == (chunk.start, chunk.end))
                    #expect(
                        try await ChunkRepository.embedding(
                            sessionID: f.session.id, id: chunk.id, on: db)?.vector
                            == chunk.embedding)
                }
            }
        }
    }

    @Test("Two insertions in one transaction do not mix")
    func insertTwice() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            try await f.pool.withTransaction(as: .service) { db in
                for index in 0..<3 {
                    let added = try await ChunkRepository.insert(
                        [stored.chunk(parent: nil, index: index, embedding: nil)],
                        sessionID: f.session.id, modelID: f.model.id, on: db)
                    #expect(added == 1)
                }
            }
            #expect(try await f.currentSession().chunkCount == 3)
        }
    }

    @Test("A refused chunk leaves none of its companions, nor a revision")
    func allOrNothing() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            var chunks = stored.chunks(children: 5)
            chunks[5].embedding = axis(1).map { $0 * 2 }
            await expectRefusal(.checkViolation) { try await f.store(chunks) }
            #expect(try await f.count("document_chunks") == 0)
            #expect(try await f.currentSession().revision == 0)
        }
    }

    @Test("Deleting a document counts its chunks out, with those added while it waited")
    func deletion() async throws {
        try await Fixture.with { f in
            let kept = try await f.document("kept")
            let gone = try await f.document("gone", pages: 2)
            try await f.store(kept.chunks(children: 3))
            try await f.store(gone.chunks(children: 5))
            async let added = f.store(gone.chunks(children: 2))
            async let deleted = f.pool.withTransaction(as: .service) { db in
                try await DocumentRepository.delete(
                    sessionID: f.session.id, id: gone.document.id, on: db)
            }
            // Either order is right: refused because the document is gone, or counted out with it.
            _ = try? await added
            #expect(try await deleted != nil)
            #expect(try await f.count("document_chunks") == 4)
            #expect(try await f.currentSession().chunkCount == 4)
        }
    }

    @Test("Chunks are listed in reading order, by document, by type, page by page")
    func listing() async throws {
        try await Fixture.with { f in
            let documents = [
                try await f.document("a"), try await f.document("b"),
            ].sorted { $0.document.id.lower < $1.document.id.lower }
            for document in documents { try await f.store(document.chunks(children: 6)) }
            try await f.pool.withConnection(as: .service) { db in
                func all(document: UUID? = nil, type: ChunkType? = nil) async throws -> [Chunk] {
                    var seen: [Chunk] = []
                    while true {
                        let page = try await ChunkRepository.list(
                            sessionID: f.session.id, documentID: document, type: type, limit: 3,
                            after: seen.last.map {
                                ChunkCursor(documentID: $0.documentID, index: $0.index, id: $0.id)
                            }, on: db)
                        if page.isEmpty { return seen }
                        seen += page
                    }
                }
                let everything = try await all()
                #expect(everything.map(\.index) == Array(0...6) + Array(0...6))
                #expect(
                    everything.map(\.documentID)
                        == documents.flatMap {
                            Array(repeating: $0.document.id, count: 7)
                        })
                #expect(try await all(type: .parent).map(\.index) == [0, 0])
                let second = documents[1].document.id
                #expect(try await all(document: second) == Array(everything[7...]))
                #expect(
                    try await all(document: second, type: .child) == Array(everything[8...]))

                let parents = everything.filter { $0.type == .parent }.map(\.id)
                #expect(
                    try await ChunkRepository.children(
                        sessionID: f.session.id, parentIDs: parents, on: db)
                        == everything.filter { $0.type == .child })
            }
        }
    }

    @Test("Hits come in the order asked for, with the document's name and the headings")
    func hits() async throws {
        try await Fixture.with { f in
            let stored = try await f.document("analysis.pdf")
            let chunks = stored.chunks(children: 4)
            try await f.store(chunks)
            let wanted = [chunks[3].id, UUID(), chunks[1].id, chunks[2].id]
            let other = try await f.anotherSession()
            try await f.pool.withConnection(as: .service) { db in
                let hits = try await ChunkRepository.hits(
                    sessionID: f.session.id, ids: wanted, on: db)
                #expect(hits.map(\.chunk.id) == [chunks[3].id, chunks[1].id, chunks[2].id])
                #expect(hits[0].fileName == "analysis.pdf")
                #expect(hits[0].headingPath == ["Chapter", "Section 1"])
                #expect(hits[0].heading == "Section 1")
                #expect(
                    try await ChunkRepository.hits(sessionID: other.id, ids: wanted, on: db)
                        .isEmpty)
            }
        }
    }
}

@Suite("Candidates")
struct CandidateTests {
    /// 300 random vectors in the session and 300 in another one.
    private func with(
        _ body: (Fixture, [NewChunk], StoredDocument, inout Seeded) async throws -> Void
    ) async throws {
        try await Fixture.with { f in
            var generator = Seeded(20_261_121)
            let stored = try await f.document(pages: 3)
            let other = try await f.anotherSession()
            let theirs = try await f.document(in: other.id)
            func chunks(of document: StoredDocument, pages: Int) -> [NewChunk] {
                let parent = document.chunk(parent: nil, index: 0, embedding: unit(&generator))
                return [parent]
                    + (1...300).map {
                        document.chunk(
                            parent: parent.id, index: $0, embedding: unit(&generator),
                            page: $0 % pages + 1)
                    }
            }
            let mine = chunks(of: stored, pages: 3)
            try await f.store(mine)
            try await f.store(chunks(of: theirs, pages: 1), in: other.id)
            try await body(f, mine, stored, &generator)
        }
    }

    /// The meaning: sort by distance, then by id.
    private func nearest(_ k: Int, to query: [Float], among chunks: [NewChunk]) -> [UUID] {
        chunks.map { chunk -> (UUID, Double) in
            let embedding = chunk.embedding ?? []
            let dot = zip(embedding, query).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            return (chunk.id, 1 - dot)
        }
        .sorted { ($0.1, $0.0.lower) < ($1.1, $1.0.lower) }
        .prefix(k).map(\.0)
    }

    @Test("Exact candidates are the nearest rows of the session, in order, with their vectors")
    func exact() async throws {
        try await with { f, chunks, _, generator in
            let children = chunks.filter { $0.type == .child }
            for _ in 0..<5 {
                let query = unit(&generator)
                let found = try await f.pool.withConnection(as: .service) { db in
                    try await ChunkRepository.candidatesExact(
                        sessionID: f.session.id, vector: query, limit: 20, on: db)
                }
                #expect(found.ids == nearest(20, to: query, among: children))
                #expect(found.vectors.count == 20 * 768)
                for (index, id) in found.ids.enumerated() {
                    let vector = Array(found.vectors[index * 768..<(index + 1) * 768])
                    #expect(vector == chunks.first { $0.id == id }?.embedding)
                }
            }
        }
    }

    @Test("HNSW candidates are the session's own, and nearly all of the nearest")
    func hnsw() async throws {
        try await with { f, chunks, _, generator in
            let children = chunks.filter { $0.type == .child }
            var found = 0
            for _ in 0..<10 {
                let query = unit(&generator)
                let candidates = try await f.pool.withTransaction(as: .service) { db in
                    try await ChunkRepository.candidatesHNSW(
                        sessionID: f.session.id, vector: query, limit: 10, efSearch: 100, on: db)
                }
                #expect(candidates.count == 10)
                #expect(Set(candidates.ids).isSubset(of: children.map(\.id)))
                found +=
                    Set(candidates.ids)
                    .intersection(nearest(10, to: query, among: children)).count
            }
            // Random vectors in 768 dimensions are the hardest there are for a graph.
            #expect(found >= 90, "recall@10 \(Double(found) / 100), seed 20261121")
        }
    }

    @Test("Equal distances are ordered by id")
    func ties() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            let chunks = (0..<20).map { stored.chunk(parent: nil, index: $0, embedding: axis(1)) }
            try await f.store(chunks)
            let found = try await f.pool.withConnection(as: .service) { db in
                try await ChunkRepository.candidatesExact(
                    sessionID: f.session.id, vector: axis(1), limit: 7,
                    filter: SearchFilter(types: [.parent]), on: db)
            }
            #expect(found.ids == Array(chunks.map(\.id).sorted { $0.lower < $1.lower }[..<7]))
        }
    }

    @Test("Every filter holds before the cut, alone and together, on both ways")
    func filters() async throws {
        try await with { f, chunks, stored, generator in
            let topic = UUID()
            try await f.sql(
                "UPDATE carrel.document_chunks SET related_topic_ids = ARRAY[$1::uuid] WHERE chunk_index % 4 = 0",
                topic)
            try await f.sql(
                "UPDATE carrel.document_chunks SET created_at = now() - interval '1 day' WHERE chunk_index % 5 = 0"
            )
            let lastHour = Date(timeIntervalSinceNow: -3600)
            let cases: [(SearchFilter, (NewChunk) -> Bool)] = [
                (SearchFilter(), { $0.type == .child }),
                (SearchFilter(types: [.parent, .child]), { _ in true }),
                (SearchFilter(types: [.parent]), { $0.type == .parent }),
                (SearchFilter(types: []), { _ in false }),
                (SearchFilter(documents: [stored.document.id]), { $0.type == .child }),
                (SearchFilter(documents: [UUID()]), { _ in false }),
                (SearchFilter(documents: []), { _ in false }),
                (
                    SearchFilter(topics: [topic, UUID()]),
                    { $0.type == .child && $0.index % 4 == 0 }
                ),
                (SearchFilter(topics: []), { _ in false }),
                (SearchFilter(pages: 2...3), { $0.type == .child && $0.pageFrom >= 2 }),
                (
                    SearchFilter(createdFrom: lastHour),
                    { $0.type == .child && $0.index % 5 != 0 }
                ),
                (
                    SearchFilter(createdBefore: lastHour),
                    { $0.type == .child && $0.index % 5 == 0 }
                ),
                (
                    SearchFilter(topics: [topic], pages: 1...1, createdFrom: lastHour),
                    {
                        $0.type == .child && $0.index % 4 == 0 && $0.index % 3 == 0
                            && $0.index % 5 != 0
                    }
                ),
            ]
            let query = unit(&generator)
            for (filter, accepts) in cases {
                let matching = chunks.filter(accepts)
                let expected = nearest(10, to: query, among: matching)
                try await f.pool.withTransaction(as: .service) { db in
                    let exact = try await ChunkRepository.candidatesExact(
                        sessionID: f.session.id, vector: query, limit: 10, filter: filter, on: db)
                    #expect(exact.ids == expected, "\(filter)")
                    #expect(
                        try await ChunkRepository.countMatching(
                            sessionID: f.session.id, filter: filter, on: db) == matching.count)
                    let approximate = try await ChunkRepository.candidatesHNSW(
                        sessionID: f.session.id, vector: query, limit: 10, efSearch: 200,
                        filter: filter, on: db)
                    #expect(Set(approximate.ids).isSubset(of: matching.map(\.id)), "\(filter)")
                    #expect(approximate.count == expected.count, "\(filter)")
                }
            }
        }
    }
}
