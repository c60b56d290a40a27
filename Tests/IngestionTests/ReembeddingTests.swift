// A session goes from one model to another: whole, never mixed, and back if it must.

import Embedding
import Foundation
import Ingestion
import Library
import Postgres
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

    @Test("Where the time to go back ends while the rest is deleted, what was kept goes, too")
    func retentionEnds() async throws {
        try await withWorkshop { shop in
            // As many as are deleted in one transaction, and no more.
            try await shop.store(20, in: "first")
            var terms = ReembeddingTerms()
            terms.retentionSeconds = 1
            let job = try await shop.begin(terms: terms)
            let (switched, isSwitched) = AsyncStream.makeStream(of: Void.self)
            let (held, isHeld) = AsyncStream.makeStream(of: Void.self)
            let ingestor = shop.reembedder { event in
                guard event == .switched else { return }
                isSwitched.finish()
                for await _ in held {}
            }
            async let holding: Void = {
                defer { isHeld.finish() }
                for await _ in switched {}
                try await shop.pool.withTransaction(as: .service) { db in
                    _ = try await db.query(Self.hold, shop.session.id, job)
                    isHeld.finish()
                    try await Task.sleep(for: .milliseconds(1_500))
                }
            }()
            #expect(try await shop.work(ingestor, until: job).state == .succeeded)
            try await holding
            try await shop.reembedder().sweepReembeddings()
            #expect(try await shop.count("reembedding_vectors") == 0)
            #expect(try await shop.count("reembeddings WHERE is_cleared") == 1)
        }
    }

    /// Whoever deletes what was staged waits.
    private static let hold = Statement(
        "test.hold",
        """
        SELECT chunk_id FROM carrel.reembedding_vectors
        WHERE session_id = $1 AND job_id = $2 FOR UPDATE
        """)

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
