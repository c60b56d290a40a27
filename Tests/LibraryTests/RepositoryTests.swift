// Repositories write in their caller's transaction: at once, and never for good.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("Repositories")
struct RepositoryTests {
    private func counts(_ db: some Queryable) async throws -> [String: Int] {
        let tables: [String] = try await db.query(
            Statement(
                "tables",
                """
                SELECT relname::text FROM pg_class
                WHERE relnamespace = 'carrel'::regnamespace AND relkind IN ('r', 'p')
                """)
        ).map { row throws(PostgresError) in try row.get(0) }
        var counts: [String: Int] = [:]
        for table in tables {
            counts[table] = try await db.query(
                Statement("count", "SELECT count(*) FROM carrel.\(table)")
            ).single()
        }
        return counts
    }

    @Test("What is written is there for the caller at once, and gone when the caller rolls back")
    func neverCommit() async throws {
        struct Enough: Error {}
        try await Fixture.with { f in
            let before = try await f.pool.withConnection(as: .service) { try await counts($0) }
            await #expect(throws: Enough.self) {
                try await f.pool.withTransaction(as: .service) { db in
                    let written = try await write(f, on: db)
                    let during = try await counts(db)
                    for table in written {
                        #expect(during[table] == before[table, default: 0] + 1, "\(table)")
                    }
                    throw Enough()
                }
            }
            let after = try await f.pool.withConnection(as: .service) { try await counts($0) }
            #expect(after == before)
        }
    }

    /// One row each; the names of the tables.
    private func write(_ f: Fixture, on db: Transaction) async throws -> [String] {
        let profile = try await ProfileRepository.create(
            handle: "second", email: "second@localhost", passwordHash: "!", on: db)
        _ = try await ApiKeyRepository.create(
            profileID: profile.id, name: "k", hash: Array(repeating: 1, count: 32),
            scopes: ["read"], sessionID: nil, expiresAt: nil, on: db)
        _ = try await CloudConnectionRepository.create(
            id: UUID(), profileID: profile.id, provider: .http, name: "c", credentials: [1], on: db)
        let group = try await GroupRepository.create(
            name: "readers", ownerID: profile.id, on: db)
        _ = try await GroupRepository.addMember(profile.id, to: group, on: db)
        let session = try await SessionRepository.create(
            profileID: profile.id, title: "S", modelID: f.model.id, on: db
        ).id
        _ = try await FolderRepository.create(sessionID: session, name: "f", on: db)
        let document = try await DocumentRepository.create(.test(session: session), on: db).id
        let page = Page(
            sessionID: session, id: UUID(), documentID: document, number: 1, start: 0, end: 9)
        try await PageRepository.insert([page], on: db)
        let section = UUID()
        try await SectionRepository.insert(
            [
                NewSection(
                    id: section, pageID: page.id, index: 0, heading: nil, headingPath: [],
                    content: "x", start: 0, end: 9)
            ], sessionID: session, on: db)
        try await ChunkRepository.insert(
            [
                NewChunk(
                    id: UUID(), documentID: document, sectionID: section, parentID: nil, index: 0,
                    text: "x", start: 0, end: 1, pageFrom: 1, pageTo: 1, tokenCount: 1,
                    embedding: axis(0))
            ], sessionID: session,
            modelID: try await SessionRepository.lock(id: session, on: db).modelID, on: db)
        let topic = try await TopicRepository.create(
            sessionID: session, title: "T", orderIndex: 0, on: db)
        try await TopicRepository.link(
            sessionID: session, documentID: document, topicID: topic.id, on: db)
        let chat = try await ChatRepository.create(sessionID: session, topicID: topic.id, on: db)
        _ = try await MessageRepository.append(
            sessionID: session, chatID: chat.id, role: .user, content: "Why?", on: db)
        _ = try await ShareRepository.create(
            sessionID: session, documentID: document, to: .profile(f.profile.id), on: db)
        _ = try await JobRepository.enqueue(NewJob(sessionID: session, kind: .ingest), on: db)
        let borrower = try await BorrowerRepository.create(
            sessionID: session, name: "B", ssnHash: nil, address: nil,
            confidence: Hundredths(100), on: db
        ).id
        _ = try await IncomeRepository.create(
            sessionID: session, borrowerID: borrower, amount: Hundredths(100), period: .annual,
            year: 2026, sourceType: "W-2", employer: nil, on: db)
        _ = try await AccountNumberRepository.create(
            sessionID: session, id: UUID(), borrowerID: borrower, sealed: [1], lastFour: "1234",
            kind: .bank, on: db)
        _ = try await SourceReferenceRepository.create(
            sessionID: session, borrowerID: borrower, documentID: document, page: 1, section: nil,
            snippet: "x", span: 0..<1, chunkID: nil, on: db)
        try await AuditRepository.record(action: "test", actor: profile.id, on: db)
        return [
            "profiles", "quotas", "api_keys", "cloud_connections", "groups", "group_members",
            "study_sessions", "folders", "documents", "pages", "sections", "document_chunks",
            "topics", "document_topics", "chats", "messages", "shares", "jobs", "borrowers",
            "income_records", "account_numbers", "source_references", "audit_log",
        ]
    }
}
