// Bring your own vectors: texts that need no extraction, into a document that only has a name.
//
// Each call adds a page with one section to the document. The document's text is its sections joined
// by an empty line; it is not stored twice, and offsets refer to it. Its size is that of the texts, and
// counts for the quota as a file's does.

package import Foundation
package import Postgres
package import Vectors

import Crypto
import Documents
import Embedding
import Library

/// One text to be searched, with its vector if it has one already.
package struct ImportedChunk: Sendable {
    /// A UUID is taken as it is, any other string is hashed with the document's id into one.
    package var id: String?
    package var text: String
    /// Nil: the session's model embeds the text.
    package var vector: UnitVector?

    package init(id: String? = nil, text: String, vector: UnitVector? = nil) {
        self.id = id
        self.text = text
        self.vector = vector
    }
}

/// What an import made.
package struct ImportResult: Sendable, Equatable {
    package var documentID: UUID
    /// One per imported chunk, in order.
    package var chunkIDs: [UUID]
    /// The session's revision that holds them.
    package var revision: Int64
}

extension Ingestor {
    /// The most chunks of one call. The chunk indexes leave room for them and as many parents.
    package static let importLimit = 256

    /// Adds chunks to the document of that name, which is made on first use. All of them or none.
    ///
    /// They can be found when this returns. Missing vectors are made before the transaction begins, and
    /// made again when the session has another model by then. Vectors that are given are of `model`.
    ///
    /// - Throws: `IngestionError.invalid` naming the field (`chunks[3].text`); `LibraryError.conflict`
    ///   when an id is there already, in the call or in the session; `.quotaExceeded`; `.modelChanged`
    ///   when vectors are given and `model` is not the session's.
    package func importChunks(
        as asker: Asker, session: UUID, documentName: String, chunks: [ImportedChunk],
        model: UUID? = nil,
        lastly: @Sendable (ImportResult, Transaction) async throws -> Void = { _, _ in }
    ) async throws -> ImportResult {
        try Self.check(documentName, chunks)
        let given = chunks.contains { $0.vector != nil }
        let bytes = chunks.reduce(Int64(0)) { $0 + Int64($1.text.utf8.count) }
        while true {
            let own = try await pool.withConnection(as: asker) { db in
                // Before anything is embedded for nothing; it is decided below.
                try await QuotaRepository.requireRoom(for: bytes, sessionID: session, on: db)
                return try await embedders.embedder(ofSession: session, on: db)
            }
            if given, let model, model != own.model.id { throw LibraryError.modelChanged }
            do {
                return try await importChunks(
                    as: asker, session: session, documentName: documentName, chunks: chunks,
                    bytes: bytes, by: own, lastly: lastly)
            } catch LibraryError.modelChanged where !given {
                continue
            }
        }
    }

    private func importChunks(
        as asker: Asker, session: UUID, documentName: String, chunks: [ImportedChunk],
        bytes: Int64, by own: SessionEmbedder,
        lastly: @Sendable (ImportResult, Transaction) async throws -> Void
    ) async throws -> ImportResult {
        let vectors = try await Self.vectors(of: chunks, by: own, pool)
        let tokens = chunks.map { own.embedder.countTokens($0.text) }
        let imported = try await pool.withTransaction(as: asker) { db in
            let document = try await Self.document(named: documentName, in: session, on: db)
            let number = (document.pageCount ?? 0) + 1
            let last = try await PageRepository.list(
                sessionID: session, documentID: document.id, limit: 1, after: number - 2, on: db
            ).last
            let page = ImportPage(
                document: document, number: number, start: last.map { $0.end + 2 } ?? 0,
                chunks: chunks, vectors: vectors, tokens: tokens)
            try await SessionRepository.beginChunking(id: session, on: db)
            try await PageRepository.insert([page.page], on: db)
            try await SectionRepository.insert([page.section], sessionID: session, on: db)
            let added = try await ChunkRepository.insert(
                page.chunks, sessionID: session, modelID: own.model.id, on: db)
            guard added == page.chunks.count else {
                throw LibraryError.conflict("the session already has a chunk with one of these ids")
            }
            try await DocumentRepository.updateStatus(
                sessionID: session, id: document.id, status: .completed, pageCount: number,
                addingBytes: bytes, on: db)
            try await SessionRepository.settle(id: session, on: db)
            let version = try await SessionRepository.revision(ids: [session], on: db)[session]
            let imported = ImportResult(
                documentID: document.id, chunkIDs: page.childIDs,
                revision: version?.revision ?? 0)
            // The account's imports take turns from here to the commit, and no longer.
            try await QuotaRepository.take(bytes, sessionID: session, on: db)
            try await lastly(imported, db)
            return imported
        }
        await didCommit(session)
        return imported
    }

    private static func check(_ name: String, _ chunks: [ImportedChunk]) throws {
        func refuse(_ field: String, _ reason: String) throws(IngestionError) -> Never {
            throw .invalid(field: field, reason: reason)
        }
        if name.isEmpty || name.utf8.count > FileName.maximumBytes
            || name.unicodeScalars.contains("\0")
        {
            try refuse("document", "expected a name of 1 to 255 bytes")
        }
        if chunks.isEmpty || chunks.count > importLimit {
            try refuse("chunks", "expected 1 to \(importLimit), got \(chunks.count)")
        }
        var ids: Set<String> = []
        for (index, chunk) in chunks.enumerated() {
            if chunk.text.isEmpty { try refuse("chunks[\(index)].text", "is empty") }
            if chunk.text.unicodeScalars.contains("\0") {
                try refuse("chunks[\(index)].text", "holds NUL")
            }
            if let id = chunk.id {
                if id.isEmpty { try refuse("chunks[\(index)].id", "is empty") }
                if !ids.insert(UUID(uuidString: id)?.uuidString ?? id).inserted {
                    throw LibraryError.conflict("chunks[\(index)].id stands twice in the call")
                }
            }
        }
    }

    /// The vectors given, and the missing ones found or made in one batch.
    private static func vectors(
        of chunks: [ImportedChunk], by own: SessionEmbedder, _ pool: Pool
    ) async throws -> [UnitVector] {
        let missing = chunks.indices.filter { chunks[$0].vector == nil }
        var made: [Int: UnitVector] = [:]
        if !missing.isEmpty {
            let vectors = try await own.passages(missing.map { chunks[$0].text }, pool).vectors
            for (row, index) in missing.enumerated() {
                made[index] = try UnitVector(normalizing: vectors[row])
            }
        }
        return try chunks.indices.map { index in
            if let vector = chunks[index].vector ?? made[index] { return vector }
            throw EmbeddingError.wrongCount(expected: missing.count, got: made.count)
        }
    }

    /// The document, its row locked: imports into one document take turns, so that each finds the
    /// page before its own.
    private static func document(named name: String, in session: UUID, on db: Transaction)
        async throws -> Document
    {
        let hash = SHA256.hash(data: Array("import:\(name)".utf8)).hexadecimal
        let new = NewDocument(
            sessionID: session, fileName: FileName.display(name),
            filePath: UUID().uuidString.lowercased(), fileHash: hash, fileType: "import",
            fileSizeBytes: 0, status: .completed)
        do {
            return try await DocumentRepository.create(new, on: db)
        } catch LibraryError.duplicateDocument(let existing) {
            return try await DocumentRepository.updateStatus(
                sessionID: session, id: existing, status: .completed, on: db)
        }
    }
}
