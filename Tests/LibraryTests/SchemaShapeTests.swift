// What was asked of the tables as such: keys, types, enums. Their behaviour is tested beside each.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("The shape of the schema")
struct SchemaShapeTests {
    private func strings(_ sql: String) async throws -> [String] {
        try await withDatabase(migrated: true) { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await db.query(Statement("shape", sql)).map {
                    row throws(PostgresError) in try row.get(0)
                }
            }
        }
    }

    @Test("Every id is a UUID that the database can make; only the audit log counts")
    func ids() async throws {
        let others = try await strings(
            """
            SELECT c.relname::text
            FROM pg_class AS c
            JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'id' AND NOT a.attisdropped
            LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
            WHERE c.relnamespace = 'carrel'::regnamespace AND c.relkind IN ('r', 'p')
                AND (a.atttypid <> 'uuid'::regtype
                    OR pg_get_expr(d.adbin, d.adrelid) IS DISTINCT FROM 'gen_random_uuid()')
            ORDER BY 1
            """)
        // audit_head is the log's last entry.
        #expect(others == ["audit_head", "audit_log"])
    }

    @Test(
        "A table of a session begins its key with it, and points at its like by keys that hold it")
    func keys() async throws {
        // Accounts' tables may name a session, and do not belong to it: they are not NOT NULL.
        let others = try await strings(
            """
            SELECT t.conrelid::regclass::text || ' ' || t.conname
            FROM pg_constraint AS t
            JOIN pg_attribute AS a ON a.attrelid = t.conrelid AND a.attname = 'session_id'
                AND a.attnotnull
            WHERE t.connamespace = 'carrel'::regnamespace
                AND (
                    t.contype = 'p' AND t.conkey[1] <> a.attnum
                    OR t.contype = 'f' AND a.attnum <> ALL (t.conkey)
                        AND EXISTS (
                            SELECT FROM pg_attribute AS f
                            WHERE f.attrelid = t.confrelid AND f.attname = 'session_id'
                                AND f.attnotnull
                        )
                )
            """)
        #expect(others == [])
    }

    @Test("The enums have the labels that were asked for, in their order")
    func enums() async throws {
        let enums = try await strings(
            """
            SELECT t.typname || ': ' || string_agg(e.enumlabel, ' ' ORDER BY e.enumsortorder)
            FROM pg_type AS t
            JOIN pg_enum AS e ON e.enumtypid = t.oid
            WHERE t.typnamespace = 'carrel'::regnamespace
            GROUP BY t.typname
            """)
        for wanted in [
            "session_status: UPLOADING GENERATING_PLAN EDITING_PLAN CHUNKING ACTIVE COMPLETED",
            "processing_status: PENDING PROCESSING COMPLETED FAILED", "chat_type: GENERAL TOPIC",
            "chunk_type: PARENT CHILD", "account_role: USER ADMIN", "cloud_provider: S3 GCS HTTP",
            "share_permission: READ",
        ] {
            #expect(enums.contains(wanted))
        }
    }

    @Test("Columns have the types that were asked for")
    func types() async throws {
        let columns = try await strings(
            """
            SELECT a.attrelid::regclass::text || '.' || a.attname || ' '
                || format_type(a.atttypid, a.atttypmod)
            FROM pg_attribute AS a
            JOIN pg_class AS c ON c.oid = a.attrelid
            WHERE c.relnamespace = 'carrel'::regnamespace AND c.relkind IN ('r', 'p')
                AND a.attnum > 0 AND NOT a.attisdropped
            """)
        for wanted in [
            "document_chunks.embedding vector(768)", "document_chunks.related_topic_ids uuid[]",
            "topics.subtopics text[]", "study_sessions.draft_plan jsonb",
            "messages.cited_chunk_ids uuid[]", "audit_log.ip inet", "audit_log.metadata jsonb",
            "refresh_tokens.ip inet", "cloud_connections.credentials_enc bytea",
            "profiles.totp_secret_enc bytea", "borrowers.ssn_hash character(64)",
            "borrowers.name character varying(255)", "borrowers.confidence_score numeric(3,2)",
            "income_records.amount numeric(12,2)", "income_records.year integer",
            "documents.file_hash character(64)",
        ] {
            #expect(columns.contains("carrel." + wanted), "\(wanted)")
        }
    }

    @Test(
        "The vector extension comes with the first migration, HNSW and GIN with the chunks' table")
    func indexes() throws {
        #expect(Migration.all[0].up.contains("CREATE EXTENSION IF NOT EXISTS vector"))
        let chunks = try #require(
            Migration.all.first { $0.up.contains("CREATE TABLE carrel.document_chunks") })
        for index in ["USING hnsw (embedding", "USING gin (related_topic_ids", "USING gin (to_tsv"]
        {
            #expect(chunks.up.contains(index), "\(index)")
        }
    }
}
