// Chunks come, go and are known while a session goes from one model to another.

import Embedding
import Foundation
import Ingestion
import Library
import Postgres
import Synchronization
import TestSupport
import Testing
import Vectors

@Suite("Re-embedding what changes")
struct ReembeddingChangesTests {
    @Test("Chunks that come and documents that go meanwhile are in the switch, or not in it")
    func changes() async throws {
        try await withWorkshop { shop in
            let gone = try await shop.store(60, in: "goes")
            try await shop.store(60, in: "stays")
            let job = try await shop.begin()
            let seen = Seen()
            let ingestor = shop.reembedder { event in
                guard seen.isNew(event) else { return }
                switch event {
                case .staged(batch: 2): try await shop.store(30, in: "early", saying: "arriving")
                case .retired: try await shop.store(10, in: "late", saying: "arriving")
                case .judged:
                    try await shop.store(10, in: "latest", saying: "arriving")
                    try await shop.reembedder().delete(
                        as: .service, session: shop.session.id, document: gone)
                default: break
                }
            }
            #expect(try await shop.work(ingestor, until: job).state == .succeeded)
            let chunks = try await shop.check(newModel)
            #expect(chunks > 110 && chunks < 160)
            try await shop.work(shop.reembedder(), until: try await shop.rollBack())
            #expect(try await shop.check(oldModel) == chunks)
        }
    }

    /// Twelve imported chunks whose ids are always the same.
    private static func fill(_ shop: Workshop, _ word: String) async throws -> UUID {
        try await shop.reembedder().importChunks(
            as: .service, session: shop.session.id, documentName: "notes",
            chunks: (0..<12).map {
                ImportedChunk(
                    id: "00000000-0000-4000-8000-0000000000\(10 + $0)",
                    text: "\(word) number \($0)")
            }
        ).documentID
    }

    @Test(
        "A document deleted and imported again under the same ids has the vectors of its new texts")
    func sameIDs() async throws {
        try await withWorkshop { shop in
            let first = try await Self.fill(shop, "Apples")
            try await shop.store(60, in: "rest")
            let job = try await shop.begin()
            let seen = Seen()
            let ingestor = shop.reembedder { event in
                guard event == .judged, seen.isNew(event) else { return }
                try await shop.reembedder().delete(
                    as: .service, session: shop.session.id, document: first)
                _ = try await Self.fill(shop, "Pears")
            }
            #expect(try await shop.work(ingestor, until: job).state == .succeeded)
            try await shop.check(newModel)
        }
    }

    @Test("What was embedded for the old model is not stored under the new one")
    func writers() async throws {
        try await withWorkshop { shop in
            try await shop.store(30, in: "first")
            let job = try await shop.begin()
            // The switch comes between a document's vectors and its rows.
            let ingestor = shop.reembedder { event in
                if event == .embedded(batch: 0) {
                    try await shop.work(shop.reembedder(), until: job)
                }
            }
            let (document, ingest) = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "book.md",
                bytes: book(paragraphs: 60))
            #expect(
                try await WorkerTests.finish(ingest.id, with: ingestor, in: shop).state
                    == .succeeded)
            #expect(try await shop.document(document.id).status == .completed)
            #expect(try await shop.job(job).state == .succeeded)
            try await shop.check(newModel)
            let given = try await oldModel.embed(["a text"], as: .passage).row(0)
            await #expect(throws: LibraryError.modelChanged) {
                _ = try await shop.reembedder().importChunks(
                    as: .service, session: shop.session.id, documentName: "given",
                    chunks: [ImportedChunk(text: "a text", vector: try .init(normalizing: given))],
                    model: shop.session.modelID)
            }
        }
    }

    @Test("Text that an account's model has read is not read again; another account's is no help")
    func reuse() async throws {
        try await withWorkshop { shop in
            let (mine, theirs) = try await shop.pool.withTransaction(as: .service) { db in
                let stranger = try await ProfileRepository.create(
                    handle: "bob", email: "bob@example.org", passwordHash: "-", on: db)
                return (
                    try await SessionRepository.create(
                        profileID: shop.session.profileID, title: "Mine",
                        modelID: shop.session.modelID, on: db),
                    try await SessionRepository.create(
                        profileID: stranger.id, title: "Theirs", modelID: shop.session.modelID,
                        on: db)
                )
            }
            for session in [shop.session.id, mine.id, theirs.id] {
                try await shop.store(30, in: "book", session: session)
            }
            let counting = PickyEmbedder(newModel, refusing: [], in: "")
            let ingestor = shop.reembedder(others: [counting])
            for (session, embedded) in [(theirs.id, 30), (shop.session.id, 30), (mine.id, 0)] {
                let job = try await shop.begin(with: counting, session: session)
                try await shop.work(ingestor, until: job)
                let run = try await shop.run(job, of: session)
                #expect(run.counts.embedded == Int64(embedded))
                #expect(run.counts.reused == Int64(30 - embedded))
                try await shop.check(counting, session: session)
            }
            // What was given from outside is not lent.
            let given = try await counting.embed(["something else"], as: .passage).row(0)
            _ = try await ingestor.importChunks(
                as: .service, session: mine.id, documentName: "given",
                chunks: [
                    ImportedChunk(text: "a text of two", vector: try .init(normalizing: given))
                ])
            let before = counting.texts
            _ = try await ingestor.importChunks(
                as: .service, session: shop.session.id, documentName: "asked",
                chunks: [ImportedChunk(text: "a text of two")])
            #expect(counting.texts == before + 1)
            _ = try await ingestor.importChunks(
                as: .service, session: mine.id, documentName: "lent",
                chunks: [ImportedChunk(text: "a text of two")])
            #expect(counting.texts == before + 1)
        }
    }
}

/// Remembers which events there were.
private final class Seen: Sendable {
    private let events = Mutex<Set<WorkerEvent>>([])

    func isNew(_ event: WorkerEvent) -> Bool { events.withLock { $0.insert(event).inserted } }
}
