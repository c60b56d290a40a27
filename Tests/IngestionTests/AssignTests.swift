// The job that relates chunks to topics, stopped and taken up again.

import Embedding
import Foundation
import Ingestion
import Library
import Postgres
import Synchronization
import Testing

@Suite("Relating chunks to topics")
struct AssignTests {
    private static func store(_ workshop: Workshop, _ count: Int, in name: String) async throws {
        let chunks = (0..<count).map {
            ImportedChunk(text: $0 % 2 == 0 ? "volcano lava \($0)" : "whale ocean \($0)")
        }
        _ = try await workshop.ingestor().importChunks(
            as: .service, session: workshop.session.id, documentName: name, chunks: chunks)
    }

    private static func addTopic(_ workshop: Workshop, _ title: String) async throws -> (UUID, UUID)
    {
        try await workshop.pool.withTransaction(as: .service) { db in
            let topic = try await TopicRepository.append(
                try NewTopic(title: title), sessionID: workshop.session.id, on: db)
            let job = try await JobRepository.enqueueAssignment(
                sessionID: workshop.session.id, on: db)
            return (topic.id, job.id)
        }
    }

    /// Child chunks about a topic.
    private static func related(_ workshop: Workshop) async throws -> [Int] {
        try await workshop.pool.withConnection(as: .service) { db in
            try await TopicRepository.counted(sessionID: workshop.session.id, on: db).map(\.chunks)
        }
    }

    /// Works until a job was taken; the lease of a stopped worker has to run out first.
    private static func work(_ ingestor: Ingestor) async throws {
        while try await !ingestor.runOnce() { try await Task.sleep(for: .milliseconds(50)) }
    }

    @Test("A job that was stopped goes on from its last batch, and ends as if it had not been")
    func resumes() async throws {
        try await withWorkshop { workshop in
            try await Self.store(workshop, 40, in: "notes")
            let (_, job) = try await Self.addTopic(workshop, "volcano lava")
            var options = Ingestor.Options.hasty
            options.relatedAtOnce = 8
            let batches = Mutex<[Int]>([])
            func ingestor(stoppingAt last: Int?) -> Ingestor {
                workshop.ingestor(options: options) { event in
                    guard case .related(let batch) = event else { return }
                    batches.withLock { $0.append(batch) }
                    if batch == last { throw CancellationError() }
                }
            }
            try await Self.work(ingestor(stoppingAt: 2))
            #expect(try await workshop.job(job).state == .running)
            let partly = try await Self.related(workshop)[0]
            #expect(partly > 0 && partly < 20)
            try await Self.work(ingestor(stoppingAt: nil))
            #expect(try await workshop.job(job).state == .succeeded)
            let order = batches.withLock { $0 }
            #expect(order.prefix(3) == [1, 2, 3])
            #expect(try await Self.related(workshop) == [20])
        }
    }

    @Test("A job begins again when the topics came to mean something else while it was stopped")
    func beginsAgain() async throws {
        try await withWorkshop { workshop in
            try await Self.store(workshop, 40, in: "notes")
            let (topic, job) = try await Self.addTopic(workshop, "volcano lava")
            var options = Ingestor.Options.hasty
            options.relatedAtOnce = 8
            try await Self.work(
                workshop.ingestor(options: options) { event in
                    if event == .related(batch: 2) { throw CancellationError() }
                })
            let words = try NewTopic(title: "whale ocean")
            try await workshop.pool.withTransaction(as: .service) { db in
                _ = try await TopicRepository.update(
                    sessionID: workshop.session.id, id: topic, words: words, isCompleted: nil,
                    on: db)
            }
            try await Self.work(workshop.ingestor(options: options))
            #expect(try await workshop.job(job).state == .succeeded)
            #expect(try await Self.related(workshop) == [20])
        }
    }

    @Test("Doing it again writes no row and raises no revision")
    func isIdempotent() async throws {
        try await withWorkshop { workshop in
            try await Self.store(workshop, 40, in: "notes")
            _ = try await Self.addTopic(workshop, "volcano lava")
            try await Self.work(workshop.ingestor())
            let revision = try await workshop.reload().revision
            try await workshop.pool.withTransaction(as: .service) { db in
                _ = try await JobRepository.enqueueAssignment(
                    sessionID: workshop.session.id, on: db)
            }
            try await Self.work(workshop.ingestor())
            #expect(try await workshop.reload().revision == revision)
            #expect(try await workshop.reload().status == .active)
        }
    }

    @Test("Chunks stored between the vectors and the last batch are related all the same")
    func arrivals() async throws {
        try await withWorkshop { workshop in
            try await Self.store(workshop, 40, in: "notes")
            _ = try await Self.addTopic(workshop, "volcano lava")
            var options = Ingestor.Options.hasty
            options.relatedAtOnce = 8
            try await Self.work(
                workshop.ingestor(options: options) { event in
                    if event == .related(batch: 2) {
                        try await Self.store(workshop, 30, in: "later")
                    }
                })
            #expect(try await Self.related(workshop) == [35])
        }
    }

    @Test("Without the session's model the job fails and says so; the session is active again")
    func withoutModel() async throws {
        try await withWorkshop { workshop in
            try await Self.store(workshop, 4, in: "notes")
            let (_, job) = try await Self.addTopic(workshop, "volcano lava")
            try await workshop.pool.withTransaction(as: .service) { db in
                try await db.script(
                    "UPDATE carrel.embedding_models SET name = 'unheard-of';")
            }
            var options = Ingestor.Options.hasty
            options.attempts = 1
            try await Self.work(workshop.ingestor(options: options))
            let ended = try await workshop.job(job)
            #expect(ended.state == .failed)
            #expect(ended.errorMessage?.hasPrefix("unavailable") == true)
            #expect(try await workshop.reload().status == .active)
        }
    }
}
