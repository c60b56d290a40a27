// Workers, the server and PostgreSQL are killed (SIGKILL, no goodbye) at random moments of a
// re-embedding there and back, while people search over the socket. At the end no vector is lost, doubled or
// mixed, and no search failed but for want of a server or a database.
//
// On request: CARREL_REEMBED_KILLS says how many times (8 take half a minute, 200 a quarter of an hour),
// CARREL_REEMBED_CHUNKS in how large a session, CARREL_REEMBED_GAP how many milliseconds at most between two
// kills. Not of itself, because it once did not come to an end beside other suites, and nobody knows why.

import Embedding
import Foundation
import Ingestion
import Library
import Postgres
import TestSupport
import Testing
import Vectors

@Suite("Killed re-embeddings")
struct ReembeddingKillTests {
    private static func number(_ name: String, _ usual: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? usual
    }

    @Test(
        "Killed at random moments, worker, server or database, every vector is its model's own at the end",
        .enabled(
            if: ProcessInfo.processInfo.environment["CARREL_REEMBED_KILLS"] != nil,
            "CARREL_REEMBED_KILLS does not say how often to kill"))
    func kills() async throws {
        let seed = UInt64(Self.number("CARREL_REEMBED_SEED", Int.random(in: 1..<1_000_000)))
        let system = try await MortalSystem.start(seed: seed)
        let result: Result<Void, any Error>
        do {
            result = .success(try await Self.kills(in: system, seed: seed))
        } catch {
            result = .failure(error)
        }
        await system.end()
        try result.get()
    }

    private static func kills(in system: MortalSystem, seed: UInt64) async throws {
        let texts = number("CARREL_REEMBED_CHUNKS", 700)
        let models: [any Embedder] = [oldModel, NoiseEmbedder()]
        let shop = system.shop
        try await shop.store(texts, in: "book")
        let end = End()
        let (story, tally) = try await withThrowingTaskGroup(of: SteadfastSearcher.Tally.self) {
            group in
            for number in 0..<3 {
                let searcher = SteadfastSearcher(
                    port: system.port, key: system.key, session: shop.session.id, models: models,
                    number: number, end: end)
                group.addTask { try await searcher.search() }
            }
            let story = try await kill(
                number("CARREL_REEMBED_KILLS", 8), within: number("CARREL_REEMBED_GAP", 1_500),
                system)
            end.come()
            return (story, try await group.reduce(SteadfastSearcher.Tally(), +))
        }
        print("seed \(seed): killed \(story); searches: \(tally)")
        #expect(tally.answers.values.reduce(0, +) > 10, "seed \(seed)")

        let name = try await shop.reload().modelName
        let chunks = try await shop.check(try #require(models.first { $0.identity.name == name }))
        #expect(chunks > texts, "seed \(seed)")
        let (rows, counted) = (
            try await shop.count("document_chunks"), try await shop.reload().chunkCount
        )
        #expect(rows == chunks && counted == chunks, "seed \(seed)")
        // What is kept for the way back has come through it all, too.
        let back = try await shop.rollBack()
        #expect(
            try await shop.work(shop.reembedder(others: [models[1]]), until: back).state
                == .succeeded)
        let other = try #require(models.first { $0.identity.name != name })
        #expect(try await shop.check(other) == chunks, "seed \(seed)")
    }

    /// Kills so many times, and then lets the work come to its end. Tells what was killed when.
    private static func kill(
        _ times: Int, within gap: Int, _ system: MortalSystem
    ) async throws -> String {
        let shop = system.shop
        var terms = ReembeddingTerms()
        terms.isForced = true
        terms.queries = 4
        var job = try await shop.begin(with: NoiseEmbedder(), terms: terms)
        var steps: [String: Int] = [:]
        for _ in 0..<times {
            try await Task.sleep(for: .milliseconds(Int(system.draw(gap))))
            try await whereItIsThere {
                // There and back again, as long as there are kills left. The newest: it may have been begun
                // by a commit whose answer was lost.
                job = try await newestJob(shop.pool)
                if try await shop.job(job).state.isEnded { job = try await shop.rollBack() }
            }
            var step = "an outage"
            try await whereItIsThere {
                let now = try await shop.job(job)
                step = (now.stage ?? "its beginning").components(separatedBy: ":")[0]
            }
            let victim = try await system.killOne()
            steps["\(victim) during \(step)", default: 0] += 1
        }
        var open = 1
        for _ in 0..<12_000 where open > 0 {
            try await whereItIsThere {
                open = try await shop.count("jobs WHERE state IN ('QUEUED', 'RUNNING')")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(open == 0, "it comes to an end")
        #expect(try await shop.count("jobs WHERE state <> 'SUCCEEDED'") == 0)
        let switches = try await shop.count("reembeddings WHERE switched_at IS NOT NULL")
        return steps.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            .joined(separator: ", ") + "; \(switches) switches"
    }
}

private func newestJob(_ pool: Pool) async throws -> UUID {
    let statement = Statement(
        "test.newestJob", "SELECT id FROM carrel.jobs ORDER BY created_at DESC LIMIT 1")
    return try await pool.withConnection(as: .service) { db in
        try await db.query(statement)[0].get(0)
    }
}

/// Does something, or nothing where the database has just been killed.
private func whereItIsThere(_ body: () async throws -> Void) async throws {
    do { try await body() } catch is PostgresError {}
}
