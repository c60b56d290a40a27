// What makes a re-embedding wait: texts the model refuses, a gate that objects, somebody who wishes it.

import Embedding
import Foundation
import Ingestion
import Library
import Postgres
import TestSupport
import Testing
import Vectors

@Suite("Re-embedding that waits")
struct ReembeddingStopTests {
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
}
