import Embedding
import Foundation
import Ingestion
import Library
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite("Working on jobs")
struct WorkerTests {
    /// Runs jobs until this one has ended, waiting out leases and backoff.
    static func finish(_ job: UUID, with ingestor: Ingestor, in shop: Workshop) async throws -> Job
    {
        for _ in 0..<200 {
            _ = try? await ingestor.runOnce()
            if let found = try? await shop.job(job), found.state.isEnded { return found }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await shop.job(job)
    }

    @Test("A document goes from PENDING to COMPLETED in one step that others see")
    func ingest() async throws {
        try await withWorkshop { shop in
            let seen = Mutex<[WorkerEvent]>([])
            let ingestor = shop.ingestor { event in
                seen.withLock { $0.append(event) }
                let chunks = try await shop.reload().chunkCount
                #expect(chunks == 0 || event == .stored)
            }
            let (document, job) = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "book.md",
                bytes: book(paragraphs: 40))
            #expect(try await ingestor.runOnce())
            #expect(try await ingestor.runOnce() == false)

            let done = try await shop.document(document.id)
            #expect(done.status == .completed && done.errorMessage == nil)
            #expect(done.processedAt != nil && done.pageCount == 1 && done.fileType == "markdown")
            let ended = try await shop.job(job.id)
            #expect(ended.state == .succeeded && ended.done == ended.total && ended.done > 0)
            let session = try await shop.reload()
            #expect(session.status == .active)
            #expect(session.revision == shop.session.revision + 1)
            let chunks = try await shop.pool.withConnection(as: .service) { db in
                try await ChunkRepository.list(sessionID: session.id, limit: 10_000, on: db)
            }
            #expect(chunks.count == session.chunkCount)
            #expect(seen.withLock { $0 }.last == .stored)
            #expect(shop.files.count == 1, "only the blob is left")

            struct Payload: Decodable { let timings: StageTimings }
            let timings = try JSONDecoder().decode(Payload.self, from: Data(ended.payload.utf8))
                .timings
            #expect(timings.chunks == chunks.count)
            #expect(timings.passages == chunks.count { $0.type == .child })
            #expect(timings.rate(\.storeMicroseconds) > 0)

            // Every text is the stretch of the document that it says it is.
            let text = try await shop.pool.withConnection(as: .service) { db in
                try await DocumentRepository.text(
                    sessionID: session.id, id: document.id, on: db)
            }
            let scalars = Array(try #require(text).text.unicodeScalars)
            for chunk in chunks {
                #expect(Array(chunk.text.unicodeScalars) == Array(scalars[chunk.start..<chunk.end]))
            }
        }
    }

    @Test(
        "A file that cannot be read fails its document with a code, and changes nothing else",
        arguments: [
            ("zeros.bin", [UInt8](repeating: 0, count: 500)),
            ("cut.pdf", Array("%PDF-1.7\n1 0 obj".utf8)), ("empty.txt", []),
        ])
    func unreadable(name: String, bytes: [UInt8]) async throws {
        try await withWorkshop { shop in
            let ingestor = shop.ingestor()
            let (document, job) = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: name, bytes: bytes)
            let ended = try await Self.finish(job.id, with: ingestor, in: shop)
            #expect(ended.state == .failed && ended.attempt == 1)
            let failed = try await shop.document(document.id)
            #expect(failed.status == .failed && failed.processedAt == nil)
            #expect(failed.errorMessage?.contains(": ") == true)
            #expect(failed.errorMessage == ended.errorMessage)
            #expect(try await shop.reload() == shop.session)
            #expect(shop.files.count == 1, "the bytes stay for a retry, the scratch goes")
        }
    }

    @Test(
        "A provider that is away for a while is waited for; the document then looks like any other")
    func transient() async throws {
        let undisturbed = try await withWorkshop { shop in
            let ingestor = shop.ingestor()
            _ = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "book.md",
                bytes: book(paragraphs: 40))
            #expect(try await ingestor.runOnce())
            return try await shop.contents()
        }
        try await withWorkshop { shop in
            let away = EmbeddingError.unavailable(reason: "away", retryAfter: nil)
            let ingestor = shop.ingestor(embedder: CountingEmbedder(failures: [away, away]))
            let (_, job) = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "book.md",
                bytes: book(paragraphs: 40))
            let ended = try await Self.finish(job.id, with: ingestor, in: shop)
            #expect(ended.state == .succeeded && ended.attempt == 3)
            #expect(try await shop.contents() == undisturbed)
        }
    }

    @Test(
        "A provider that stays away fails the document after the last attempt; a retry begins again"
    )
    func givenUp() async throws {
        try await withWorkshop { shop in
            var options = Ingestor.Options.hasty
            options.attempts = 3
            let away = EmbeddingError.unavailable(reason: "away", retryAfter: nil)
            let ingestor = shop.ingestor(
                embedder: CountingEmbedder(failures: [away, away, away]), options: options)
            let (document, job) = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "book.md",
                bytes: book(paragraphs: 10))
            let ended = try await Self.finish(job.id, with: ingestor, in: shop)
            #expect(ended.state == .failed && ended.attempt == 3)
            #expect(
                try await shop.document(document.id).errorMessage?.hasPrefix("unavailable: ")
                    == true)
            // Chunking had begun, so the session had moved; it is not left in between.
            #expect(try await shop.reload().status == .active)
            #expect(try await shop.reload().chunkCount == 0)

            let again = try await ingestor.retry(
                as: .service, session: shop.session.id, document: document.id)
            #expect(again.document.status == .pending && again.document.errorMessage == nil)
            await #expect(throws: IngestionError.self) {
                try await ingestor.retry(
                    as: .service, session: shop.session.id, document: document.id)
            }
            let retried = try await Self.finish(again.job.id, with: ingestor, in: shop)
            #expect(retried.state == .succeeded)
            #expect(try await shop.document(document.id).status == .completed)
        }
    }

    @Test("A database connection lost inside the transaction costs an attempt and nothing else")
    func connectionLost() async throws {
        try await withWorkshop { shop in
            let lost = Mutex(false)
            let ingestor = shop.ingestor { event in
                guard event == .storing,
                    lost.withLock({ was in
                        defer { was = true }; return !was
                    })
                else { return }
                try await withOwner(of: shop.pool) { db in
                    try await db.script(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid()
                        """)
                }
            }
            let (_, job) = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "book.md",
                bytes: book(paragraphs: 20))
            let ended = try await Self.finish(job.id, with: ingestor, in: shop)
            #expect(lost.withLock { $0 })
            #expect(ended.state == .succeeded)
            let session = try await shop.reload()
            #expect(session.status == .active && session.revision == shop.session.revision + 1)
        }
    }

    @Test("What was finished is not done again, and a damaged scratch file is")
    func resume() async throws {
        try await withWorkshop { shop in
            let embedder = CountingEmbedder()
            // The first worker is stopped without a word after its first batch.
            let first = shop.ingestor(embedder: embedder) { event in
                if event == .embedded(batch: 0) { throw CancellationError() }
            }
            let (_, job) = try await first.submit(
                as: .service, session: shop.session.id, fileName: "book.md",
                bytes: book(paragraphs: 400))
            #expect(try await first.runOnce())
            #expect(embedder.texts == IngestSteps.batchSize)

            let second = shop.ingestor(embedder: embedder) { event in
                if event == .embedded(batch: 1) { throw CancellationError() }
            }
            while embedder.texts < 2 * IngestSteps.batchSize {
                _ = try await second.runOnce()
                try await Task.sleep(for: .milliseconds(50))
            }
            let scratch = "\(shop.blobs.directory)/jobs/\(job.id.uuidString.lowercased())"
            try Data("damaged".utf8).write(to: URL(filePath: "\(scratch)/embed-0"))

            let ended = try await Self.finish(
                job.id, with: shop.ingestor(embedder: embedder), in: shop)
            #expect(ended.state == .succeeded)
            // All children once, and the damaged batch again.
            #expect(embedder.texts == Int(ended.total) + IngestSteps.batchSize)
        }
    }

    @Test("A worker whose lease was taken stops and writes nothing")
    func leaseTaken() async throws {
        try await withWorkshop { shop in
            let slow = shop.ingestor { event in
                guard event == .chunked else { return }
                try await shop.pool.withConnection(as: .service) { db in
                    try await db.script("UPDATE carrel.jobs SET lease_owner = 'another'")
                }
            }
            let (document, job) = try await slow.submit(
                as: .service, session: shop.session.id, fileName: "book.md",
                bytes: book(paragraphs: 20))
            #expect(try await slow.runOnce())
            #expect(try await shop.reload().chunkCount == 0)
            #expect(try await shop.document(document.id).status == .processing)
            let ended = try await Self.finish(job.id, with: shop.ingestor(), in: shop)
            #expect(ended.state == .succeeded && ended.attempt == 2)
        }
    }

    @Test("A cancelled job stops its worker and fails its document")
    func cancel() async throws {
        try await withWorkshop { shop in
            let job = Mutex<UUID?>(nil)
            let quiet = shop.ingestor()
            let ingestor = shop.ingestor { event in
                guard event == .chunked, let id = job.withLock({ $0 }) else { return }
                let cancelled = [
                    try await quiet.cancel(as: .service, job: id),
                    try await quiet.cancel(as: .service, job: id),
                ]
                #expect(cancelled == [true, false])
            }
            let submitted = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "book.md",
                bytes: book(paragraphs: 20))
            job.withLock { $0 = submitted.job.id }
            #expect(try await ingestor.runOnce())
            #expect(try await shop.job(submitted.job.id).state == .cancelled)
            let document = try await shop.document(submitted.document.id)
            #expect(
                document.status == .failed && document.errorMessage?.hasPrefix("cancelled") == true)
            #expect(try await shop.reload().chunkCount == 0)
        }
    }

    @Test("A deleted document is gone with its rows, its bytes and the work on it")
    func delete() async throws {
        try await withWorkshop { shop in
            let ingestor = shop.ingestor()
            let kept = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "a.md",
                bytes: book(paragraphs: 20, seed: 1))
            let gone = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "b.md",
                bytes: book(paragraphs: 20, seed: 2))
            #expect(try await ingestor.runOnce())
            let before = try await shop.contents().filter { !$0.hasPrefix("document") }
            #expect(
                try await ingestor.delete(
                    as: .service, session: shop.session.id, document: gone.document.id))
            #expect(
                try await ingestor.delete(
                    as: .service, session: shop.session.id, document: gone.document.id)
                    == false)
            #expect(try await ingestor.runOnce() == false)
            #expect(shop.files.count == 1)
            #expect(
                try await shop.contents().filter {
                    !$0.hasPrefix("document") && !$0.hasPrefix("session")
                }
                    == before.filter { !$0.hasPrefix("session") })
            #expect(try await shop.reload().status == .active)
            #expect(
                try await ingestor.delete(
                    as: .service, session: shop.session.id, document: kept.document.id))
            #expect(try await shop.reload().chunkCount == 0)
            #expect(shop.files.isEmpty)
        }
    }

    @Test("Workers side by side share the work and do none of it twice")
    func sideBySide() async throws {
        try await withWorkshop(size: 8) { shop in
            let embedder = CountingEmbedder()
            let ingestor = shop.ingestor(embedder: embedder)
            var jobs: [UUID] = []
            for seed in 0..<6 {
                let bytes = book(paragraphs: 15, seed: seed)
                jobs.append(
                    try await ingestor.submit(
                        as: .service, session: shop.session.id, fileName: "\(seed).md", bytes: bytes
                    ).job.id)
            }
            let workers = (0..<3).map { _ in Task { await ingestor.run() } }
            for job in jobs {
                for _ in 0..<400 where try await !shop.job(job).state.isEnded {
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            for worker in workers { worker.cancel() }
            for worker in workers { await worker.value }
            var passages = 0
            for job in jobs {
                let ended = try await shop.job(job)
                #expect(ended.state == .succeeded && ended.attempt == 1)
                passages += Int(ended.total)
            }
            #expect(embedder.texts == passages)
            #expect(try await shop.reload().status == .active)
        }
    }
}
