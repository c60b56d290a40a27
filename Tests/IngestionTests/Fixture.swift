// A workshop: a database with a session, a blob directory, and an ingestor over both.

import Documents
import Embedding
import Foundation
import Ingestion
import Library
import Postgres
import Synchronization
import TestSupport
import Vectors

/// Everything one test needs, on a database of its own.
struct Workshop {
    let pool: Pool
    let session: StudySession
    let blobs: LocalBlobStore

    func ingestor(
        store: (any BlobStore)? = nil, embedder: any Embedder = HashingEmbedder(),
        others: [any Embedder] = [],
        options: Ingestor.Options = .hasty,
        observe: @escaping @Sendable (WorkerEvent) async throws -> Void = { _ in },
        openCloud: @escaping CloudOpener = { _, _ in throw LibraryError.notFound },
        didCommit: @escaping @Sendable (UUID) async -> Void = { _ in },
        willCommit: @escaping @Sendable (UUID, Transaction) async throws -> Settling? = { _, _ in
            nil
        }
    ) -> Ingestor {
        Ingestor(
            pool: pool, blobs: store ?? blobs, scratch: scratch, extractor: Extractor(),
            embedders: EmbedderRegistry([embedder] + others), options: options,
            openCloud: openCloud, observe: observe, didCommit: didCommit, willCommit: willCommit)
    }

    var scratch: String { blobs.directory + "/jobs" }

    /// Files under the blob directory, scratch included.
    var files: [String] {
        let root = URL(filePath: blobs.directory)
        let names = FileManager.default.enumerator(atPath: root.path)
        return (names?.compactMap { $0 as? String } ?? []).filter { name in
            let values = try? root.appending(path: name).resourceValues(forKeys: [.isRegularFileKey]
            )
            return values?.isRegularFile == true
        }.sorted()
    }

    func document(_ id: UUID) async throws -> Document {
        let found = try await pool.withConnection(as: .service) { db in
            try await DocumentRepository.getById(sessionID: session.id, id: id, on: db)
        }
        guard let found else { throw LibraryError.notFound }
        return found
    }

    func job(_ id: UUID) async throws -> Job {
        let found = try await pool.withConnection(as: .service) { db in
            try await JobRepository.get(id: id, on: db)
        }
        guard let found else { throw LibraryError.notFound }
        return found
    }

    func reload() async throws -> StudySession {
        let found = try await pool.withConnection(as: .service) { db in
            try await SessionRepository.get(id: session.id, profileID: session.profileID, on: db)
        }
        guard let found else { throw LibraryError.notFound }
        return found
    }

    /// One digest of every row an ingestion writes, vectors bit for bit; times are left out, and so
    /// are document ids, which are drawn at random.
    func contents() async throws -> [String] {
        try await pool.withConnection(as: .service) { db in
            try await db.query(Workshop.digest, session.id).map { row in try row.get(0) }
        }
    }

    private static let digest = Statement(
        "test.digest",
        """
        SELECT 'page ' || id || page_number || ' ' || text_start || ' ' || text_end AS line
        FROM carrel.pages WHERE session_id = $1
        UNION ALL
        SELECT 'section ' || id || page_id || section_index || heading_path::text || md5(content)
            || ' ' || text_start || ' ' || text_end
        FROM carrel.sections WHERE session_id = $1
        UNION ALL
        SELECT 'chunk ' || id || section_id || coalesce(parent_chunk_id::text, '-') || chunk_index
            || type || md5(chunk_text) || ' ' || text_start || ' ' || text_end || ' ' || page_from
            || page_to || ' ' || token_count || md5(embedding::text)
        FROM carrel.document_chunks WHERE session_id = $1
        UNION ALL
        SELECT 'document ' || file_hash || file_type || processing_status
            || coalesce(md5(content_text), '-') || coalesce(page_count, 0)
        FROM carrel.documents WHERE session_id = $1
        UNION ALL
        SELECT 'session ' || status || revision || ' ' || chunk_count
        FROM carrel.study_sessions WHERE id = $1
        ORDER BY line
        """)
}

extension Ingestor.Options {
    /// Nobody waits for minutes in a test.
    static var hasty: Ingestor.Options {
        var options = Ingestor.Options()
        options.lease = .seconds(2)
        options.backoff = .milliseconds(50)
        options.pollInterval = .milliseconds(50)
        return options
    }
}

func withWorkshop<R>(size: Int = 6, _ body: (Workshop) async throws -> R) async throws -> R {
    let blobs = LocalBlobStore(directory: try TestDirectory.make("blobs-\(UUID().uuidString)"))
    return try await withDatabase(migrated: true, size: size) { pool in
        try await body(try await workshop(over: pool, blobs: blobs.directory))
    }
}

/// A workshop in a migrated database that has no account yet.
func workshop(over pool: Pool, blobs: String) async throws -> Workshop {
    let session = try await pool.withTransaction(as: .service) { db in
        let profile = try await ProfileRepository.create(
            handle: "ada", email: "ada@example.org", passwordHash: "-", on: db)
        let model = try await EmbeddingModelRepository.register(
            NewEmbeddingModel(HashingEmbedder().identity), on: db)
        return try await SessionRepository.create(
            profileID: profile.id, title: "Test", modelID: model.id, on: db)
    }
    return Workshop(pool: pool, session: session, blobs: LocalBlobStore(directory: blobs))
}

/// A Markdown text of that many paragraphs under headings, about `paragraphs / 3` children.
func book(paragraphs: Int, seed: Int = 1) -> [UInt8] {
    var text = "# The book \(seed)\n\n"
    for number in 0..<paragraphs {
        if number % 12 == 0 { text += "## Chapter \(number / 12)\n\n" }
        for sentence in 0..<6 {
            let a = (number * 7 + sentence * 13 + seed) % 97
            text += "Sentence \(sentence) of paragraph \(number) tells of matter \(a) at length. "
        }
        text += "\n\n"
    }
    return Array(text.utf8)
}

/// Counts what it embeds, and fails as often as it was told to.
final class CountingEmbedder: Embedder {
    private let inner = HashingEmbedder()
    private let failures: Mutex<[EmbeddingError]>
    private let count = Mutex(0)

    init(failures: [EmbeddingError] = []) { self.failures = Mutex(failures) }

    var texts: Int { count.withLock { $0 } }
    var identity: ModelIdentity { inner.identity }

    func embed(_ texts: [String], as kind: TextKind) async throws(EmbeddingError) -> Block {
        if let failure = failures.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
            throw failure
        }
        count.withLock { $0 += texts.count }
        return try await inner.embed(texts, as: kind)
    }

    func countTokens(_ text: String) -> Int { inner.countTokens(text) }
}
