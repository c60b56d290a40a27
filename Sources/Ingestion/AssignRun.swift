// One ASSIGN_TOPICS job: what the topics mean, and then which of them every chunk is about.
//
// Vectors first, in a transaction that locks the session: chunks stored after it are related as they
// are stored, and those stored before it are what the batches go through. Nothing falls in between.

import Crypto
import Embedding
import Foundation
import Library
import Postgres
import Vectors

struct AssignRun {
    let ingestor: Ingestor
    let lease: Lease

    /// How far the job is, kept in its payload.
    private struct Progress: Codable {
        /// What the topics meant; under another meaning the batches begin again.
        var meaning: String
        var after: UUID?
        var looked = 0
        var batches = 0
    }

    private var session: UUID { lease.job.sessionID }

    func work() async throws {
        let meaning = try await embedTopics()
        var progress = kept(meaning) ?? Progress(meaning: meaning)
        while try await relate(&progress) {
            try await ingestor.observe(.related(batch: progress.batches))
        }
        try await finish(progress)
        await ingestor.didCommit(session)
    }

    /// Makes and keeps the vectors of all topics. Returns what identifies them.
    ///
    /// The model is asked outside of any transaction; topics that were changed meanwhile are asked
    /// about again.
    private func embedTopics() async throws -> String {
        while true {
            let (topics, model, embedder) = try await lease.transaction { db in
                let own = try await ingestor.embedders.embedder(ofSession: session, on: db)
                return (
                    try await TopicRepository.list(sessionID: session, on: db),
                    own.model.id, own.embedder
                )
            }
            let meanings = try await meanings(of: topics, by: embedder)
            let isDone = try await lease.transaction { db in
                _ = try await SessionRepository.nextRevision(id: session, on: db)
                let now = try await TopicRepository.list(sessionID: session, on: db)
                guard now.map(\.words) == topics.map(\.words),
                    try await modelID(on: db) == model
                else { return false }
                try await TopicVectorRepository.replace(
                    with: meanings, sessionID: session, modelID: model, on: db)
                return true
            }
            if isDone {
                let text = ([model.uuidString] + topics.flatMap(\.words)).joined(separator: "\n")
                return SHA256.hash(data: Array(text.utf8)).hexadecimal
            }
        }
    }

    private func meanings(
        of topics: [Topic], by embedder: any Embedder
    ) async throws -> [TopicVectorRepository.Meaning] {
        if topics.isEmpty { return [] }
        let texts = topics.map(\.texts)
        let block = try await embedder.embed(texts.flatMap { $0 }, as: .query)
        var next = 0
        return zip(topics, texts).map { topic, texts in
            let rows = next..<next + texts.count
            next = rows.upperBound
            return TopicVectorRepository.Meaning(
                topicID: topic.id, vectors: rows.map(block.row))
        }
    }

    /// Looks at the next batch. False when it was the last.
    private func relate(_ progress: inout Progress) async throws -> Bool {
        let (before, limit) = (progress, ingestor.options.relatedAtOnce)
        let (after, isMore) = try await lease.transaction { db in
            let step = try await TopicRelations.relate(
                sessionID: session, after: before.after, limit: limit, on: db)
            var progress = before
            progress.after = step.last ?? before.after
            progress.looked += step.looked
            progress.batches += 1
            let total = try await SessionRepository.revision(ids: [session], on: db)[session]?
                .chunkCount
            try await JobRepository.progress(
                id: lease.job.id, done: Int64(progress.looked),
                total: Int64(max(total ?? 0, progress.looked)), stage: "relate",
                owner: lease.owner, on: db)
            try await JobRepository.record(
                id: lease.job.id,
                payload: String(decoding: JSONEncoder().encode(progress), as: UTF8.self),
                under: "assignment", on: db)
            return (progress, step.looked == limit)
        }
        progress = after
        return isMore
    }

    private func finish(_ progress: Progress) async throws {
        try await lease.transaction { db in
            try await TopicRelations.linkDocuments(sessionID: session, on: db)
            try await JobRepository.progress(
                id: lease.job.id, done: Int64(progress.looked), total: Int64(progress.looked),
                stage: "done", owner: lease.owner, on: db)
            guard
                try await JobRepository.finish(
                    id: lease.job.id, state: .succeeded, owner: lease.owner, on: db)
            else { throw LeaseLost() }
            try await SessionRepository.settle(id: session, on: db)
        }
    }

    /// Where the worker before was, if the topics still mean the same.
    private func kept(_ meaning: String) -> Progress? {
        struct Payload: Decodable { var assignment: Progress? }
        let payload = try? JSONDecoder().decode(Payload.self, from: Data(lease.job.payload.utf8))
        return payload?.assignment.flatMap { $0.meaning == meaning ? $0 : nil }
    }

    private func modelID(on db: Transaction) async throws -> UUID {
        guard let version = try await SessionRepository.revision(ids: [session], on: db)[session]
        else { throw IngestionError.sessionNotFound }
        return version.modelID
    }
}

extension Topic {
    /// What its vectors depend on.
    fileprivate var words: [String] { [id.uuidString] + texts }
}
