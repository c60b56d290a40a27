// A session goes from one model to another: whole, never mixed, and back if it must.

import Embedding
import Foundation
import Ingestion
import Library
import Postgres
import Synchronization
import TestSupport
import Testing
import Vectors

@Suite("Re-embedding")
struct ReembeddingTests {
    @Test("Every vector is the new model's own afterwards, with a revision that caches notice")
    func whole() async throws {
        try await withWorkshop { shop in
            try await shop.store(90, in: "first")
            try await shop.store(40, in: "second")
            #expect(try await shop.check(oldModel) > 130)
            let before = try await shop.reload()
            let job = try await shop.begin()
            #expect(try await shop.work(shop.reembedder(), until: job).state == .succeeded)
            let chunks = try await shop.check(newModel)
            let after = try await shop.reload()
            #expect(after.revision == before.revision + 1)
            #expect(after.chunkCount == before.chunkCount && after.status == before.status)
            let run = try await shop.run(job)
            #expect(run.counts.embedded == 130 && run.counts.reused == 0)
            let verdict = try ReembeddingVerdict(json: try #require(run.verdict))
            #expect(verdict.queries > 0 && verdict.overlap ?? 0 > 0.9, "twins agree")
            let ended = try await shop.job(job)
            #expect(ended.done == Int64(chunks) && ended.total == Int64(chunks))
            #expect(
                try await shop.count("reembedding_vectors") == chunks,
                "what was staged is gone, what was replaced is kept")
        }
    }

    @Test(
        "Taken back, every vector is what it was, bit for bit, and what came since is of that model"
    )
    func rollback() async throws {
        try await withWorkshop { shop in
            try await shop.store(60, in: "first")
            let before = try await shop.contents().filter { $0.hasPrefix("chunk") }
            let job = try await shop.begin()
            try await shop.work(shop.reembedder(), until: job)
            try await shop.check(newModel)
            try await shop.store(20, in: "later", saying: "what came since")
            let back = try await shop.rollBack()
            // Embedding needs the old model for what came since; the rest is there.
            #expect(try await shop.work(shop.reembedder(), until: back).state == .succeeded)
            try await shop.check(oldModel)
            let after = Set(try await shop.contents())
            #expect(before.allSatisfy(after.contains))
            #expect(try await shop.run(back).counts.embedded == 20)
            // And forth again, with nothing to embed at all.
            let forth = try await shop.rollBack()
            try await shop.work(shop.reembedder(), until: forth)
            try await shop.check(newModel)
            #expect(try await shop.run(forth).counts.embedded == 0)
        }
    }

    @Test("After the retention time there is no way back, and nothing is kept")
    func retention() async throws {
        try await withWorkshop { shop in
            try await shop.store(30, in: "first")
            var terms = ReembeddingTerms()
            terms.retentionSeconds = 1
            let job = try await shop.begin(terms: terms)
            try await shop.work(shop.reembedder(), until: job)
            try await Task.sleep(for: .milliseconds(1_100))
            await #expect(throws: LibraryError.self) { _ = try await shop.rollBack() }
            try await shop.reembedder().sweepReembeddings()
            #expect(try await shop.count("reembedding_vectors") == 0)
            #expect(try await shop.count("reembeddings WHERE is_cleared") == 1)
        }
    }

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

    @Test("A text the model refuses is listed and stops its session, and no other")
    func refused() async throws {
        try await withWorkshop { shop in
            try await shop.store(50, in: "first")
            let other = try await shop.pool.withTransaction(as: .service) { db in
                try await SessionRepository.create(
                    profileID: shop.session.profileID, title: "Other",
                    modelID: shop.session.modelID, on: db)
            }
            try await shop.store(20, in: "other", saying: "elsewhere", session: other.id)
            let picky = PickyEmbedder(
                newModel, refusing: ["Passage 17 ", "Passage 31 "], in: "first")
            let ingestor = shop.reembedder(others: [picky])
            let job = try await shop.begin(with: picky)
            let otherJob = try await shop.begin(with: picky, session: other.id)
            let stopped = try await shop.work(ingestor, until: job)
            #expect(stopped.isPaused && stopped.stage?.contains("refuses 2 texts") == true)
            let failures = try await shop.pool.withConnection(as: .service) { db in
                try await ReembeddingRepository.failures(
                    sessionID: shop.session.id, jobID: job, limit: 10, on: db)
            }
            #expect(failures.count == 2 && failures[0].reason.contains("422"))
            #expect(try await shop.work(ingestor, until: otherJob).state == .succeeded)
            try await shop.check(picky, session: other.id)
            try await shop.check(oldModel)
            // Once the model takes them, what was staged is not asked for again.
            picky.relent()
            let before = picky.texts
            try await shop.resume(job)
            #expect(try await shop.work(ingestor, until: job).state == .succeeded)
            #expect(picky.texts - before == 2 + ReembeddingTerms().queries)
            try await shop.check(picky)
        }
    }

    @Test("A gate that objects stops the switch with its reason; forced, it goes on")
    func gate() async throws {
        try await withWorkshop { shop in
            try await shop.store(80, in: "first")
            let noise = NoiseEmbedder()
            let ingestor = shop.reembedder(others: [noise])
            let job = try await shop.begin(with: noise)
            let stopped = try await shop.work(ingestor, until: job)
            #expect(
                stopped.isPaused && stopped.stage?.hasPrefix("stopped: gate: overlap@10") == true)
            let run = try await shop.run(job)
            #expect(run.stoppedBecause?.hasPrefix("gate: overlap@10") == true)
            try await shop.check(oldModel)
            try await shop.resume(job, isForced: true)
            #expect(try await shop.work(ingestor, until: job).state == .succeeded)
            try await shop.check(noise)
            let told = try await shop.run(job).verdict
            let verdict = try ReembeddingVerdict(json: try #require(told))
            #expect(verdict.isForced && verdict.objection != nil)
        }
    }

    @Test("Judgements are a gate of their own: nDCG must not fall by more than was allowed")
    func judged() async throws {
        try await withWorkshop { shop in
            try await shop.store(40, in: "first")
            let chunks = try await shop.pool.withConnection(as: .service) { db in
                try await ChunkRepository.list(
                    sessionID: shop.session.id, type: .child, limit: 40, on: db)
            }
            var terms = ReembeddingTerms()
            terms.minimumOverlap = 0
            terms.judgements = chunks.prefix(10).map {
                .init(query: $0.text, relevant: [$0.id: 1])
            }
            let noise = NoiseEmbedder()
            let ingestor = shop.reembedder(others: [noise, newModel])
            let job = try await shop.begin(with: noise, terms: terms)
            let stopped = try await shop.work(ingestor, until: job)
            #expect(stopped.stage?.hasPrefix("stopped: gate: nDCG@10 falls from 1.000") == true)
            _ = try await ingestor.cancel(as: .service, job: job)
            let good = try await shop.begin(terms: terms)
            #expect(try await shop.work(ingestor, until: good).state == .succeeded)
            let told = try await shop.run(good).verdict
            let verdict = try ReembeddingVerdict(json: try #require(told))
            #expect(verdict.before == 1 && verdict.after == 1)
        }
    }

    @Test(
        "Paused, nobody works on it; resumed, it goes on with what is staged; cancelled, nothing stays"
    )
    func pause() async throws {
        try await withWorkshop { shop in
            try await shop.store(100, in: "first")
            let job = try await shop.begin()
            let ingestor = shop.reembedder { event in
                guard event == .staged(batch: 2) else { return }
                try await shop.pool.withTransaction(as: .service) { db in
                    try await Ingestor.pauseReembedding(
                        session: shop.session.id, job: job, on: db)
                }
            }
            _ = try await ingestor.runOnce([.reembed])
            let paused = try await shop.job(job)
            #expect(paused.isPaused && paused.stage == "paused")
            #expect(try await shop.reembedder().runOnce([.reembed]) == false)
            let staged = try await shop.count("reembedding_vectors")
            #expect(staged > 0)
            try await shop.resume(job)
            #expect(try await shop.work(shop.reembedder(), until: job).state == .succeeded)
            #expect(try await shop.run(job).counts.embedded == 100, "none of them twice")

            let second = try await shop.begin(with: thirdModel)
            await #expect(throws: LibraryError.self) { _ = try await shop.begin(with: oldModel) }
            _ = try await shop.reembedder { event in
                if event == .staged(batch: 1) {
                    _ = try await shop.reembedder().cancel(as: .service, job: second)
                }
            }.runOnce([.reembed])
            #expect(try await shop.job(second).state == .cancelled)
            try await shop.check(newModel)
            try await shop.reembedder().sweepReembeddings()
            let left = try await shop.count("reembedding_vectors")
            let chunks = try await shop.reload().chunkCount
            #expect(left == chunks, "those of the first, for its rollback")
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

    @Test("A model that is away is waited for, and asked for nothing that is staged")
    func away() async throws {
        try await withWorkshop { shop in
            try await shop.store(40, in: "first")
            let flaky = FlakyEmbedder(newModel, failures: 3)
            let ingestor = shop.reembedder(others: [flaky])
            let job = try await shop.begin(with: flaky)
            #expect(try await shop.work(ingestor, until: job).state == .succeeded)
            try await shop.check(flaky)
            #expect(try await shop.run(job).counts.embedded == 40)
        }
    }

    @Test(
        "Stopped at any step, the next worker ends it with the same vectors",
        arguments: [
            WorkerEvent.leased, .staged(batch: 1), .staged(batch: 3), .retired, .judged, .switching,
            .switched,
        ])
    func stopped(at step: WorkerEvent) async throws {
        try await withWorkshop { shop in
            try await shop.store(80, in: "first")
            let job = try await shop.begin()
            do {
                _ = try await shop.reembedder { event in
                    if event == step { throw CancellationError() }
                }.runOnce([.reembed])
            } catch is CancellationError {
                // As a worker stops that is told to.
            }
            #expect(try await shop.job(job).state == (step == .switched ? .succeeded : .running))
            try await shop.check(step == .switched ? newModel : oldModel)
            #expect(try await shop.work(shop.reembedder(), until: job).state == .succeeded)
            try await shop.check(newModel)
            #expect(try await shop.run(job).counts.embedded == 80, "none of them twice")
        }
    }
}

/// Remembers which events there were.
private final class Seen: Sendable {
    private let events = Mutex<Set<WorkerEvent>>([])

    func isNew(_ event: WorkerEvent) -> Bool { events.withLock { $0.insert(event).inserted } }
}

/// Refuses texts that begin a certain way, and counts those it is asked about.
final class PickyEmbedder: Embedder {
    private let inner: any Embedder
    private let place: String
    private let refused: Mutex<[String]>
    private let count = Mutex(0)

    init(_ inner: any Embedder, refusing refused: [String], in place: String) {
        self.inner = inner
        self.place = place
        self.refused = Mutex(refused)
    }

    var texts: Int { count.withLock { $0 } }
    var identity: ModelIdentity { inner.identity }

    func relent() { refused.withLock { $0 = [] } }

    func embed(_ texts: [String], as kind: TextKind) async throws(EmbeddingError) -> Block {
        let beginnings = self.refused.withLock { $0 }
        if kind == .passage,
            texts.contains(where: { text in
                text.contains(place) && beginnings.contains { text.hasPrefix($0) }
            })
        {
            throw .rejected(status: 422, reason: "too_odd")
        }
        count.withLock { $0 += texts.count }
        return try await inner.embed(texts, as: kind)
    }

    func countTokens(_ text: String) -> Int { inner.countTokens(text) }
}

/// Away for its first calls.
final class FlakyEmbedder: Embedder {
    private let inner: any Embedder
    private let failures: Mutex<Int>

    init(_ inner: any Embedder, failures: Int) {
        self.inner = inner
        self.failures = Mutex(failures)
    }

    var identity: ModelIdentity { inner.identity }

    func embed(_ texts: [String], as kind: TextKind) async throws(EmbeddingError) -> Block {
        let fails = failures.withLock { left in
            left -= 1
            return left >= 0
        }
        if fails { throw .unavailable(reason: "status 429", retryAfter: .milliseconds(20)) }
        return try await inner.embed(texts, as: kind)
    }

    func countTokens(_ text: String) -> Int { inner.countTokens(text) }
}
