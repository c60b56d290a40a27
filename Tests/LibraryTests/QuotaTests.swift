import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("Quotas")
struct QuotaTests {
    private func quota(_ fixture: Fixture) async throws -> Quota? {
        try await fixture.pool.withConnection(as: .service) {
            try await QuotaRepository.get(profileID: fixture.profile.id, on: $0)
        }
    }

    private func limit(_ bytes: Int64, _ fixture: Fixture) async throws {
        _ = try await fixture.pool.withConnection(as: .service) {
            try await QuotaRepository.setLimit(bytes, profileID: fixture.profile.id, on: $0)
        }
    }

    @Test("An account begins with 100 MB and counts its documents, each of its sessions'")
    func counting() async throws {
        try await Fixture.with { fixture in
            #expect(try await quota(fixture) == Quota(limitBytes: 104_857_600, usedBytes: 0))
            let first = try await fixture.document().document
            let other = try await fixture.anotherSession()
            _ = try await fixture.document(in: other.id)
            #expect(try await quota(fixture)?.usedBytes == 2_000)
            _ = try await fixture.pool.withTransaction(as: .service) {
                try await DocumentRepository.delete(
                    sessionID: fixture.session.id, id: first.id, on: $0)
            }
            #expect(try await quota(fixture)?.usedBytes == 1_000)
            _ = try await fixture.pool.withTransaction(as: .service) {
                try await SessionRepository.delete(
                    id: other.id, profileID: fixture.profile.id, on: $0)
            }
            #expect(try await quota(fixture)?.usedBytes == 0)
        }
    }

    @Test("What does not fit is refused with the numbers, and nothing of it is kept")
    func refusal() async throws {
        try await Fixture.with { fixture in
            try await limit(2_500, fixture)
            _ = try await fixture.document()
            _ = try await fixture.document()
            let full = Quota(limitBytes: 2_500, usedBytes: 2_000)
            await #expect(throws: LibraryError.quotaExceeded(full, wanted: 1_000)) {
                try await fixture.document()
            }
            #expect(try await quota(fixture) == full)
            #expect(try await fixture.count("documents") == 2)
        }
    }

    @Test("Below what is kept already a limit stops what is new, never a deletion")
    func lowered() async throws {
        try await Fixture.with { fixture in
            let documents = [
                try await fixture.document().document, try await fixture.document().document,
            ]
            try await limit(500, fixture)
            await #expect(throws: LibraryError.self) { try await fixture.document() }
            for (index, document) in documents.enumerated() {
                _ = try await fixture.pool.withTransaction(as: .service) {
                    try await DocumentRepository.delete(
                        sessionID: fixture.session.id, id: document.id, on: $0)
                }
                #expect(try await quota(fixture)?.usedBytes == Int64(1_000 - 1_000 * index))
            }
        }
    }

    @Test("The database itself refuses growth beyond the limit, whoever writes")
    func guarded() async throws {
        try await Fixture.with { fixture in
            await expectRefusal(.checkViolation, by: "quotas_within_limit") {
                try await fixture.sql("UPDATE carrel.quotas SET used_bytes = limit_bytes + 1")
            }
            try await fixture.sql("UPDATE carrel.quotas SET used_bytes = limit_bytes")
        }
    }

    @Test("An account takes its quota with it")
    func account() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.document()
            try await fixture.sql("DELETE FROM carrel.profiles")
            #expect(try await fixture.count("quotas") == 0)
        }
    }

    @Test("Accounts from before quotas are counted by the migration that brings them")
    func existingAccounts() async throws {
        try await withDatabase { pool in
            let number = try #require(
                Migration.all.first { $0.name == "create_quotas" }?.number)
            try await withOwner(of: pool) { db in
                try await Migrator().up(to: number - 1, on: db)
                try await db.script(
                    """
                    INSERT INTO carrel.profiles (handle, email, password_hash)
                    VALUES ('full', 'f@localhost', '!'), ('empty', 'e@localhost', '!');
                    INSERT INTO carrel.embedding_models
                        (name, revision, native_dimension, pooling, query_prefix, passage_prefix,
                         provider)
                    VALUES ('m', '1', 8, 'mean', '', '', 'test');
                    INSERT INTO carrel.study_sessions (profile_id, title, embedding_model_id)
                    SELECT p.id, t.title, m.id
                    FROM carrel.profiles AS p, carrel.embedding_models AS m,
                        (VALUES ('a'), ('b')) AS t (title)
                    WHERE p.handle = 'full';
                    INSERT INTO carrel.documents
                        (session_id, file_name, file_path, file_hash, file_type, file_size_bytes)
                    SELECT s.id, 'f', 'p', repeat('0', 64), 'pdf', 70000000
                    FROM carrel.study_sessions AS s
                    """)
                try await Migrator().up(on: db)
                var used: [String: Int64] = [:]
                for handle in ["full", "empty"] {
                    let profile = try #require(
                        try await ProfileRepository.getByHandle(handle, on: db))
                    used[handle] = try await QuotaRepository.get(
                        profileID: profile.id, on: db)?.usedBytes
                }
                #expect(used == ["full": 140_000_000, "empty": 0])
            }
        }
    }

    @Test(
        "Texts imported before are counted by the migration, and not after its way back"
    )
    func existingImports() async throws {
        try await withDatabase { pool in
            let number = try #require(
                Migration.all.first { $0.name == "count_imported_texts" }?.number)
            try await withOwner(of: pool) { db in
                try await Migrator().up(to: number - 1, on: db)
                try await db.script(
                    """
                    INSERT INTO carrel.profiles (handle, email, password_hash)
                    VALUES ('full', 'f@localhost', '!'), ('empty', 'e@localhost', '!');
                    INSERT INTO carrel.quotas (profile_id, limit_bytes, used_bytes)
                    SELECT id, CASE handle WHEN 'full' THEN 10 ELSE 100 END, 10
                    FROM carrel.profiles
                    ON CONFLICT (profile_id) DO UPDATE
                    SET limit_bytes = EXCLUDED.limit_bytes, used_bytes = EXCLUDED.used_bytes;
                    INSERT INTO carrel.embedding_models
                        (name, revision, native_dimension, pooling, query_prefix, passage_prefix,
                         provider)
                    VALUES ('m', '1', 8, 'mean', '', '', 'test');
                    INSERT INTO carrel.study_sessions (profile_id, title, embedding_model_id)
                    SELECT p.id, 'a', m.id FROM carrel.profiles AS p, carrel.embedding_models AS m
                    WHERE p.handle = 'full';
                    INSERT INTO carrel.documents
                        (session_id, file_name, file_path, file_hash, file_type, file_size_bytes)
                    SELECT s.id, f.type, 'p', repeat(f.digit, 64), f.type, f.bytes
                    FROM carrel.study_sessions AS s,
                        (VALUES ('import', '0', 0), ('pdf', '1', 10)) AS f (type, digit, bytes);
                    INSERT INTO carrel.pages
                        (session_id, document_id, page_number, text_start, text_end)
                    SELECT session_id, id, 1, 0, 9 FROM carrel.documents;
                    INSERT INTO carrel.sections
                        (session_id, page_id, section_index, heading_path, content, text_start,
                         text_end)
                    SELECT session_id, id, 0, '{}', 'x', 0, 9 FROM carrel.pages;
                    INSERT INTO carrel.document_chunks
                        (session_id, document_id, section_id, type, chunk_index, chunk_text,
                         text_start, text_end, page_from, page_to, token_count)
                    SELECT p.session_id, p.document_id, s.id, 'PARENT', 0, 'both', 0, 9, 1, 1, 1
                    FROM carrel.sections AS s JOIN carrel.pages AS p ON p.id = s.page_id;
                    INSERT INTO carrel.document_chunks
                        (session_id, document_id, section_id, parent_chunk_id, type, chunk_index,
                         chunk_text, text_start, text_end, page_from, page_to, token_count)
                    SELECT session_id, document_id, section_id, id, 'CHILD', t.index, t.text, 0, 9,
                        1, 1, 1
                    FROM carrel.document_chunks,
                        (VALUES (1, 'Straße'), (2, 'two')) AS t (index, text)
                    """)
                func used() async throws -> [String: Int64?] {
                    var used: [String: Int64?] = [:]
                    for handle in ["full", "empty"] {
                        let profile = try #require(
                            try await ProfileRepository.getByHandle(handle, on: db))
                        used[handle] = try await QuotaRepository.get(
                            profileID: profile.id, on: db)?.usedBytes
                    }
                    return used
                }
                try await Migrator().up(on: db)
                #expect(try await used() == ["full": 20, "empty": 10])
                await expectRefusal(.checkViolation, by: "quotas_within_limit") {
                    try await db.script("UPDATE carrel.quotas SET used_bytes = used_bytes + 100")
                }
                try await Migrator().down(to: number - 1, on: db)
                #expect(try await used() == ["full": 10, "empty": 10])
            }
        }
    }
}
