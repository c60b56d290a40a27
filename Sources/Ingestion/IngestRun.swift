// One job under one lease, step by step. Every finished step is kept in a scratch file, and a step
// that is found there is not done again.

import Documents
import Embedding
import Foundation
import Library
import Postgres
import Vectors

struct IngestRun {
    private let ingestor: Ingestor
    private let lease: Lease
    private let document: Document
    private let own: SessionEmbedder
    let scratch: Scratch

    private var steps = IngestSteps()
    private var timings = StageTimings()
    private var extracted: ExtractedDocument?
    private var slices = TextSlices("")
    private var chunks: [CutChunk] = []
    private var vectors: [Int: [Float]] = [:]

    /// Marks the document as being worked on.
    init(_ ingestor: Ingestor, _ lease: Lease) async throws {
        guard let id = lease.job.documentID else { throw IngestionError.documentNotFound }
        let session = lease.job.sessionID
        (document, own) = try await lease.transaction { db in
            let document = try await DocumentRepository.updateStatus(
                sessionID: session, id: id, status: .processing, on: db)
            let own = try await ingestor.embedders.embedder(ofSession: session, on: db)
            return (document, own)
        }
        self.ingestor = ingestor
        self.lease = lease
        scratch = Scratch(in: ingestor.scratchDirectory, job: lease.job.id)
        timings = scratch.read(as: StageTimings.self, "timings", key: "") ?? StageTimings()
    }

    mutating func work() async throws {
        while true {
            switch steps.next {
            case .extract: try await extract()
            case .chunk: try await chunk()
            case .embed(let batch): try await embed(batch)
            case .store: try await store()
            case .done: return
            }
        }
    }

    // MARK: Steps

    private mutating func extract() async throws {
        let key = "extract \(document.fileHash) \(document.fileName)"
        if let kept = scratch.read(as: ExtractedDocument.self, "extract", key: key) {
            extracted = kept
        } else {
            try await report("extract")
            let began = ContinuousClock.now
            guard let blob = UUID(uuidString: document.filePath) else {
                throw DocumentError.unreadable("its bytes are missing")
            }
            let found = try await ingestor.blobs.withFile(blob) { path in
                try await ingestor.extractor.extract(path, fileName: document.fileName)
            }
            timings.extractMicroseconds += began.microsecondsAgo
            try keep(found, "extract", key: key)
            extracted = found
        }
        slices = TextSlices(text.text)
        steps.didExtract()
        try await ingestor.observe(.extracted)
    }

    private mutating func chunk() async throws {
        let extracted = text
        let key = "chunk \(document.fileHash) \(Chunker.version) \(embedder.identity.key)"
        if let kept = scratch.read(as: [CutChunk].self, "chunk", key: key) {
            chunks = kept
        } else {
            try await report("chunk")
            let began = ContinuousClock.now
            let hash = document.fileHash
            let chunker = Chunker(countTokens: embedder.countTokens)
            let cut = try await blocking {
                chunker.chunks(of: extracted, documentHash: hash).map(CutChunk.init)
            }
            timings.chunkMicroseconds += began.microsecondsAgo
            try keep(cut, "chunk", key: key)
            chunks = cut
        }
        steps.didChunk(passages: passages.count)
        // Only now: a file that cannot be read leaves its session as it was.
        try await lease.transaction { db in
            try await SessionRepository.beginChunking(id: document.sessionID, on: db)
        }
        try await ingestor.observe(.chunked)
    }

    private mutating func embed(_ batch: Int) async throws {
        let name = "embed-\(batch)"
        let batchPassages = passages[steps.passages(of: batch)]
        let key = "\(embedder.identity.key) \(batchPassages.map(\.id.uuidString).joined())"
        if let kept = scratch.read(name, key: key) {
            vectors[batch] = kept.floats
        } else {
            try await report("embed")
            let began = ContinuousClock.now
            let floats = try await own.passages(
                batchPassages.map { slices[$0.start..<$0.end] }, ingestor.pool
            ).vectors.flatMap { $0 }
            timings.embedMicroseconds += began.microsecondsAgo
            try scratch.write(name, key: key, floats.bytes)
            try keep(timings, "timings", key: "")
            vectors[batch] = floats
        }
        steps.didEmbed(batch: batch)
        try await ingestor.observe(.embedded(batch: batch))
    }

    /// The only step others can see, in one transaction: pages, sections, chunks, text, status,
    /// revision, and the job's end. Either all of it happened, once, or nothing.
    private mutating func store() async throws {
        try await report("store")
        let began = ContinuousClock.now
        let rows = DocumentRows(
            document: document, extracted: text, chunks: chunks,
            childVectors: (0..<steps.batchCount).flatMap { vectors[$0] ?? [] })
        let session = document.sessionID
        let job = lease.job
        timings.chunks = chunks.count
        timings.passages = passages.count
        let before = timings
        timings = try await lease.transaction { db in
            try await PageRepository.insert(rows.pages, on: db)
            try await SectionRepository.insert(rows.sections, sessionID: session, on: db)
            // Another model meanwhile: the next attempt embeds with that.
            try await ChunkRepository.insert(
                rows.chunks, sessionID: session, modelID: own.model.id, on: db)
            try await DocumentRepository.setContent(
                sessionID: session, id: document.id, text: rows.text, fileType: rows.fileType,
                pageCount: rows.pages.count, on: db)
            try await DocumentRepository.updateStatus(
                sessionID: session, id: document.id, status: .completed,
                pageCount: rows.pages.count, on: db)
            var timings = before
            timings.storeMicroseconds += began.microsecondsAgo
            try await JobRepository.progress(
                id: job.id, done: Int64(steps.total), total: Int64(steps.total), stage: "done",
                owner: lease.owner, on: db)
            try await JobRepository.record(
                id: job.id, payload: String(decoding: JSONEncoder().encode(timings), as: UTF8.self),
                under: "timings", on: db)
            guard
                try await JobRepository.finish(
                    id: job.id, state: .succeeded, owner: lease.owner, on: db)
            else { throw LeaseLost() }
            try await SessionRepository.settle(id: session, on: db)
            try await ingestor.observe(.storing)
            return timings
        }
        steps.didStore()
        await ingestor.didCommit(session)
    }

    // MARK: Pieces

    private var embedder: any Embedder { own.embedder }

    private var text: ExtractedDocument {
        guard let extracted else { preconditionFailure("no text before it is extracted") }
        return extracted
    }

    /// What the model reads: the children.
    private var passages: [CutChunk] { chunks.filter { $0.parentID != nil } }

    private func report(_ stage: String) async throws {
        let held = try await ingestor.pool.withConnection(as: .service) { db in
            try await JobRepository.progress(
                id: lease.job.id, done: Int64(steps.done), total: Int64(steps.total), stage: stage,
                owner: lease.owner, on: db)
        }
        guard held else { throw LeaseLost() }
    }

    private func keep(_ value: some Encodable, _ name: String, key: String) throws {
        try scratch.write(name, key: key, Array(JSONEncoder().encode(value)))
        if name != "timings" { try keep(timings, "timings", key: "") }
    }
}

extension Scratch {
    fileprivate func read<T: Decodable>(as type: T.Type, _ name: String, key: String) -> T? {
        read(name, key: key).flatMap { try? JSONDecoder().decode(T.self, from: Data($0)) }
    }
}

extension ContinuousClock.Instant {
    var microsecondsAgo: Int {
        Int((ContinuousClock.now - self) / .microseconds(1))
    }
}

extension ModelIdentity {
    /// Everything a vector depends on besides the text.
    fileprivate var key: String {
        "\(provider) \(name) \(revision) \(weightsSHA256 ?? "-") \(pooling) \(passagePrefix)"
    }
}
