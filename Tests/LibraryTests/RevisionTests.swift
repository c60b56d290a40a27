// What changed since a revision: rows, places and removals, found by number.

import FoundationEssentials
import Library
import Postgres
import Testing

@Suite("Changes since a revision")
struct RevisionTests {
    private struct Read {
        let changes: SessionChanges
        var chunks: [UUID: (text: String, vector: [Float]?)] = [:]
    }

    /// The session as a cache reads it.
    private func read(_ f: Fixture, _ session: UUID? = nil, after: Int64?) async throws -> Read? {
        let session = session ?? f.session.id
        return try await f.pool.withTransaction(
            as: .service, isolation: .repeatableRead, readOnly: true
        ) { db in
            let changes = try await SessionRepository.changes(of: session, after: after, on: db)
            guard let changes else { return nil }
            var read = Read(changes: changes)
            try await ChunkRepository.changed(in: session, after: after, on: db) { chunk in
                var text: [UInt8] = []
                var vector: [Float] = []
                try chunk.appendText(to: &text)
                if chunk.isEmbedded { try chunk.appendVector(to: &vector) }
                read.chunks[chunk.id] = (
                    String(decoding: text, as: UTF8.self), chunk.isEmbedded ? vector : nil
                )
            }
            return read
        }
    }

    private func revisions(_ f: Fixture) async throws -> [UUID: Int64] {
        try await f.pool.withConnection(as: .service) { db in
            let rows = try await db.query(
                Statement("r", "SELECT id, revision FROM carrel.document_chunks"))
            var revisions: [UUID: Int64] = [:]
            for row in rows { revisions[try row.get(0)] = try row.get(1) }
            return revisions
        }
    }

    @Test("A chunk carries the session's revision that wrote it")
    func chunksCarryRevisions() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            let first = stored.chunks(children: 3)
            let second = stored.chunks(children: 2)
            try await f.store(first)
            // Nothing new raises no revision.
            #expect(try await f.store(first) == 0)
            try await f.store(second)
            let revisions = try await revisions(f)
            #expect(first.allSatisfy { revisions[$0.id] == 1 })
            #expect(second.allSatisfy { revisions[$0.id] == 2 })
            #expect(try await f.currentSession().revision == 2)
        }
    }

    @Test("Chunks stored at once from many sides each carry a revision of their own")
    func concurrentWriters() async throws {
        try await Fixture.with(size: 8) { f in
            var documents: [StoredDocument] = []
            for index in 0..<6 { documents.append(try await f.document("\(index)")) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for document in documents {
                    group.addTask {
                        for _ in 0..<5 { try await f.store(document.chunks(children: 1)) }
                    }
                }
                try await group.waitForAll()
            }
            let byRevision = Dictionary(grouping: try await revisions(f).values, by: { $0 })
            #expect(Set(byRevision.keys) == Set(1...30))
            #expect(byRevision.values.allSatisfy { $0.count == 2 })
            #expect(try await f.currentSession().revision == 30)
        }
    }

    @Test("What is read after a revision is what was written after it, with its places")
    func readsWhatChanged() async throws {
        try await Fixture.with { f in
            let a = try await f.document("a.pdf", pages: 2)
            let b = try await f.document("b.pdf")
            var first = a.chunks(children: 2)
            first.append(
                a.chunk(parent: nil, index: 9, embedding: nil, text: "na\u{EF}ve", page: 2))
            try await f.store(first)
            let second = b.chunks(children: 4)
            try await f.store(second)

            let all = try #require(try await read(f, after: nil))
            #expect(all.changes.version.revision == 2)
            #expect(all.changes.version.chunkCount == 9)
            #expect(all.changes.model == "test")
            #expect(Set(all.chunks.keys) == Set((first + second).map(\.id)))
            #expect(all.changes.removedDocuments.isEmpty)
            #expect(Set(all.changes.documents.map(\.fileName)) == ["a.pdf", "b.pdf"])
            #expect(all.changes.sections.count == 3)
            for chunk in first + second {
                #expect(all.chunks[chunk.id]?.text == chunk.text)
                #expect(all.chunks[chunk.id]?.vector == chunk.embedding)
            }

            let later = try #require(try await read(f, after: 1))
            #expect(Set(later.chunks.keys) == Set(second.map(\.id)))
            #expect(later.changes.documents == [DocumentName(id: b.document.id, fileName: "b.pdf")])
            #expect(
                later.changes.sections == [
                    SectionPlace(
                        id: b.sections[0].id, headingPath: ["Chapter", "Section 1"], pageNumber: 1)
                ])
            let none = try #require(try await read(f, after: 2))
            #expect(none.chunks.isEmpty)
            #expect(none.changes.documents.isEmpty)
            #expect(try await read(f, UUID(), after: nil) == nil)
        }
    }

    @Test("A deleted document is removed at its revision; one without chunks changes nothing")
    func removals() async throws {
        try await Fixture.with { f in
            let kept = try await f.document("kept")
            let gone = try await f.document("gone")
            let empty = try await f.document("empty")
            try await f.store(kept.chunks(children: 1))
            try await f.store(gone.chunks(children: 1))
            for document in [gone, empty] {
                _ = try await f.pool.withTransaction(as: .service) { db in
                    try await DocumentRepository.delete(
                        sessionID: f.session.id, id: document.document.id, on: db)
                }
            }
            let read = try #require(try await read(f, after: 2))
            #expect(read.changes.version.revision == 3)
            #expect(read.changes.removedDocuments == [gone.document.id])
            #expect(read.chunks.isEmpty)
            #expect(try await self.read(f, after: 3)?.changes.removedDocuments == [])

            _ = try await f.pool.withTransaction(as: .service) { db in
                try await SessionRepository.delete(
                    id: f.session.id, profileID: f.profile.id, on: db)
            }
            #expect(try await f.count("removed_documents") == 0)
        }
    }

    @Test("Removals of more than a week ago are thrown away with the next, and the session says so")
    func pruned() async throws {
        try await Fixture.with { f in
            var documents: [UUID] = []
            for name in ["a", "b", "c"] {
                let document = try await f.document(name)
                try await f.store(document.chunks(children: 1))
                documents.append(document.document.id)
            }
            func delete(_ index: Int) async throws {
                _ = try await f.pool.withTransaction(as: .service) { db in
                    try await DocumentRepository.delete(
                        sessionID: f.session.id, id: documents[index], on: db)
                }
            }
            try await delete(0)
            try await delete(1)
            #expect(try await f.count("removed_documents") == 2)
            #expect(try #require(try await read(f, after: 3)).changes.removalsAfter == 0)
            // The first was long ago, at revision 4.
            try await f.sql(
                """
                UPDATE carrel.removed_documents SET removed_at = now() - interval '8 days'
                WHERE revision = 4
                """)
            try await delete(2)
            #expect(try await f.count("removed_documents") == 2)
            let read = try #require(try await read(f, after: 4))
            #expect(read.changes.removalsAfter == 4)
            #expect(Set(read.changes.removedDocuments) == Set(documents[1...]))
        }
    }

    @Test("A revision below 0, and a removal without a revision, is refused")
    func constraints() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            try await f.store(stored.chunks(children: 0))
            await expectRefusal(.checkViolation, by: "document_chunks_revision_not_negative") {
                try await f.sql("UPDATE carrel.document_chunks SET revision = -1")
            }
            await expectRefusal(.checkViolation, by: "removed_documents_revision_positive") {
                try await f.sql(
                    "INSERT INTO carrel.removed_documents VALUES ($1, 0, $2)", f.session.id, UUID())
            }
            await expectRefusal(.foreignKeyViolation) {
                try await f.sql(
                    "INSERT INTO carrel.removed_documents VALUES ($1, 1, $2)", UUID(), UUID())
            }
        }
    }

    @Test("Validity says what the session is and whether the key may still ask")
    func validity() async throws {
        try await Fixture.with { f in
            let other = try await f.pool.withConnection(as: .service) { db in
                try await ProfileRepository.create(
                    handle: "eve", email: "eve@localhost", passwordHash: "!", on: db)
            }
            func key(_ name: String, of profile: UUID, expires: Date? = nil) async throws -> UUID {
                try await f.pool.withConnection(as: .service) { db in
                    try await ApiKeyRepository.create(
                        profileID: profile, name: name,
                        hash: Array(repeating: UInt8(name.utf8.count), count: 32), scopes: ["read"],
                        sessionID: nil, expiresAt: expires, on: db
                    ).id
                }
            }
            func validity(_ key: UUID?) async throws -> CheckedSession? {
                try await f.pool.withConnection(as: .service) { db in
                    try await SessionRepository.check(f.session.id, for: key, on: db)
                }
            }
            let good = try await key("a", of: f.profile.id)
            #expect(try await validity(nil)?.isCredentialValid == true)
            #expect(try await validity(good)?.isCredentialValid == true)
            #expect(try await validity(good)?.session.version.modelID == f.model.id)
            #expect(try await validity(UUID())?.isCredentialValid == false)
            let foreign = try await key("ab", of: other.id)
            #expect(try await validity(foreign)?.isCredentialValid == false)
            let late = try await key(
                "abc", of: f.profile.id, expires: Date(timeIntervalSinceNow: -1))
            #expect(try await validity(late)?.isCredentialValid == false)
            _ = try await f.pool.withConnection(as: .service) { db in
                try await ApiKeyRepository.revoke(id: good, profileID: f.profile.id, on: db)
            }
            #expect(try await validity(good)?.isCredentialValid == false)
            let second = try await key("abcd", of: f.profile.id)
            #expect(try await validity(second)?.isCredentialValid == true)
            try await f.sql("UPDATE carrel.profiles SET is_active = false")
            #expect(try await validity(second)?.isCredentialValid == false)
            let nowhere = try await f.pool.withConnection(as: .service) { db in
                try await SessionRepository.check(UUID(), for: second, on: db)
            }
            #expect(nowhere == nil)
        }
    }
}
