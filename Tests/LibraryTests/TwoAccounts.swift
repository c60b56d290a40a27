// Two accounts with a row each in every fenced table. A new table gets its row here.

import FoundationEssentials
import Library
import Postgres
import TestSupport

struct TwoAccounts {
    struct Table: Sendable {
        let name: String
        /// The column the fence goes by.
        let key: String
    }

    struct Account: Sendable {
        let profile: UUID
        let session: UUID

        var asker: Asker { .account(profile) }

        /// What the column of the fence says in this account's rows.
        func key(_ table: Table) -> UUID { table.key == "session_id" ? session : profile }
    }

    let pool: Pool
    let a: Account
    let b: Account
    /// Every table that the fence is for, asked of the database.
    let tables: [Table]

    static func with(size: Int = 2, _ body: (TwoAccounts) async throws -> Void) async throws {
        try await withDatabase(migrated: true, size: size) { pool in
            let (a, b) = (try await plant("ada", on: pool), try await plant("bob", on: pool))
            let tables = try await pool.withConnection(as: .nobody) { db in
                try await db.query(selectTables).map { row throws(PostgresError) in
                    Table(name: try row.get(0), key: try row.get(1))
                }
            }
            try await body(TwoAccounts(pool: pool, a: a, b: b, tables: tables))
        }
    }

    private static let selectTables = Statement(
        "fenced",
        """
        SELECT c.relname::text,
            CASE
                WHEN c.relname = 'profiles' THEN 'id'
                WHEN c.relname = 'audit_log' THEN 'actor_id'
                ELSE min(a.attname) FILTER (WHERE a.attname IN ('session_id', 'profile_id')
                    AND (a.attname = 'profile_id' OR a.attnotnull))
            END
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND NOT a.attisdropped
        WHERE c.relnamespace = 'carrel'::regnamespace
            AND c.relkind IN ('r', 'p')
            AND (c.relname = 'profiles' OR a.attname IN ('session_id', 'profile_id'))
        GROUP BY c.relname
        ORDER BY c.relname
        """)

    /// As the account itself: what the fence hides it must also let through.
    private static func plant(_ handle: String, on pool: Pool) async throws -> Account {
        let (profile, model) = try await pool.withTransaction(as: .service) { db in
            let profile = try await ProfileRepository.create(
                handle: handle, email: "\(handle)@example.org", passwordHash: "!", on: db)
            return (profile, try await EmbeddingModelRepository.register(.test, on: db))
        }
        return try await pool.withTransaction(as: .account(profile.id)) { db in
            let session = try await SessionRepository.create(
                profileID: profile.id, title: "Analysis", modelID: model.id, on: db)
            for insert in Self.inserts {
                try await db.script(
                    insert.replacing("$s", with: "'\(session.id)'")
                        .replacing("$p", with: "'\(profile.id)'"))
            }
            try await AuditRepository.record(action: "test", actor: profile.id, on: db)
            return Account(profile: profile.id, session: session.id)
        }
    }

    /// One row each; `$s` is the session, `$p` the account.
    private static let inserts = [
        """
        INSERT INTO carrel.api_keys (profile_id, name, key_hash, scopes)
        VALUES ($p, 'k', sha256($p::uuid::text::bytea), '{read}')
        """,
        """
        INSERT INTO carrel.token_families (profile_id, access_hash, access_expires_at, expires_at)
        VALUES ($p, sha256($p::uuid::text::bytea), now(), now())
        """,
        """
        INSERT INTO carrel.refresh_tokens (profile_id, token_hash, family_id, expires_at)
        SELECT profile_id, access_hash, id, now() FROM carrel.token_families
        """,
        """
        INSERT INTO carrel.idempotency_keys (profile_id, key, method, response)
        VALUES ($p, 'k', 'm', '{}')
        """,
        "INSERT INTO carrel.folders (session_id, name) VALUES ($s, 'Sources')",
        """
        INSERT INTO carrel.documents
            (session_id, file_name, file_path, file_hash, file_type, file_size_bytes)
        VALUES ($s, 'a.pdf', '-', repeat('ab', 32), 'pdf', 1)
        """,
        """
        INSERT INTO carrel.pages (session_id, document_id, page_number, text_start, text_end)
        SELECT session_id, id, 1, 0, 1 FROM carrel.documents
        """,
        """
        INSERT INTO carrel.sections
            (session_id, page_id, section_index, heading_path, content, text_start, text_end)
        SELECT session_id, id, 0, '{}', 'x', 0, 1 FROM carrel.pages
        """,
        "INSERT INTO carrel.topics (session_id, title, order_index) VALUES ($s, 'Limits', 0)",
        """
        INSERT INTO carrel.document_topics (session_id, document_id, topic_id)
        SELECT d.session_id, d.id, t.id FROM carrel.documents AS d, carrel.topics AS t
        """,
        """
        INSERT INTO carrel.topic_vectors (session_id, topic_id, place, embedding_model_id, embedding)
        SELECT t.session_id, t.id, 0, s.embedding_model_id, ('[1' || repeat(',0', 767) || ']')::vector
        FROM carrel.topics AS t, carrel.study_sessions AS s
        """,
        "INSERT INTO carrel.chats (session_id, type) VALUES ($s, 'GENERAL')",
        """
        INSERT INTO carrel.messages (session_id, chat_id, role, content)
        SELECT session_id, id, 'user', 'why?' FROM carrel.chats
        """,
        """
        INSERT INTO carrel.document_chunks
            (session_id, document_id, section_id, type, chunk_index, chunk_text, text_start,
             text_end, page_from, page_to, token_count, embedding)
        SELECT s.session_id, d.id, s.id, 'PARENT', 0, 'x', 0, 1, 1, 1, 1,
            ('[1' || repeat(',0', 767) || ']')::vector
        FROM carrel.sections AS s, carrel.documents AS d
        """,
        """
        INSERT INTO carrel.chunk_graph (session_id, chunk_id, revision, embedding)
        SELECT session_id, id, 0, embedding::halfvec(768) FROM carrel.document_chunks
        """,
        """
        INSERT INTO carrel.removed_documents (session_id, revision, document_id)
        VALUES ($s, 1, gen_random_uuid())
        """,
        "INSERT INTO carrel.groups (name, owner_id) VALUES ($p, $p)",
        """
        INSERT INTO carrel.group_members (group_id, profile_id)
        SELECT id, owner_id FROM carrel.groups WHERE owner_id = $p
        """,
        // To itself, which no method allows: what is shared to another is ShareTests' matter.
        """
        INSERT INTO carrel.shares (session_id, document_id, recipient_id)
        SELECT session_id, id, $p FROM carrel.documents WHERE session_id = $s
        """,
        "INSERT INTO carrel.jobs (session_id, kind) VALUES ($s, 'INGEST')",
        "INSERT INTO carrel.jobs (session_id, kind) VALUES ($s, 'REEMBED')",
        """
        INSERT INTO carrel.embedding_models
            (name, revision, native_dimension, pooling, query_prefix, passage_prefix, provider)
        VALUES ('other', '1', 768, 'sum', '', '', 'hashing')
        ON CONFLICT DO NOTHING
        """,
        """
        INSERT INTO carrel.reembeddings
            (session_id, job_id, from_model_id, to_model_id, stage_id)
        SELECT s.id, j.id, s.embedding_model_id, m.id, j.id
        FROM carrel.study_sessions AS s
        JOIN carrel.jobs AS j ON j.session_id = s.id AND j.kind = 'REEMBED'
        JOIN carrel.embedding_models AS m ON m.name = 'other'
        WHERE s.id = $s
        """,
        """
        INSERT INTO carrel.reembedding_vectors
            (session_id, job_id, chunk_id, text_md5, embedding)
        SELECT session_id, gen_random_uuid(), id, md5(chunk_text)::uuid, embedding
        FROM carrel.document_chunks
        """,
        """
        INSERT INTO carrel.reembedding_failures (session_id, job_id, chunk_id, reason)
        SELECT session_id, job_id, gen_random_uuid(), 'x' FROM carrel.reembeddings
        """,
        "INSERT INTO carrel.borrowers (session_id, name, confidence_score) VALUES ($s, 'B', 1)",
        """
        INSERT INTO carrel.income_records
            (session_id, borrower_id, amount, period, year, source_type)
        SELECT session_id, id, 1, 'annual', 2026, 'W-2' FROM carrel.borrowers WHERE session_id = $s
        """,
        """
        INSERT INTO carrel.account_numbers
            (session_id, borrower_id, number_enc, number_last4, account_type)
        SELECT session_id, id, ''::bytea, '0000', 'bank' FROM carrel.borrowers WHERE session_id = $s
        """,
        """
        INSERT INTO carrel.source_references
            (session_id, borrower_id, document_id, page_number, snippet, text_start, text_end)
        SELECT b.session_id, b.id, d.id, 1, 'x', 0, 1
        FROM carrel.borrowers AS b
        JOIN carrel.documents AS d ON d.session_id = b.session_id
        WHERE b.session_id = $s
        """,
        """
        INSERT INTO carrel.cloud_connections (profile_id, provider, name, credentials_enc)
        VALUES ($p, 'HTTP', 'c', ''::bytea)
        """,
    ]
}
