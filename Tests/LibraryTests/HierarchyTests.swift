// Each constraint of the hierarchy is shown to bite. The statements here are what no repository
// would send: the database keeps the invariants whoever writes.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("The hierarchy's constraints")
struct HierarchyTests {
    @Test("A page number is used once in a document, and counts from 1")
    func pageNumber() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            let other = try await f.document("other.pdf")
            let insert = """
                INSERT INTO carrel.pages (session_id, document_id, page_number, text_start, text_end)
                VALUES ($1, $2, $3, 0, 1)
                """
            await expectRefusal(.uniqueViolation, by: "pages_page_number_key") {
                try await f.sql(insert, f.session.id, stored.document.id, 1)
            }
            await expectRefusal(.checkViolation, by: "pages_page_number_positive") {
                try await f.sql(insert, f.session.id, stored.document.id, 0)
            }
            #expect(other.pages[0].number == 1)
        }
    }

    @Test("A section index is used once on a page, and counts from 0")
    func sectionIndex() async throws {
        try await Fixture.with { f in
            let stored = try await f.document(pages: 2)
            let insert = """
                INSERT INTO carrel.sections
                    (session_id, page_id, section_index, heading_path, content, text_start, text_end)
                VALUES ($1, $2, $3, '{}', '', 0, 1)
                """
            await expectRefusal(.uniqueViolation, by: "sections_section_index_key") {
                try await f.sql(insert, f.session.id, stored.pages[0].id, 0)
            }
            await expectRefusal(.checkViolation, by: "sections_section_index_not_negative") {
                try await f.sql(insert, f.session.id, stored.pages[0].id, -1)
            }
        }
    }

    @Test("A span that ends before it starts is refused")
    func spans() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            try await f.store(stored.chunks(children: 1))
            for (table, constraint) in [
                ("pages", "pages_span"), ("sections", "sections_span"),
                ("document_chunks", "document_chunks_span"),
            ] {
                await expectRefusal(.checkViolation, by: constraint) {
                    try await f.sql("UPDATE carrel.\(table) SET text_start = 5, text_end = 4")
                }
                await expectRefusal(.checkViolation, by: constraint) {
                    try await f.sql("UPDATE carrel.\(table) SET text_start = -1")
                }
            }
            await expectRefusal(.checkViolation, by: "document_chunks_pages") {
                try await f.sql("UPDATE carrel.document_chunks SET page_from = 3, page_to = 2")
            }
        }
    }

    @Test("Nothing is stored below something that is not there")
    func noOrphans() async throws {
        try await Fixture.with { f in
            let inserts = [
                "documents (session_id, file_name, file_path, file_hash, file_type, file_size_bytes) VALUES ($1, '', '', repeat('0', 64), '', 0)",
                "pages (session_id, document_id, page_number, text_start, text_end) VALUES ($1, gen_random_uuid(), 1, 0, 1)",
                "sections (session_id, page_id, section_index, heading_path, content, text_start, text_end) VALUES ($1, gen_random_uuid(), 0, '{}', '', 0, 1)",
                "topics (session_id, title, order_index) VALUES ($1, '', 0)",
                "document_topics (session_id, document_id, topic_id) VALUES ($1, gen_random_uuid(), gen_random_uuid())",
                "chats (session_id, type) VALUES ($1, 'GENERAL')",
                "chats (session_id, type, topic_id) VALUES ($1, 'TOPIC', gen_random_uuid())",
                "messages (session_id, chat_id, role, content) VALUES ($1, gen_random_uuid(), 'user', '')",
                "document_chunks (session_id, document_id, section_id, type, chunk_index, chunk_text, text_start, text_end, page_from, page_to, token_count) VALUES ($1, gen_random_uuid(), gen_random_uuid(), 'PARENT', 0, '', 0, 1, 1, 1, 1)",
                "jobs (session_id, kind) VALUES ($1, 'INGEST')",
                "study_sessions (id, profile_id, title, embedding_model_id) VALUES ($1, gen_random_uuid(), '', gen_random_uuid())",
            ]
            for insert in inserts {
                await expectRefusal(.foreignKeyViolation) {
                    try await f.sql("INSERT INTO carrel.\(insert)", UUID())
                }
            }
        }
    }

    @Test("Deleting a session deletes everything in it, and nothing of the next one")
    func cascade() async throws {
        let tables = [
            "documents", "pages", "sections", "document_chunks", "topics", "document_topics",
            "chats", "messages", "jobs",
        ]
        try await Fixture.with { f in
            let other = try await f.anotherSession()
            for session in [f.session, other] {
                let stored = try await f.document(in: session.id, pages: 2)
                try await f.store(stored.chunks(children: 3), in: session.id)
                try await f.pool.withTransaction(as: .service) { db in
                    let topic = try await TopicRepository.create(
                        sessionID: session.id, title: "Limits", orderIndex: 0, on: db)
                    try await TopicRepository.link(
                        sessionID: session.id, documentID: stored.document.id, topicID: topic.id,
                        on: db)
                    let chat = try await ChatRepository.create(
                        sessionID: session.id, topicID: topic.id, on: db)
                    _ = try await MessageRepository.append(
                        sessionID: session.id, chatID: chat.id, role: .user, content: "Why?",
                        on: db)
                    _ = try await JobRepository.enqueue(
                        NewJob(
                            sessionID: session.id, kind: .ingest, documentID: stored.document.id),
                        on: db)
                }
            }
            var before: [String: Int] = [:]
            for table in tables { before[table] = try await f.count(table) }
            let deleted = try await f.pool.withTransaction(as: .service) { db in
                try await SessionRepository.delete(
                    id: f.session.id, profileID: f.profile.id, on: db)
            }
            #expect(deleted)
            for table in tables {
                let left = try await f.count(table)
                #expect(left > 0, "\(table)")
                #expect(before[table] == left * 2, "\(table)")
            }
        }
    }

    @Test("Deleting a page deletes its sections and their chunks")
    func cascadeFromPage() async throws {
        try await Fixture.with { f in
            let stored = try await f.document(pages: 2)
            try await f.store([
                stored.chunk(parent: nil, index: 0, embedding: nil, page: 1),
                stored.chunk(parent: nil, index: 1, embedding: nil, page: 2),
            ])
            try await f.sql("DELETE FROM carrel.pages WHERE page_number = 2")
            #expect(try await f.count("sections") == 1)
            #expect(try await f.count("document_chunks") == 1)
        }
    }

    @Test("A row cannot point into another session, even by an id that exists there")
    func walls() async throws {
        try await Fixture.with { f in
            let mine = try await f.document()
            let other = try await f.anotherSession()
            let theirs = try await f.document(in: other.id)
            try await f.store(theirs.chunks(children: 1), in: other.id)
            try await f.store(mine.chunks(children: 1))

            var chunk = mine.chunk(parent: nil, index: 9, embedding: nil)
            chunk.documentID = theirs.document.id
            await expectRefusal(
                .foreignKeyViolation, by: "document_chunks_session_id_document_id_fkey"
            ) { try await f.store([chunk]) }

            chunk = mine.chunk(parent: nil, index: 9, embedding: nil)
            chunk.sectionID = theirs.sections[0].id
            await expectRefusal(
                .foreignKeyViolation, by: "document_chunks_session_id_section_id_fkey"
            ) { try await f.store([chunk]) }

            let parent: UUID = try await f.pool.withConnection(as: .service) { db in
                try await ChunkRepository.list(
                    sessionID: other.id, type: .parent, limit: 1, on: db)[0]
                    .id
            }
            chunk = mine.chunk(parent: parent, index: 9, embedding: nil)
            await expectRefusal(
                .foreignKeyViolation, by: "document_chunks_session_id_parent_chunk_id_fkey"
            ) { try await f.store([chunk]) }

            await expectRefusal(.foreignKeyViolation, by: "pages_session_id_document_id_fkey") {
                try await f.sql(
                    """
                    INSERT INTO carrel.pages
                        (session_id, document_id, page_number, text_start, text_end)
                    VALUES ($1, $2, 9, 0, 1)
                    """, f.session.id, theirs.document.id)
            }
        }
    }

    @Test("A topic has one chat, a session one general; a chat's type says whether it has a topic")
    func chats() async throws {
        try await Fixture.with { f in
            let topic = try await f.pool.withConnection(as: .service) { db in
                let topic = try await TopicRepository.create(
                    sessionID: f.session.id, title: "Limits", orderIndex: 0, on: db)
                let chat = try await ChatRepository.create(
                    sessionID: f.session.id, topicID: topic.id, on: db)
                let name = chat.id.uuidString.lowercased()
                await #expect(
                    throws: LibraryError.conflict("the topic has a chat already, \(name)")
                ) {
                    try await ChatRepository.create(
                        sessionID: f.session.id, topicID: topic.id, on: db)
                }
                _ = try await ChatRepository.create(sessionID: f.session.id, on: db)
                await #expect(throws: LibraryError.self) {
                    try await ChatRepository.create(sessionID: f.session.id, on: db)
                }
                let chats = try await ChatRepository.list(
                    sessionID: f.session.id, limit: 10, on: db)
                #expect(chats.map(\.type) == [.topic, .general])
                return topic
            }
            let insert = "INSERT INTO carrel.chats (session_id, type, topic_id) VALUES ($1, $2, $3)"
            await expectRefusal(.uniqueViolation, by: "chats_topic_id_key") {
                try await f.sql(insert, f.session.id, "TOPIC", topic.id)
            }
            await expectRefusal(.uniqueViolation, by: "chats_general_key") {
                try await f.sql(insert, f.session.id, "GENERAL", nil)
            }
            await expectRefusal(.checkViolation, by: "chats_type_says_topic") {
                try await f.sql(insert, f.session.id, "TOPIC", nil)
            }
            await expectRefusal(.checkViolation, by: "chats_type_says_topic") {
                try await f.sql(insert, f.session.id, "GENERAL", topic.id)
            }
        }
    }

    @Test("A message's role is user, assistant or system")
    func roles() async throws {
        try await Fixture.with { f in
            let chat = try await f.pool.withConnection(as: .service) { db in
                try await ChatRepository.create(sessionID: f.session.id, on: db)
            }
            let insert = """
                INSERT INTO carrel.messages (session_id, chat_id, role, content)
                VALUES ($1, $2, $3, '')
                """
            for role in MessageRole.allCases {
                try await f.sql(insert, f.session.id, chat.id, role.rawValue)
            }
            for role in ["User", "tool", ""] {
                await expectRefusal(.checkViolation, by: "messages_role") {
                    try await f.sql(insert, f.session.id, chat.id, role)
                }
            }
        }
    }

    @Test("A child has a parent and a parent has none")
    func childAndParent() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            let chunks = stored.chunks(children: 1)
            try await f.store(chunks)
            await expectRefusal(.checkViolation, by: "document_chunks_type_says_parent") {
                try await f.sql("UPDATE carrel.document_chunks SET type = 'PARENT'")
            }
            await expectRefusal(.checkViolation, by: "document_chunks_type_says_parent") {
                try await f.sql("UPDATE carrel.document_chunks SET parent_chunk_id = NULL")
            }
            try await f.sql("DELETE FROM carrel.document_chunks WHERE type = 'PARENT'")
            #expect(try await f.count("document_chunks") == 0)
        }
    }

    @Test("A vector is of unit length within a thousandth, and has 768 dimensions")
    func vectors() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            for norm: Float in [1, 0.9995, 1.0005] {
                try await f.store([
                    stored.chunk(parent: nil, index: 0, embedding: axis(3).map { $0 * norm })
                ])
            }
            try await f.store([stored.chunk(parent: nil, index: 0, embedding: nil)])
            for norm: Float in [0, 0.5, 0.998, 1.002, 2] {
                await expectRefusal(.checkViolation, by: "document_chunks_embedding_is_unit") {
                    try await f.store([
                        stored.chunk(parent: nil, index: 0, embedding: axis(3).map { $0 * norm })
                    ])
                }
            }
            await expectRefusal(SQLState("22000")) {
                try await f.store([stored.chunk(parent: nil, index: 0, embedding: [1, 0])])
            }
        }
    }

    @Test("Two topics can change places in one statement or transaction, not share one")
    func topicOrder() async throws {
        try await Fixture.with { f in
            let (first, second) = try await f.pool.withTransaction(as: .service) { db in
                let first = try await TopicRepository.create(
                    sessionID: f.session.id, title: "Limits", orderIndex: 0, on: db)
                let second = try await TopicRepository.create(
                    sessionID: f.session.id, title: "Series", orderIndex: 1, on: db)
                await #expect(throws: LibraryError.conflict("the session has a topic named Limits"))
                {
                    try await TopicRepository.create(
                        sessionID: f.session.id, title: "Limits", orderIndex: 2, on: db)
                }
                return (first, second)
            }
            try await f.pool.withTransaction(as: .service) { db in
                try await TopicRepository.reorder(
                    sessionID: f.session.id, ids: [second.id, first.id], on: db)
                #expect(
                    try await TopicRepository.list(sessionID: f.session.id, on: db).map(\.title)
                        == ["Series", "Limits"])
            }
            try await f.pool.withTransaction(as: .service) { db in
                try await db.script(
                    """
                    SET CONSTRAINTS carrel.topics_order_index_key DEFERRED;
                    UPDATE carrel.topics SET order_index = 0 WHERE title = 'Limits';
                    UPDATE carrel.topics SET order_index = 1 WHERE title = 'Series';
                    """)
            }
            await expectRefusal(.uniqueViolation, by: "topics_order_index_key") {
                try await f.sql("UPDATE carrel.topics SET order_index = 0")
            }
        }
    }

    @Test("A handle and an email address, in any spelling, belong to one account")
    func profiles() async throws {
        try await Fixture.with { f in
            for (handle, email) in [("owner", "new@localhost"), ("new", "OWNER@Localhost")] {
                await #expect(throws: LibraryError.self) {
                    try await f.pool.withConnection(as: .service) { db in
                        try await ProfileRepository.create(
                            handle: handle, email: email, passwordHash: "!", on: db)
                    }
                }
            }
        }
    }
}
