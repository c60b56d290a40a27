import Embedding
import Foundation
import Ingestion
import Library
import Postgres
import Retrieval
import Testing
import Vectors

@Suite("Importing chunks")
struct ImportTests {
    private func axis(_ index: Int) throws -> UnitVector {
        var values = [Float](repeating: 0, count: UnitVector.dimension)
        values[index] = 1
        return try UnitVector(normalizing: values)
    }

    @Test("Imported chunks are found at once, with text and offsets that agree")
    func imported() async throws {
        try await withWorkshop { shop in
            let ingestor = shop.ingestor()
            var ids: [UUID] = []
            var revisions: [Int64] = []
            for call in 0..<3 {
                let result = try await ingestor.importChunks(
                    as: .service, session: shop.session.id, documentName: "notes",
                    chunks: (0..<5).map { index in
                        ImportedChunk(
                            text: "Straße \(call) and 👩‍🚀 \(index)",
                            vector: try axis(call * 5 + index))
                    })
                ids += result.chunkIDs
                revisions.append(result.revision)
            }
            #expect(Set(ids).count == 15)
            #expect(revisions == revisions.sorted() && Set(revisions).count == 3)
            let session = try await shop.reload()
            #expect(session.status == .active && session.revision == revisions.last)

            let searcher = Searcher(
                pool: shop.pool, embedders: EmbedderRegistry([HashingEmbedder()]))
            for (index, id) in ids.enumerated() {
                let answer = try await searcher.search(
                    SearchRequest(
                        as: .service, session: session.id, query: .vector(try axis(index)), k: 1,
                        expansion: .parent))
                let hit = try #require(answer.hits.first)
                #expect(hit.chunk == id && hit.score == 1)
                #expect(hit.pages == index / 5 + 1...index / 5 + 1)
                let parent = try #require(hit.parent)
                for (span, text) in [(hit.span, hit.text), (parent.span, parent.text)] {
                    let stretch = try await shop.pool.withConnection(as: .service) { db in
                        try await DocumentRepository.text(
                            sessionID: session.id, id: hit.documentID, start: span.lowerBound,
                            end: span.upperBound, on: db)
                    }
                    #expect(stretch?.text == text.string)
                }
            }
        }
    }

    @Test("A missing vector is made by the session's model")
    func embedded() async throws {
        try await withWorkshop { shop in
            let embedder = CountingEmbedder()
            _ = try await shop.ingestor(embedder: embedder).importChunks(
                as: .service, session: shop.session.id, documentName: "notes",
                chunks: [
                    ImportedChunk(text: "given", vector: try axis(1)),
                    ImportedChunk(text: "a fixed point of a contraction"),
                ])
            #expect(embedder.texts == 1)
            let answer = try await Searcher(
                pool: shop.pool, embedders: EmbedderRegistry([HashingEmbedder()])
            ).search(
                SearchRequest(
                    as: .service, session: shop.session.id,
                    query: .text("contraction with a fixed point"), k: 1))
            #expect(answer.hits.first?.text == "a fixed point of a contraction")
        }
    }

    @Test("Given ids are kept when they are UUIDs, hashed when not, and refused the second time")
    func ids() async throws {
        try await withWorkshop { shop in
            let ingestor = shop.ingestor()
            let id = UUID()
            func add(_ ids: [String]) async throws -> ImportResult {
                try await ingestor.importChunks(
                    as: .service, session: shop.session.id, documentName: "notes",
                    chunks: try ids.map { ImportedChunk(id: $0, text: $0, vector: try axis(0)) })
            }
            let first = try await add([id.uuidString, "section 4"])
            #expect(first.chunkIDs[0] == id)
            let before = try await shop.contents()
            for again in [[id.uuidString], ["new", "section 4"], ["twice", "twice"]] {
                await #expect(throws: LibraryError.self) { try await add(again) }
                #expect(try await shop.contents() == before, "all or nothing")
            }
        }
    }

    @Test("Calls side by side give each other's pages no way to collide")
    func sideBySide() async throws {
        try await withWorkshop(size: 8) { shop in
            let ingestor = shop.ingestor()
            let session = shop.session.id
            let vector = try axis(3)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for call in 0..<6 {
                    group.addTask {
                        _ = try await ingestor.importChunks(
                            as: .service, session: session, documentName: "notes",
                            chunks: [ImportedChunk(text: "call \(call)", vector: vector)])
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await shop.reload().chunkCount == 12)
            let documents = try await shop.pool.withConnection(as: .service) { db in
                try await DocumentRepository.listDocuments(
                    sessionID: session, limit: 10, offset: 0, on: db)
            }
            #expect(documents.map(\.pageCount) == [6])
        }
    }

    @Test("What cannot be imported names its field")
    func refusals() async throws {
        try await withWorkshop { shop in
            let ingestor = shop.ingestor()
            let good = ImportedChunk(text: "text", vector: try axis(0))
            let cases: [(String, String, [ImportedChunk])] = [
                ("document", "", [good]), ("chunks", "notes", []),
                ("chunks", "notes", Array(repeating: good, count: 257)),
                ("chunks[1].text", "notes", [good, ImportedChunk(text: "")]),
                ("chunks[0].text", "notes", [ImportedChunk(text: "a\u{0}\u{301}")]),
            ]
            for (field, name, chunks) in cases {
                do {
                    _ = try await ingestor.importChunks(
                        as: .service, session: shop.session.id, documentName: name, chunks: chunks)
                    Issue.record("\(field) was accepted")
                } catch IngestionError.invalid(let named, _) {
                    #expect(named == field)
                }
            }
            await #expect(throws: IngestionError.sessionNotFound) {
                try await ingestor.importChunks(
                    as: .service, session: UUID(), documentName: "notes", chunks: [good])
            }
        }
    }
}
