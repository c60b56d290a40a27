// What each role may do, on a real server: the owner everything, the others rows only.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("The roles")
struct RoleTests {
    @Test(
        "The role of the server can alter nothing",
        arguments: [
            "CREATE TABLE carrel.notes (id int)", "DROP TABLE carrel.messages",
            "ALTER TABLE carrel.documents ADD COLUMN surprise text",
            "ALTER TABLE carrel.documents DISABLE ROW LEVEL SECURITY",
            "DROP POLICY owner ON carrel.documents",
            "CREATE POLICY mine ON carrel.documents USING (true)",
            "CREATE INDEX ON carrel.pages (text_start)", "TRUNCATE carrel.messages",
            "CREATE FUNCTION carrel.surprise() RETURNS int LANGUAGE sql RETURN 1",
            "DROP SCHEMA carrel CASCADE", "CREATE TABLE public.notes (id int)",
            "UPDATE carrel.schema_migrations SET name = 'x'", "SET ROLE carrel_migrate",
            "ALTER ROLE carrel_app SUPERUSER",
        ])
    func appCannotAlter(_ change: String) async throws {
        try await withDatabase(migrated: true) { pool in
            for asker in [Asker.nobody, .service, .account(UUID())] {
                await expectRefusal(.insufficientPrivilege) {
                    try await pool.withConnection(as: asker) { try await $0.script(change) }
                }
            }
        }
    }

    @Test("A table of a later migration, its identity column too, needs no grant")
    func laterTables() async throws {
        try await withDatabase(migrated: true) { pool in
            let next = Migration.all.count + 1
            let later = Migration(
                fileName: "\(String(10_000 + next).dropFirst())_create_notes",
                text: """
                    CREATE TABLE carrel.notes (
                        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                        place serial,
                        content text NOT NULL
                    );
                    -- down
                    DROP TABLE carrel.notes;
                    """)
            try await withOwner(of: pool) { db in
                _ = try await Migrator(migrations: Migration.all + [later]).up(on: db)
            }
            for asker in [Asker.nobody, .service] {
                try await pool.withConnection(as: asker) { db in
                    try await db.script(
                        """
                        INSERT INTO carrel.notes (content) VALUES ('a');
                        UPDATE carrel.notes SET content = 'b';
                        """)
                    let read: String = try await db.query(
                        Statement("notes", "SELECT content FROM carrel.notes")
                    ).single()
                    #expect(read == "b")
                    try await db.script("DELETE FROM carrel.notes")
                }
            }
        }
    }

    @Test("A right that a migration takes back is gone for the server, account or service")
    func revoked() async throws {
        try await withDatabase(migrated: true) { pool in
            let next = Migration.all.count + 1
            let later = Migration(
                fileName: "\(String(10_000 + next).dropFirst())_create_log",
                text: """
                    CREATE TABLE carrel.log (id bigint GENERATED ALWAYS AS IDENTITY, entry text);
                    REVOKE UPDATE, DELETE ON carrel.log FROM carrel_app, carrel_service;
                    -- down
                    DROP TABLE carrel.log;
                    """)
            try await withOwner(of: pool) { db in
                _ = try await Migrator(migrations: Migration.all + [later]).up(on: db)
            }
            for asker in [Asker.nobody, .service] {
                try await pool.withConnection(as: asker) { db in
                    try await db.script("INSERT INTO carrel.log (entry) VALUES ('a')")
                    for change in [
                        "UPDATE carrel.log SET entry = 'b'", "DELETE FROM carrel.log",
                        "TRUNCATE carrel.log",
                    ] {
                        await expectRefusal(.insufficientPrivilege) { try await db.script(change) }
                    }
                }
            }
        }
    }

    @Test("Whoever migrates, carrel_migrate owns what is made")
    func ownership() async throws {
        try await withDatabase(migrated: true) { pool in
            let others: [String] = try await pool.withConnection(as: .nobody) { db in
                try await db.query(
                    Statement(
                        "owners",
                        """
                        SELECT relname::text
                        FROM pg_class
                        WHERE relnamespace = 'carrel'::regnamespace
                            AND relowner <> 'carrel_migrate'::regrole
                        """)
                ).map { try $0.get(0) }
            }
            #expect(others == [])
        }
    }

    @Test("Tables from before there were roles change owner with the next migration")
    func adoption() async throws {
        try await withDatabase(migrated: true) { pool in
            try await withOwner(of: pool) { db in
                try await db.script(
                    """
                    ALTER SCHEMA carrel OWNER TO carrel;
                    ALTER TABLE carrel.documents OWNER TO carrel;
                    ALTER TYPE carrel.job_kind OWNER TO carrel;
                    ALTER FUNCTION carrel.refuse_status_move() OWNER TO carrel;
                    """)
                try await Migrator().up(on: db)
                let owners: [String] = try await db.query(
                    Statement(
                        "owners",
                        """
                        SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'carrel'
                        UNION SELECT relowner::regrole::text FROM pg_class
                        WHERE relnamespace = 'carrel'::regnamespace
                        UNION SELECT typowner::regrole::text FROM pg_type
                        WHERE typnamespace = 'carrel'::regnamespace
                        UNION SELECT proowner::regrole::text FROM pg_proc
                        WHERE pronamespace = 'carrel'::regnamespace
                        """)
                ).map { try $0.get(0) }
                #expect(owners == ["carrel_migrate"])
            }
        }
    }

    @Test("A role that may not own tables is told which address to give")
    func cannotMigrate() async throws {
        try await withDatabase(migrated: true) { pool in
            try await pool.withConnection(as: .nobody) { db in
                let error = await #expect(throws: LibraryError.self) {
                    try await Migrator().up(on: db)
                }
                #expect(error?.description.contains("carrel_app") == true)
                #expect(error?.description.contains("CARREL_MIGRATE_URL") == true)
            }
        }
    }
}
