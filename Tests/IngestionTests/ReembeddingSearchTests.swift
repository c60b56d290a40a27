// What searches of a session in memory notice of its switch: another model, and nothing else.

import Embedding
import Foundation
import Ingestion
import Library
import Postgres
import Retrieval
import Synchronization
import TestSupport
import Testing
import Vectors

@Suite("Searches and a re-embedding")
struct ReembeddingSearchTests {
    /// A server's cache, and a worker that tells it what it does.
    private struct Server {
        let cache: SnapshotCache
        let searcher: Searcher
        let worker: Ingestor

        init(
            _ shop: Workshop,
            prepared: @escaping @Sendable (Transaction) async throws -> Void = { _ in }
        ) {
            let cache = SnapshotCache(shop.pool, limits: .init(bytes: 1 << 30))
            self.cache = cache
            searcher = Searcher(
                pool: shop.pool,
                embedders: EmbedderRegistry([oldModel, newModel, thirdModel]), snapshots: cache)
            worker = shop.ingestor(
                others: [newModel, thirdModel], options: .small,
                didCommit: { await cache.committed($0) },
                willCommit: { session, transaction in
                    let settle = try await cache.prepare(session, on: transaction)
                    try await prepared(transaction)
                    return settle
                })
        }

        func search(_ text: String, in session: UUID, k: Int = 5) async throws -> SearchAnswer {
            try await searcher.search(
                SearchRequest(as: .service, session: session, query: .text(text), k: k))
        }
    }

    @Test(
        "Sixteen clients search throughout: the session stays in memory, and each hit is of the answer's model"
    )
    func stays() async throws {
        try await withWorkshop { shop in
            try await shop.store(300, in: "first")
            let session = shop.session.id
            let server = Server(shop)
            _ = try await server.cache.build(session)
            let begun = server.cache.statistics.builds
            let job = try await shop.begin()
            let end = Flag()
            let searches = (0..<16).map { number in
                let question = "matter \(number % 7), at length"
                return Task {
                    var answers: [SearchAnswer] = []
                    while !end.isRaised || answers.count < 20 {
                        answers.append(try await server.search(question, in: session))
                    }
                    return (question, answers)
                }
            }
            #expect(try await shop.work(server.worker, until: job).state == .succeeded)
            end.raise()
            let revision = try await shop.reload().revision
            var judges = [oldModel, newModel].map { Judge($0) }
            for search in searches {
                let (question, answers) = try await search.value
                for answer in answers {
                    #expect(answer.meta.plan == .scan)
                    let judge = answer.meta.revision < revision ? 0 : 1
                    #expect(answer.meta.model == judges[judge].model.identity.name)
                    #expect(answer.hits.count == 5)
                    for hit in answer.hits {
                        let score = try await judges[judge].score(
                            of: hit.text.string, for: question)
                        #expect(abs(hit.score - score) < 1e-4)
                    }
                }
            }
            #expect(judges.allSatisfy { $0.count > 0 })
            #expect(server.cache.statistics.builds == begun, "nobody had it read again")
            // What was prepared is what is stored.
            let prepared = try await server.search("Passage 77 of first", in: session, k: 50)
            let read = Server(shop)
            _ = try await read.cache.build(session)
            let fresh = try await read.search("Passage 77 of first", in: session, k: 50)
            #expect(prepared.hits.map(\.chunk) == fresh.hits.map(\.chunk))
            #expect(prepared.hits.map(\.score) == fresh.hits.map(\.score))
            #expect(prepared.meta.revision == fresh.meta.revision)
        }
    }

    @Test("What was prepared for a switch that did not come about is never shown")
    func rolledBack() async throws {
        try await withWorkshop { shop in
            try await shop.store(80, in: "first")
            let session = shop.session.id
            let isKilled = Flag()
            let server = Server(shop) { transaction in
                guard !isKilled.isRaised else { return }
                isKilled.raise()
                let process: Int = try await transaction.query(
                    Statement("process", "SELECT pg_backend_pid()")
                ).single()
                kill(Int32(process), SIGTERM)
                while try await shop.isRunning(process) {
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            _ = try await server.cache.build(session)
            let before = try await shop.reload().revision
            let job = try await shop.begin()
            while !isKilled.isRaised { _ = try await server.worker.runOnce([.reembed]) }
            #expect(try await shop.job(job).state != .succeeded)
            // The next writer's revision has the number that the switch would have had.
            try await shop.store(3, in: "second", saying: "salamanders")
            let answer = try await server.search("salamanders", in: session, k: 3)
            #expect(answer.meta.revision == before + 1)
            #expect(answer.meta.model == oldModel.identity.name)
            #expect(Set(answer.hits.map(\.fileName)) == ["second"])
            let ended = try await shop.work(server.worker, until: job)
            #expect(ended.state == .succeeded, "\(ended)")
            try await shop.check(newModel)
            let after = try await server.search("salamanders", in: session, k: 3)
            #expect(after.meta.plan == .scan && after.meta.model == newModel.identity.name)
        }
    }

    @Test(
        "Another server, which prepared nothing, answers from PostgreSQL until it has read the session"
    )
    func elsewhere() async throws {
        try await withWorkshop { shop in
            try await shop.store(200, in: "first")
            let session = shop.session.id
            let (here, there) = (Server(shop), Server(shop))
            _ = try await there.cache.build(session)
            let job = try await shop.begin()
            #expect(try await shop.work(here.worker, until: job).state == .succeeded)
            let revision = try await shop.reload().revision
            try await withThrowingTaskGroup(of: SearchAnswer.self) { group in
                for number in 0..<30 {
                    group.addTask { try await there.search("matter \(number)", in: session) }
                }
                for try await answer in group {
                    #expect(answer.meta.revision == revision)
                    #expect(answer.meta.model == newModel.identity.name)
                }
            }
            while there.cache.resident(session)?.revision != revision {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(try await there.search("matter", in: session).meta.plan == .scan)
        }
    }
}

extension Workshop {
    /// Whether a process serves somebody in the database.
    fileprivate func isRunning(_ process: Int) async throws -> Bool {
        let find = Statement("find", "SELECT pid FROM pg_stat_activity WHERE pid = $1")
        return try await pool.withConnection(as: .service) {
            try await $0.query(find, process).count
        } > 0
    }
}

/// What a model makes of texts, itself.
private struct Judge {
    let model: any Embedder
    private var passages: [String: [Float]] = [:]
    private var questions: [String: [Float]] = [:]
    private(set) var count = 0

    init(_ model: any Embedder) { self.model = model }

    mutating func score(of passage: String, for question: String) async throws -> Float {
        count += 1
        if passages[passage] == nil {
            passages[passage] = Array(try await model.embed([passage], as: .passage).row(0))
        }
        if questions[question] == nil {
            questions[question] = Array(try await model.embed([question], as: .query).row(0))
        }
        return zip(passages[passage]!, questions[question]!).reduce(0) { $0 + $1.0 * $1.1 }
    }
}

/// Raised by one, seen by others.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isRaised: Bool { value.load(ordering: .acquiring) }
    func raise() { value.store(true, ordering: .releasing) }
}
