// Sessions on their way from one model to another, and what must be true of every vector.

import Embedding
import Foundation
import Ingestion
import Library
import Postgres
import TestSupport
import Testing
import Vectors

/// The model sessions are made with, and two to go to.
let oldModel: any Embedder = HashingEmbedder()
let newModel: any Embedder = TwinEmbedder("twin", seed: 7)
let thirdModel: any Embedder = TwinEmbedder("third", seed: 8)

extension Workshop {
    func reembedder(
        others: [any Embedder] = [newModel, thirdModel], options: Ingestor.Options = .small,
        observe: @escaping @Sendable (WorkerEvent) async throws -> Void = { _ in }
    ) -> Ingestor {
        ingestor(others: others, options: options, observe: observe)
    }

    /// Imports so many texts of its own into a document; returns the document.
    @discardableResult
    func store(
        _ count: Int, in name: String, saying topic: String = "matter", session: UUID? = nil
    ) async throws -> UUID {
        var document = UUID()
        for start in stride(from: 0, to: count, by: Ingestor.importLimit) {
            let chunks = (start..<min(start + Ingestor.importLimit, count)).map { number in
                ImportedChunk(
                    text: "Passage \(number) of \(name) tells of \(topic) \(number % 7), at length "
                        + "\(String(repeating: "and more ", count: number % 40 + 10)).")
            }
            document = try await reembedder().importChunks(
                as: .service, session: session ?? self.session.id, documentName: name,
                chunks: chunks
            ).documentID
        }
        return document
    }

    func begin(
        with model: any Embedder = newModel, terms: ReembeddingTerms = ReembeddingTerms(),
        session: UUID? = nil, isPaused: Bool = false
    ) async throws -> UUID {
        try await pool.withTransaction(as: .service) { db in
            try await Ingestor.beginReembedding(
                session: session ?? self.session.id, with: model, terms: terms,
                isPaused: isPaused, on: db
            ).job.id
        }
    }

    func rollBack() async throws -> UUID {
        try await pool.withTransaction(as: .service) { db in
            try await Ingestor.beginRollback(session: session.id, on: db).job.id
        }
    }

    func resume(_ job: UUID, isForced: Bool = false) async throws {
        try await pool.withTransaction(as: .service) { db in
            try await Ingestor.resumeReembedding(
                session: session.id, job: job, isForced: isForced, on: db)
        }
    }

    func run(_ job: UUID, of session: UUID? = nil) async throws -> Reembedding {
        let run = try await pool.withConnection(as: .service) { db in
            try await ReembeddingRepository.get(
                sessionID: session ?? self.session.id, jobID: job, on: db)
        }
        return try #require(run)
    }

    /// Works until the job has ended or waits for somebody.
    @discardableResult
    func work(_ ingestor: Ingestor, until job: UUID) async throws -> Job {
        for _ in 0..<2_000 {
            _ = try await ingestor.runOnce([.reembed])
            let found = try await self.job(job)
            if found.state.isEnded || found.isPaused { return found }
            try await Task.sleep(for: .milliseconds(30))
        }
        return try await self.job(job)
    }

    func count(_ table: String) async throws -> Int {
        try await pool.withConnection(as: .service) { db in
            try await db.query(Statement("count", "SELECT count(*) FROM carrel.\(table)")).single()
        }
    }

    /// Every vector of the session is what its model makes of its text, a parent's the mean of its
    /// children's; and the session's model is this one. Returns how many were looked at.
    @discardableResult
    func check(
        _ model: any Embedder, session: UUID? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Int {
        let session = session ?? self.session.id
        let rows = try await pool.withTransaction(
            as: .service, isolation: .repeatableRead, readOnly: true
        ) { db in
            let rows = try await db.query(Workshop.vectors, session)
            return try rows.map { row in
                Row(
                    id: try row.get(0), parent: try row.get(1), text: try row.get(2),
                    vector: (try row.get(3) as PostgresVector).values, model: try row.get(4),
                    count: try row.get(5))
            }
        }
        var wrong: [String] = []
        for start in stride(from: 0, to: rows.count, by: 512) {
            let batch = rows[start..<min(start + 512, rows.count)].filter { $0.parent != nil }
            let made = try await model.embed(batch.map(\.text), as: .passage)
            for (place, row) in batch.enumerated() {
                let worst = zip(row.vector, made.row(place)).map { abs($0 - $1) }.max() ?? 1
                if worst > 1e-6 { wrong.append("\(row.id): \(row.text.prefix(40))") }
            }
        }
        let children = Dictionary(grouping: rows.filter { $0.parent != nil }) { $0.parent! }
        for row in rows where row.parent == nil {
            let mean = ParentVectors.mean(of: children[row.id, default: []].map(\.vector)).values
            let worst = zip(row.vector, mean).map { abs($0 - $1) }.max() ?? 1
            if worst > 1e-6 { wrong.append("parent \(row.id)") }
        }
        let story = "\(wrong.count) of \(rows.count), first \(wrong.first ?? "")"
        #expect(wrong.isEmpty, "\(story)", sourceLocation: sourceLocation)
        if let first = rows.first {
            #expect(first.model == model.identity.name, sourceLocation: sourceLocation)
            #expect(first.count == rows.count, sourceLocation: sourceLocation)
        }
        return rows.count
    }

    private struct Row {
        let id: UUID
        let parent: UUID?
        let text: String
        let vector: [Float]
        let model: String
        let count: Int
    }

    private static let vectors = Statement(
        "test.vectors",
        """
        SELECT c.id, c.parent_chunk_id, c.chunk_text, c.embedding, m.name, s.chunk_count
        FROM carrel.document_chunks AS c
        JOIN carrel.study_sessions AS s ON s.id = c.session_id
        JOIN carrel.embedding_models AS m ON m.id = s.embedding_model_id
        WHERE c.session_id = $1
        ORDER BY c.document_id, c.chunk_index, c.id
        """)
}

extension Ingestor.Options {
    /// Batches so small that a hundred texts are many.
    static var small: Ingestor.Options {
        var options = Ingestor.Options.hasty
        options.reembeddedAtOnce = 24
        options.retiredAtOnce = 20
        options.switchedAtOnce = 16
        options.clearedAtOnce = 30
        options.longestBackoff = .milliseconds(100)
        return options
    }
}
