// The graph beside the chunks: what is in it, and that what is not is found all the same.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("The graph of vectors")
struct GraphTests {
    private func extend(_ f: Fixture, _ limit: Int) async throws -> GraphRepository.Step {
        try await f.pool.withTransaction(as: .service) { db in
            try await GraphRepository.extend(sessionID: f.session.id, limit: limit, on: db)
        }
    }

    private func coverage(_ f: Fixture) async throws -> GraphRepository.Coverage {
        try await f.pool.withConnection(as: .service) { db in
            try #require(try await GraphRepository.coverage(sessionID: f.session.id, on: db))
        }
    }

    private func behind(_ f: Fixture, minimum: Int) async throws -> [UUID] {
        try await f.pool.withConnection(as: .service) { db in
            try await GraphRepository.behind(minimum: minimum, limit: 10, on: db)
        }
    }

    private func candidates(_ f: Fixture, near vector: [Float], limit: Int) async throws -> [UUID] {
        try await f.pool.withTransaction(as: .service) { db in
            try await ChunkRepository.candidatesHNSW(
                sessionID: f.session.id, vector: vector, limit: limit, efSearch: 100, on: db
            ).ids
        }
    }

    @Test("It is filled in steps, by revision, and knows when every row is in it")
    func steps() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            try await f.store(stored.chunks(children: 9))
            try await f.store([stored.chunk(parent: nil, index: 90, embedding: axis(3))])
            // A row without a vector has no place in the graph and keeps nothing waiting.
            try await f.store([stored.chunk(parent: nil, index: 91, embedding: nil)])
            #expect(try await behind(f, minimum: 12) == [f.session.id])
            #expect(try await behind(f, minimum: 13).isEmpty)
            #expect(try await coverage(f) == .init(graphRevision: -1, pending: 12))

            #expect(try await extend(f, 4) == .added(4))
            #expect(try await coverage(f) == .init(graphRevision: 0, pending: 12))
            #expect(try await extend(f, 7) == .added(7))
            #expect(try await coverage(f) == .init(graphRevision: 1, pending: 2))
            #expect(try await extend(f, 4) == .complete(added: 0))
            #expect(try await coverage(f) == .init(graphRevision: 3, pending: 0))
            #expect(try await behind(f, minimum: 1).isEmpty)
            #expect(try await f.currentSession().revision == 3)
        }
    }

    @Test("Rows in the graph and rows not in it yet are candidates alike, each once")
    func union() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            let chunks = stored.chunks(children: 20)
            let parent = try #require(chunks.first { $0.type == .parent })
            try await f.store(chunks)
            #expect(try await extend(f, 8) == .added(8))
            let children = Set(chunks.map(\.id)).subtracting([parent.id])
            let half = try await candidates(f, near: axis(1), limit: 50)
            #expect(Set(half) == children)
            #expect(half.count == children.count)
            #expect(try await extend(f, 100) == .complete(added: 13))
            #expect(Set(try await candidates(f, near: axis(1), limit: 50)) == children)

            let later = stored.chunk(parent: parent.id, index: 77, embedding: axis(700))
            try await f.store([later])
            #expect(try await candidates(f, near: axis(700), limit: 1) == [later.id])
        }
    }

    @Test("What is deleted leaves the graph with its document, and the session with all of it")
    func deletion() async throws {
        try await Fixture.with { f in
            let one = try await f.document()
            let two = try await f.document("algebra.pdf")
            try await f.store(one.chunks(children: 5))
            try await f.store(two.chunks(children: 5))
            #expect(try await extend(f, 100) == .complete(added: 12))
            try await f.pool.withTransaction(as: .service) { db in
                _ = try await DocumentRepository.delete(
                    sessionID: f.session.id, id: one.document.id, on: db)
            }
            let rows = Statement("graph rows", "SELECT count(*) FROM carrel.chunk_graph")
            let left: Int64 = try await f.pool.withConnection(as: .service) { db in
                try await db.query(rows)[0].get(0)
            }
            #expect(left == 6)
            try await f.pool.withTransaction(as: .service) { db in
                _ = try await SessionRepository.delete(
                    id: f.session.id, profileID: f.profile.id, on: db)
            }
            let none: Int64 = try await f.pool.withConnection(as: .service) { db in
                try await db.query(rows)[0].get(0)
            }
            #expect(none == 0)
        }
    }

    @Test("Two at once do not fill one session")
    func oneAtATime() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            try await f.store(stored.chunks(children: 5))
            try await f.pool.withTransaction(as: .service) { first in
                let mine = try await GraphRepository.extend(
                    sessionID: f.session.id, limit: 2, on: first)
                #expect(mine == .added(2))
                #expect(try await extend(f, 2) == .taken)
            }
            #expect(try await extend(f, 100) == .complete(added: 4))
        }
    }
}
