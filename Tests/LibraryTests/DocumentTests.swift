// Documents: duplicates, statuses, orders, text.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("A document")
struct DocumentTests {
    @Test("The same bytes are refused in one session, naming the first, and taken in another")
    func duplicates() async throws {
        try await Fixture.with { f in
            let other = try await f.anotherSession()
            try await f.pool.withTransaction(as: .service) { db in
                let hash = String(repeating: "ab", count: 32)
                let first = try await DocumentRepository.create(
                    .test(session: f.session.id, hash: hash), on: db)
                await #expect(throws: LibraryError.duplicateDocument(existing: first.id)) {
                    try await DocumentRepository.create(
                        .test(session: f.session.id, name: "renamed.pdf", hash: hash), on: db)
                }
                // The transaction is still good, and the same file elsewhere is nobody's business.
                _ = try await DocumentRepository.create(
                    .test(session: other.id, hash: hash), on: db)
                #expect(
                    try await DocumentRepository.getByHash(
                        sessionID: f.session.id, hash: hash, on: db) == first)
            }
            await expectRefusal(.uniqueViolation, by: "documents_file_hash_key") {
                try await f.sql(
                    """
                    INSERT INTO carrel.documents
                        (session_id, file_name, file_path, file_hash, file_type, file_size_bytes)
                    SELECT session_id, file_name, file_path, file_hash, file_type, file_size_bytes
                    FROM carrel.documents
                    """)
            }
        }
    }

    @Test("A hash is 64 lower hex digits, a size is not negative")
    func checks() async throws {
        try await Fixture.with { f in
            _ = try await f.document()
            for hash in [String(repeating: "A", count: 64), "abc", ""] {
                await expectRefusal(.checkViolation, by: "documents_file_hash_is_sha256") {
                    try await f.sql("UPDATE carrel.documents SET file_hash = $1", hash)
                }
            }
            await expectRefusal(.checkViolation, by: "documents_file_size_not_negative") {
                try await f.sql("UPDATE carrel.documents SET file_size_bytes = -1")
            }
            await expectRefusal(.checkViolation, by: "documents_content_length_is_length") {
                try await f.sql("UPDATE carrel.documents SET content_text = 'x'")
            }
        }
    }

    @Test("COMPLETED dates a document, FAILED says why, and a retry clears both")
    func statuses() async throws {
        try await Fixture.with { f in
            let id = try await f.document().document.id
            try await f.pool.withConnection(as: .service) { db in
                func update(
                    _ status: ProcessingStatus, error: String? = nil, pages: Int? = nil
                ) async throws -> Document {
                    try await DocumentRepository.updateStatus(
                        sessionID: f.session.id, id: id, status: status, errorMessage: error,
                        pageCount: pages, on: db)
                }
                #expect(try await update(.processing).processedAt == nil)
                let failed = try await update(.failed, error: "encrypted")
                #expect(failed.errorMessage == "encrypted")
                #expect(failed.processedAt == nil)
                #expect(try await update(.pending).errorMessage == nil)
                let completed = try await update(.completed, pages: 12)
                #expect(completed.status == .completed)
                #expect(completed.pageCount == 12)
                #expect(abs(try #require(completed.processedAt).timeIntervalSinceNow) < 60)
                #expect(try await update(.processing).pageCount == 12)
                await #expect(throws: LibraryError.notFound) {
                    try await DocumentRepository.updateStatus(
                        sessionID: UUID(), id: id, status: .completed, on: db)
                }
            }
        }
    }

    @Test("Every document is got by its id, in its session only")
    func byID() async throws {
        try await Fixture.with { f in
            let other = try await f.anotherSession()
            let stored = try await f.document().document
            let elsewhere = try await f.document(in: other.id).document
            func got(_ session: UUID, _ id: UUID) async throws -> Document? {
                try await f.pool.withConnection(as: .service) { db in
                    try await DocumentRepository.getById(sessionID: session, id: id, on: db)
                }
            }
            let found = [
                try await got(f.session.id, stored.id), try await got(other.id, elsewhere.id),
                try await got(other.id, stored.id), try await got(f.session.id, UUID()),
            ]
            #expect(found == [stored, elsewhere, nil, nil])
        }
    }

    @Test("Documents are listed newest first, by offset and by cursor alike")
    func listing() async throws {
        try await Fixture.with { f in
            try await f.pool.withConnection(as: .service) { db in
                try await db.query(
                    Statement(
                        "many",
                        """
                        INSERT INTO carrel.documents
                            (session_id, file_name, file_path, file_hash, file_type,
                             file_size_bytes, created_at)
                        SELECT $1, n::text, '', repeat(md5(n::text), 2), 'pdf', 0,
                            now() - (n / 2) * interval '1 minute'
                        FROM generate_series(1, 11) AS n
                        """), f.session.id)
                let all = try await DocumentRepository.listDocuments(
                    sessionID: f.session.id, limit: 100, offset: 0, on: db)
                #expect(all.count == 11)
                #expect(all.map(\.createdAt) == all.map(\.createdAt).sorted(by: >))
                #expect(
                    try await DocumentRepository.listDocuments(
                        sessionID: f.session.id, limit: 3, offset: 4, on: db)
                        == Array(all[4..<7]))
                var seen: [Document] = []
                while true {
                    let page = try await DocumentRepository.listDocuments(
                        sessionID: f.session.id, limit: 3,
                        after: seen.last.map { TimeCursor(createdAt: $0.createdAt, id: $0.id) },
                        on: db)
                    if page.isEmpty { break }
                    seen += page
                }
                #expect(seen == all)
            }
        }
    }

    @Test("What is pending is listed oldest first, over all sessions, and nothing else")
    func pending() async throws {
        try await Fixture.with { f in
            let first = try await f.document("first").document
            let second = try await f.document(in: f.anotherSession().id, "second").document
            let third = try await f.document("third").document
            try await f.pool.withConnection(as: .service) { db in
                try await DocumentRepository.updateStatus(
                    sessionID: f.session.id, id: third.id, status: .completed, on: db)
                #expect(
                    try await DocumentRepository.listPending(limit: 9, on: db).map(\.id)
                        == [first.id, second.id])
                #expect(try await DocumentRepository.listPending(limit: 1, on: db) == [first])
            }
        }
    }

    @Test("Offsets of a text count Unicode scalars, and are clamped to it")
    func text() async throws {
        try await Fixture.with { f in
            let id = try await f.document().document.id
            let text = "naïve 👩‍🔬 café\u{301} 東京 end"
            let scalars = Array(text.unicodeScalars)
            try await f.pool.withConnection(as: .service) { db in
                func read(_ start: Int, _ end: Int?) async throws -> DocumentText? {
                    try await DocumentRepository.text(
                        sessionID: f.session.id, id: id, start: start, end: end, on: db)
                }
                try await DocumentRepository.setContent(
                    sessionID: f.session.id, id: id, text: text, fileType: "text", pageCount: 1,
                    on: db)
                let whole = try #require(try await read(0, nil))
                #expect(whole.text == text)
                #expect(whole.length == scalars.count)
                for start in 0...scalars.count {
                    for end in start...scalars.count {
                        let part = try #require(try await read(start, end))
                        let expected = String(String.UnicodeScalarView(scalars[start..<end]))
                        #expect(Array(part.text.unicodeScalars) == Array(expected.unicodeScalars))
                        #expect((part.start, part.end) == (start, end))
                    }
                }
                #expect(try await read(-5, 3)?.text.unicodeScalars.count == 3)
                #expect(try await read(scalars.count + 1, nil)?.text == "")
                #expect(try await read(4, 2)?.text == "")
                #expect(
                    try await DocumentRepository.text(
                        sessionID: UUID(), id: id, on: db) == nil)
            }
        }
    }

    @Test("Without a text of its own a document reads as its sections, in order")
    func textOfSections() async throws {
        try await Fixture.with { f in
            let id = try await f.document(pages: 3).document.id
            let text = try await f.pool.withConnection(as: .service) { db in
                try await DocumentRepository.text(sessionID: f.session.id, id: id, on: db)
            }
            #expect(text?.text == "Text of page 1\n\nText of page 2\n\nText of page 3")
        }
    }

    @Test("Pages and sections are listed in reading order, page by page")
    func pagesAndSections() async throws {
        try await Fixture.with { f in
            let stored = try await f.document(pages: 5)
            try await f.pool.withConnection(as: .service) { db in
                let pages = try await PageRepository.list(
                    sessionID: f.session.id, documentID: stored.document.id, limit: 3, after: 1,
                    on: db)
                #expect(pages == Array(stored.pages[1..<4]))
                #expect(
                    try await PageRepository.get(
                        sessionID: f.session.id, id: pages[0].id, on: db) == pages[0])
                let first = try await SectionRepository.list(
                    sessionID: f.session.id, documentID: stored.document.id, limit: 2, on: db)
                #expect(first.map(\.id) == stored.sections[0..<2].map(\.id))
                #expect(first[1].headingPath == ["Chapter", "Section 2"])
                let rest = try await SectionRepository.list(
                    sessionID: f.session.id, documentID: stored.document.id, limit: 9,
                    after: SectionCursor(pageNumber: first[1].pageNumber, index: first[1].index),
                    on: db)
                #expect(rest.map(\.id) == stored.sections[2...].map(\.id))
                #expect(
                    try await SectionRepository.get(
                        sessionID: f.session.id, id: rest[0].id, on: db) == rest[0])
            }
        }
    }

    @Test("Messages follow each other, also within one transaction")
    func messages() async throws {
        try await Fixture.with { f in
            try await f.pool.withTransaction(as: .service) { db in
                let chat = try await ChatRepository.create(sessionID: f.session.id, on: db)
                for number in 1...5 {
                    _ = try await MessageRepository.append(
                        sessionID: f.session.id, chatID: chat.id, role: .user,
                        content: "\(number)", on: db)
                }
                let first = try await MessageRepository.list(
                    sessionID: f.session.id, chatID: chat.id, limit: 2, on: db)
                let rest = try await MessageRepository.list(
                    sessionID: f.session.id, chatID: chat.id, limit: 9,
                    after: TimeCursor(createdAt: first[1].createdAt, id: first[1].id), on: db)
                #expect((first + rest).map(\.content) == ["1", "2", "3", "4", "5"])
                #expect(
                    try await ChatRepository.get(
                        sessionID: f.session.id, id: chat.id, on: db)?.isStarted == true)
                await #expect(throws: LibraryError.notFound) {
                    try await MessageRepository.append(
                        sessionID: f.session.id, chatID: UUID(), role: .user, content: "", on: db)
                }
            }
        }
    }
}
