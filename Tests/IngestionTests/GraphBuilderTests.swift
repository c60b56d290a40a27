// The builder that keeps the graph up, against what PostgreSQL holds.

import Foundation
import Ingestion
import Library
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite("The graph follows the chunks")
struct GraphBuilderTests {
    private func rows(on pool: Pool) async throws -> Int64 {
        try await pool.withConnection(as: .service) { db in
            try await db.query(Statement("graph rows", "SELECT count(*) FROM carrel.chunk_graph"))[
                0
            ]
            .get(0)
        }
    }

    /// A session of `count` chunks without text, all parents, with random unit vectors.
    private func session(of count: Int, on pool: Pool) async throws -> UUID {
        try await pool.withTransaction(as: .service) { db in
            let profile = try await ProfileRepository.create(
                handle: "reader\(count)", email: "reader\(count)@example.org", passwordHash: "-",
                on: db)
            let model = try await EmbeddingModelRepository.register(
                NewEmbeddingModel(
                    name: "any", revision: "1", nativeDimension: 768, pooling: "mean",
                    provider: "test"), on: db)
            let session = try await SessionRepository.create(
                profileID: profile.id, title: "Large", modelID: model.id, on: db)
            let document = try await DocumentRepository.create(
                NewDocument(
                    sessionID: session.id, fileName: "a.txt", filePath: "-",
                    fileHash: String(repeating: "0", count: 64), fileType: "text",
                    fileSizeBytes: 1, status: .completed), on: db)
            let page = Page(
                sessionID: session.id, id: UUID(), documentID: document.id, number: 1, start: 0,
                end: 1)
            try await PageRepository.insert([page], on: db)
            let section = NewSection(
                id: UUID(), pageID: page.id, index: 0, heading: nil, headingPath: [], content: "",
                start: 0, end: 1)
            try await SectionRepository.insert([section], sessionID: session.id, on: db)
            try await ChunkRepository.insert(
                (0..<count).map { index in
                    var vector = [Float](repeating: 0, count: 768)
                    vector[index % 768] = 1
                    return NewChunk(
                        id: UUID(), documentID: document.id, sectionID: section.id, parentID: nil,
                        index: index, text: "", start: 0, end: 0, pageFrom: 1, pageTo: 1,
                        tokenCount: 0, embedding: vector)
                }, sessionID: session.id, modelID: model.id, on: db)
            return session.id
        }
    }

    @Test("Sessions that are large enough come into the graph whole, smaller ones not at all")
    func minimum() async throws {
        try await withDatabase(migrated: true) { pool in
            let large = try await session(of: 30, on: pool)
            _ = try await session(of: 29, on: pool)
            var options = GraphBuilder.Options()
            options.minimum = 30
            options.batch = 8
            options.duty = 1
            let builder = GraphBuilder(pool: pool, options: options)
            #expect(try await builder.catchUp() == 30)
            #expect(try await builder.catchUp() == 0)
            #expect(try await rows(on: pool) == 30)
            let coverage = try await pool.withConnection(as: .service) { db in
                try await GraphRepository.coverage(sessionID: large, on: db)
            }
            #expect(coverage == .init(graphRevision: 1, pending: 0))
        }
    }

    @Test("Several builders share the work and add each row once")
    func several() async throws {
        try await withDatabase(migrated: true, size: 6) { pool in
            _ = try await session(of: 60, on: pool)
            var options = GraphBuilder.Options()
            options.minimum = 1
            options.batch = 4
            options.duty = 1
            let builder = GraphBuilder(pool: pool, options: options)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 { group.addTask { try await builder.catchUp() } }
                var added = 0
                for try await count in group { added += count }
                #expect(added == 60)
            }
            #expect(try await rows(on: pool) == 60)
        }
    }

    @Test("A session that is in memory gets no graph, and one that comes there no more of it")
    func demand() async throws {
        try await withDatabase(migrated: true) { pool in
            let held = try await session(of: 30, on: pool)
            let cold = try await session(of: 31, on: pool)
            let asked = Mutex(0)
            var options = GraphBuilder.Options()
            options.minimum = 1
            options.batch = 8
            options.duty = 1
            let builder = GraphBuilder(
                pool: pool, options: options,
                demand: .init(needsGraph: { session in
                    if session == held { return false }
                    // It is read into memory after two batches.
                    return asked.withLock { count in
                        count += 1
                        return count <= 2
                    }
                }))
            #expect(try await builder.catchUp() == 16)
            let coverage = try await pool.withConnection(as: .service) { db in
                try await GraphRepository.coverage(sessionID: cold, on: db)
            }
            #expect(coverage?.pending == 31)
        }
    }

    @Test("It waits while searches or imports follow one another, and not for ever")
    func yields() async throws {
        try await withDatabase(migrated: true) { pool in
            _ = try await session(of: 12, on: pool)
            let searches = Mutex<UInt64>(1)
            var options = GraphBuilder.Options()
            options.minimum = 1
            options.duty = 1
            options.patience = .milliseconds(400)
            let builder = GraphBuilder(
                pool: pool, options: options,
                demand: .init(activity: {
                    searches.withLock { count in
                        count += 1
                        return count
                    }
                }))
            #expect(try await builder.catchUp() == 12)
            // Looked at once before and once every tenth of a second.
            #expect(searches.withLock { $0 } >= 4)
        }
    }
}
