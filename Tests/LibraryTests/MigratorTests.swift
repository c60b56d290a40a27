// Migrations against a real PostgreSQL.

import FoundationEssentials
import Indexes
import Library
import Postgres
import TestSupport
import Testing

@Suite("The migrator")
struct MigratorTests {
    private func catalog(_ db: some Queryable) async throws -> [String] {
        try await CatalogDescription.read(schema: "carrel", on: db).lines
    }

    private func hasSchema(_ db: some Queryable) async throws -> Bool {
        try await db.query(Statement("s", "SELECT to_regnamespace('carrel') IS NOT NULL")).single()
    }

    @Test("Up from empty, down to nothing, up again, with the same result")
    func upDownUp() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await db.script("DROP EXTENSION vector")
                let migrator = Migrator()
                #expect(try await migrator.up(on: db) == Migration.all)
                let first = try await catalog(db)
                #expect(first.count > 100)
                #expect(try await migrator.up(on: db).isEmpty)

                #expect(try await migrator.down(to: 0, on: db) == Migration.all.reversed())
                #expect(try await hasSchema(db) == false)
                #expect(try await migrator.history(on: db).current == 0)

                try await migrator.up(on: db)
                #expect(try await catalog(db) == first)
            }
        }
    }

    @Test("Each step down leaves exactly what the step before it made")
    func eachStepIsUndone() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                let migrator = Migrator()
                var states: [[String]] = [[]]
                for migration in Migration.all {
                    try await migrator.up(to: migration.number, on: db)
                    #expect(try await migrator.history(on: db).current == migration.number)
                    states.append(try await catalog(db))
                }
                for migration in Migration.all.reversed() {
                    try await migrator.down(to: migration.number - 1, on: db)
                    #expect(
                        try await catalog(db) == states[migration.number - 1], "\(migration.name)")
                }
            }
        }
    }

    @Test("schema.sql makes what the migrations make")
    func schemaAgrees() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await Roles.prepare(on: db)
                try await db.script("SET ROLE carrel_migrate")
                try await db.script(Indexes.schema.text)
                try await db.script("RESET ROLE")
                let written = try await catalog(db)
                try await db.script("DROP SCHEMA carrel CASCADE")
                try await Migrator().up(on: db)
                #expect(try await catalog(db) == written)
            }
        }
    }

    @Test("Each index in the database is the one of its definition")
    func definitionsAgree() async throws {
        try await withDatabase(migrated: true) { pool in
            try await withOwner(of: pool) { db in
                let before = try await catalog(db)
                for definition in Indexes.definitions {
                    try await db.script("DROP INDEX carrel.\(definition.name)_idx")
                    try await db.script(definition.text)
                }
                #expect(try await catalog(db) == before)
            }
        }
    }

    @Test("Of two migrators at once, each migration is applied by one")
    func twoAtOnce() async throws {
        try await withDatabase { pool in
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await pool.withConnection(as: .nobody) {
                            try await Migrator().up(on: $0).count
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts.sorted() == [0, 0, 0, Migration.all.count])
        }
    }

    @Test("A migration that fails half-way leaves the previous state, and can be run again")
    func failureHalfWay() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await Migrator().up(on: db)
                let next = Migration.all.count + 1
                let name = "\(String(10_000 + next).dropFirst())_break_things"
                let half = "CREATE TABLE carrel.scrap (id int);"
                let broken = Migration(
                    fileName: name,
                    text: "\(half)\nSELECT 1 / 0;\n-- down\nDROP TABLE carrel.scrap;"
                )
                let error = await #expect(throws: LibraryError.self) {
                    try await Migrator(migrations: Migration.all + [broken]).up(on: db)
                }
                #expect(error?.description.contains("division by zero") == true)
                #expect(error?.description.contains("break_things") == true)
                #expect(try await Migrator().history(on: db).current == Migration.all.count)
                #expect(try await catalog(db).contains { $0.contains("scrap") } == false)

                let mended = Migration(
                    fileName: name, text: "\(half)\n-- down\nDROP TABLE carrel.scrap;")
                let migrator = Migrator(migrations: Migration.all + [mended])
                #expect(try await migrator.up(on: db) == [mended])
                #expect(try await migrator.down(to: next - 1, on: db) == [mended])
            }
        }
    }

    @Test("A file changed after it was applied stops up, down, status and verify")
    func changedHash() async throws {
        try await withDatabase(migrated: true) { pool in
            try await withOwner(of: pool) { db in
                var files = Indexes.migrations.map {
                    Migration(fileName: $0.name, text: $0.text)
                }
                files[1] = Migration(
                    fileName: Indexes.migrations[1].name,
                    text: Indexes.migrations[1].text + "-- one comment more\n")
                let migrator = Migrator(migrations: files)
                let refusal = LibraryError.migration(
                    .changed(
                        number: 2, name: files[1].name, applied: Migration.all[1].sha256,
                        file: files[1].sha256))
                await #expect(throws: refusal) { try await migrator.up(on: db) }
                await #expect(throws: refusal) { try await migrator.down(to: 0, on: db) }
                await #expect(throws: refusal) { try await migrator.status(on: db) }
                await #expect(throws: refusal) { try await migrator.verify(on: db) }
            }
        }
    }

    @Test("A database newer than the program is refused")
    func newerDatabase() async throws {
        try await withDatabase(migrated: true) { pool in
            try await withOwner(of: pool) { db in
                let last = Migration.all[Migration.all.count - 1]
                let older = Migrator(migrations: Migration.all.dropLast())
                await #expect(
                    throws: LibraryError.migration(.unknown(number: last.number, name: last.name))
                ) { try await older.up(on: db) }
            }
        }
    }

    @Test("pgvector older than 0.8.4 is refused before anything is created")
    func oldVector() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await db.script(
                    "UPDATE pg_extension SET extversion = '0.8.3' WHERE extname = 'vector'")
                let error = await #expect(throws: LibraryError.self) {
                    try await Migrator().up(on: db)
                }
                #expect(error?.description.contains("0.8.4 or newer, got 0.8.3") == true)
                #expect(try await hasSchema(db) == false)
            }
        }
    }

    @Test("Status tells what is applied, when, and what is not")
    func status() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await Migrator().up(to: 3, on: db)
                let status = try await Migrator().status(on: db)
                #expect(
                    status.map { $0.applied?.number } == [1, 2, 3]
                        + Array(repeating: nil, count: Migration.all.count - 3))
                let first = try #require(status[0].applied)
                #expect(first.sha256 == Migration.all[0].sha256)
                #expect(abs(first.appliedAt.timeIntervalSinceNow) < 60)
            }
        }
    }
}

@Suite("Verification")
struct VerificationTests {
    @Test("A database that nobody touched has not drifted, at any of its states")
    func clean() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                for number in 0...Migration.all.count {
                    try await Migrator().up(to: number, on: db)
                    let found = try await Migrator().verify(on: db)
                    #expect(found.missing.isEmpty)
                    #expect(found.unexpected.isEmpty)
                    #expect(found.pending == Migration.all.map(\.number).filter { $0 > number })
                }
            }
        }
    }

    @Test("Verification leaves nothing behind")
    func leavesNothing() async throws {
        try await withDatabase(migrated: true) { pool in
            try await withOwner(of: pool) { db in
                _ = try await Migrator().verify(on: db)
                let schemas: Int = try await db.query(
                    Statement(
                        "schemas", "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'carrel%'")
                ).single()
                #expect(schemas == 1)
            }
        }
    }

    @Test(
        "Drift is reported, whatever was changed",
        arguments: [
            "DROP INDEX carrel.chunk_graph_embedding_idx",
            "ALTER TABLE carrel.documents ADD COLUMN surprise text",
            "ALTER TABLE carrel.documents ALTER COLUMN file_name TYPE varchar(100)",
            "ALTER TABLE carrel.documents ALTER COLUMN created_at DROP DEFAULT",
            "ALTER TABLE carrel.documents ALTER COLUMN file_name DROP NOT NULL",
            "ALTER TABLE carrel.document_chunks DROP CONSTRAINT document_chunks_embedding_is_unit",
            "ALTER TABLE carrel.messages DISABLE ROW LEVEL SECURITY",
            "DROP POLICY owner ON carrel.messages",
            "ALTER POLICY owner ON carrel.messages USING (true)",
            "GRANT TRUNCATE ON carrel.messages TO carrel_app",
            "REVOKE INSERT ON carrel.messages FROM carrel_app",
            "ALTER DEFAULT PRIVILEGES FOR ROLE carrel_migrate IN SCHEMA carrel REVOKE ALL ON TABLES FROM carrel_app",
            "ALTER TYPE carrel.job_kind ADD VALUE 'MINE_BITCOIN'",
            "ALTER TABLE carrel.study_sessions DISABLE TRIGGER study_sessions_status_moves",
            "CREATE OR REPLACE FUNCTION carrel.refuse_status_move() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TABLE carrel.notes (id int)",
            "CREATE VIEW carrel.titles AS SELECT title FROM carrel.study_sessions",
            "CREATE INDEX ON carrel.pages (text_start)",
            "DROP INDEX carrel.chunk_graph_embedding_idx; CREATE INDEX chunk_graph_embedding_idx ON carrel.chunk_graph USING hnsw (embedding halfvec_cosine_ops) WITH (m = 8)",
        ])
    func drift(_ change: String) async throws {
        try await withDatabase(migrated: true) { pool in
            try await withOwner(of: pool) { db in
                try await db.script(change)
                #expect(try await Migrator().verify(on: db).hasDrifted)
            }
        }
    }
}
