// An account with a session, and short ways to put things into it.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

/// A migrated database with one account, one model and one session.
struct Fixture {
    let pool: Pool
    let profile: Profile
    let model: EmbeddingModel
    let session: StudySession

    static func with<R>(size: Int = 4, _ body: (Fixture) async throws -> R) async throws -> R {
        try await withDatabase(migrated: true, size: size) { pool in
            let fixture = try await pool.withTransaction(as: .service) { db in
                let profile = try await ProfileRepository.create(
                    handle: "owner", email: "owner@localhost", passwordHash: "!", on: db)
                let model = try await EmbeddingModelRepository.register(.test, on: db)
                let session = try await SessionRepository.create(
                    profileID: profile.id, title: "Analysis", modelID: model.id, on: db)
                return Fixture(pool: pool, profile: profile, model: model, session: session)
            }
            return try await body(fixture)
        }
    }

    func anotherSession() async throws -> StudySession {
        try await pool.withConnection(as: .service) { db in
            try await SessionRepository.create(
                profileID: profile.id, title: "Algebra", modelID: model.id, on: db)
        }
    }

    /// A document with `pages` pages of 100 scalars, one section on each.
    func document(
        in session: UUID? = nil, _ name: String = "analysis.pdf", pages: Int = 1
    ) async throws -> StoredDocument {
        let session = session ?? self.session.id
        return try await pool.withTransaction(as: .service) { db in
            let document = try await DocumentRepository.create(
                .test(session: session, name: name), on: db)
            let pages = (0..<pages).map {
                Page(
                    sessionID: session, id: UUID(), documentID: document.id, number: $0 + 1,
                    start: $0 * 100, end: $0 * 100 + 100)
            }
            try await PageRepository.insert(pages, on: db)
            let sections = pages.map {
                NewSection(
                    id: UUID(), pageID: $0.id, index: 0, heading: "Section \($0.number)",
                    headingPath: ["Chapter", "Section \($0.number)"],
                    content: "Text of page \($0.number)", start: $0.start, end: $0.end)
            }
            try await SectionRepository.insert(sections, sessionID: session, on: db)
            return StoredDocument(document: document, pages: pages, sections: sections)
        }
    }

    /// Stores chunks and returns how many were new.
    @discardableResult
    func store(_ chunks: [NewChunk], in session: UUID? = nil) async throws -> Int {
        try await pool.withTransaction(as: .service) { db in
            try await ChunkRepository.insert(
                chunks, sessionID: session ?? self.session.id, modelID: model.id, on: db)
        }
    }

    func currentSession() async throws -> StudySession {
        try await pool.withConnection(as: .service) { db in
            try #require(
                try await SessionRepository.get(id: session.id, profileID: profile.id, on: db))
        }
    }

    /// Runs SQL as it is; for what no repository would write.
    func sql(_ text: String, _ parameters: (any PostgresEncodable)?...) async throws {
        try await pool.withConnection(as: .service) { db in
            _ = try await db.query(Statement("test", text), parameters: parameters)
        }
    }

    func count(_ table: String) async throws -> Int {
        try await pool.withConnection(as: .service) { db in
            try await db.query(Statement("count", "SELECT count(*) FROM carrel.\(table)")).single()
        }
    }
}

struct StoredDocument {
    let document: Document
    let pages: [Page]
    let sections: [NewSection]

    /// A parent, and `children` children, on the first section.
    func chunks(children: Int, direction: Int = 0) -> [NewChunk] {
        let parent = chunk(parent: nil, index: 0, embedding: axis(direction))
        return [parent]
            + (0..<children).map {
                chunk(parent: parent.id, index: $0 + 1, embedding: axis(direction + $0 + 1))
            }
    }

    func chunk(
        parent: UUID?, index: Int, embedding: [Float]?, text: String? = nil, page: Int = 1
    ) -> NewChunk {
        NewChunk(
            id: UUID(), documentID: document.id, sectionID: sections[page - 1].id,
            parentID: parent, index: index, text: text ?? "Chunk \(index)", start: 0, end: 7,
            pageFrom: page, pageTo: page, tokenCount: 2, embedding: embedding)
    }
}

extension NewEmbeddingModel {
    static let test = NewEmbeddingModel(
        name: "test", revision: "1", nativeDimension: 384, pooling: "mean", provider: "hashing")
}

extension NewDocument {
    /// A document whose bytes differ from every other's, unless `hash` is given.
    static func test(
        session: UUID, name: String = "analysis.pdf", hash: String? = nil
    ) -> NewDocument {
        let id = UUID()
        let digits = id.uuidString.replacing("-", with: "").lowercased()
        return NewDocument(
            sessionID: session, id: id, fileName: name, filePath: UUID().uuidString,
            fileHash: hash ?? digits + digits, fileType: "pdf", fileSizeBytes: 1_000)
    }
}

/// The unit vector along one axis.
func axis(_ index: Int) -> [Float] {
    var values = [Float](repeating: 0, count: 768)
    values[index % 768] = 1
    return values
}

/// A random unit vector.
func unit<G: RandomNumberGenerator>(_ generator: inout G) -> [Float] {
    let values = (0..<768).map { _ in Float.random(in: -1...1, using: &generator) }
    let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return values.map { $0 / norm }
}

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): small, seeded, the same everywhere.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Expects the database to refuse, by this constraint or with this SQLSTATE.
func expectRefusal(
    _ state: SQLState, by constraint: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("nothing was refused", sourceLocation: sourceLocation)
    } catch let error as PostgresError {
        guard case .server(let refusal) = error else {
            Issue.record("got \(error)", sourceLocation: sourceLocation)
            return
        }
        #expect(refusal.sqlState == state, sourceLocation: sourceLocation)
        if let constraint {
            #expect(refusal.constraint == constraint, sourceLocation: sourceLocation)
        }
    } catch {
        Issue.record("got \(error)", sourceLocation: sourceLocation)
    }
}
