// Sessions with chunks whose vectors a test knows, in a real PostgreSQL.

import Embedding
import Foundation
import Library
import Postgres
import Retrieval
import TestSupport
import Vectors

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): the same numbers from the same seed everywhere.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func unitVector() -> UnitVector {
        let values = (0..<UnitVector.dimension).map { _ in Float.random(in: -1...1, using: &self) }
        return try! UnitVector(normalizing: values)
    }

    mutating func uuid() -> UUID {
        let (a, b) = (next(), next())
        let words = [a, b]
        let bytes = (0..<16).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> (8 * ($0 % 8))) }
        return UUID(
            uuid: (
                bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
                bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
            ))
    }
}

func withMigratedDatabase<R>(_ body: (Pool) async throws -> R) async throws -> R {
    try await withDatabase(migrated: true, body)
}

/// A chunk as a test planted it.
struct Planted {
    var id: UUID
    var parent: UUID?
    var vector: UnitVector
    var document: UUID
    var page: Int
    var topics: [UUID]
    var text: String

    var type: ChunkType { parent == nil ? .parent : .child }
}

struct PlantedSession {
    let id: UUID
    let model: EmbeddingModel
}

/// A new account with one session, whose model is the hashing embedder's.
func plantSession(on pool: Pool, handle: String = "ada") async throws -> PlantedSession {
    let identity = HashingEmbedder().identity
    return try await pool.withTransaction(as: .service) { db in
        let profile = try await ProfileRepository.create(
            handle: handle, email: "\(handle)@example.org", passwordHash: "-", on: db)
        let model = try await EmbeddingModelRepository.register(
            NewEmbeddingModel(
                name: identity.name, revision: identity.revision,
                nativeDimension: identity.nativeDimension, pooling: identity.pooling,
                provider: identity.provider), on: db)
        let session = try await SessionRepository.create(
            profileID: profile.id, title: "Test", modelID: model.id, on: db)
        return PlantedSession(id: session.id, model: model)
    }
}

/// Plants a document of `pages` pages with these vectors: runs of five children under a parent whose
/// vector is its first child's. Children's texts are `child <n>`, of 10 tokens; parents of 40.
func plant(
    _ vectors: [UnitVector], pages: Int = 3, topics: [UUID] = [], in session: UUID,
    using generator: inout Seeded, on pool: Pool
) async throws -> [Planted] {
    let document = generator.uuid()
    let pageIDs = (0..<pages).map { _ in generator.uuid() }
    let sections = pageIDs.enumerated().map { index, page in
        NewSection(
            id: generator.uuid(), pageID: page, index: 0, heading: "Page \(index + 1)",
            headingPath: ["Book", "Page \(index + 1)"], content: "text", start: index * 100,
            end: index * 100 + 100)
    }
    var planted: [Planted] = []
    var rows: [NewChunk] = []
    func append(_ vector: UnitVector, parent: UUID?, page: Int, tokens: Int) -> UUID {
        let id = generator.uuid()
        let index = rows.count
        rows.append(
            NewChunk(
                id: id, documentID: document, sectionID: sections[page - 1].id, parentID: parent,
                index: index, text: "\(parent == nil ? "parent" : "child") \(index)",
                start: index, end: index + 10, pageFrom: page, pageTo: page, tokenCount: tokens,
                embedding: vector.values, topicIDs: topics))
        planted.append(
            Planted(
                id: id, parent: parent, vector: vector, document: document, page: page,
                topics: topics, text: rows[index].text))
        return id
    }
    for start in stride(from: 0, to: vectors.count, by: 5) {
        let page = (start / 5) % pages + 1
        let parent = append(vectors[start], parent: nil, page: page, tokens: 40)
        for vector in vectors[start..<min(start + 5, vectors.count)] {
            _ = append(vector, parent: parent, page: page, tokens: 10)
        }
    }
    try await pool.withTransaction(as: .service) { db in
        _ = try await DocumentRepository.create(
            NewDocument(
                sessionID: session, id: document, fileName: "book.txt", filePath: "-",
                fileHash: hash(of: document), fileType: "text", fileSizeBytes: 1,
                status: .completed), on: db)
        try await PageRepository.insert(
            pageIDs.enumerated().map { index, id in
                Page(
                    sessionID: session, id: id, documentID: document, number: index + 1,
                    start: index * 100, end: index * 100 + 100)
            }, on: db)
        try await SectionRepository.insert(sections, sessionID: session, on: db)
        let version = try await SessionRepository.revision(ids: [session], on: db)[session]
        try await ChunkRepository.insert(
            rows, sessionID: session, modelID: version?.modelID ?? UUID(), on: db)
    }
    return planted
}

/// Puts every row of the session into the graph, as the server does in its own time.
func fillGraph(_ session: UUID, on pool: Pool) async throws {
    try await pool.withTransaction(as: .service) { db in
        _ = try await GraphRepository.extend(sessionID: session, limit: .max, on: db)
    }
}

private func hash(of id: UUID) -> String {
    let hex = id.uuidString.lowercased().replacing("-", with: "")
    return hex + hex
}

/// What a search must answer: every row compared in double, ties by id as SQL orders it.
func bruteForce(
    _ query: UnitVector, _ rows: [Planted], k: Int, where passes: (Planted) -> Bool = { _ in true }
) -> [(id: UUID, score: Double)] {
    rows.filter { $0.type == .child && passes($0) }
        .map { row in
            let score = zip(query.values, row.vector.values).reduce(0.0) {
                $0 + Double($1.0) * Double($1.1)
            }
            return (id: row.id, score: score)
        }
        // The score is rounded to single precision before ties are told, as the scorer does.
        .sorted { a, b in
            let (left, right) = (Float(1 - a.score), Float(1 - b.score))
            return left == right ? a.id.uuidString < b.id.uuidString : left < right
        }
        .prefix(k).map { $0 }
}

/// A planner that always chooses one way.
func planner(_ kind: PlanKind) -> Planner {
    var planner = Planner()
    planner.exactRowCost = kind == .exact ? 0 : 1e12
    return planner
}

func searcher(_ pool: Pool, planner: Planner = Planner()) -> Searcher {
    Searcher(pool: pool, embedders: EmbedderRegistry([HashingEmbedder()]), planner: planner)
}
