// The second fence: statements that forget the session, asked on behalf of an account.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("The fence")
struct FenceTests {
    @Test("Every table of a session or an account is fenced")
    func everyTable() async throws {
        try await withDatabase(migrated: true) { pool in
            let unfenced: [String] = try await pool.withConnection(as: .nobody) { db in
                try await db.query(Self.selectUnfenced).map { try $0.get(0) }
            }
            #expect(
                unfenced == [],
                """
                these need ENABLE ROW LEVEL SECURITY, a policy for carrel_app and one for \
                carrel_service: 0015_fence_rows.sql says how
                """)
        }
    }

    /// Without row security, or without a policy for each of the two roles.
    private static let selectUnfenced = Statement(
        "unfenced",
        """
        SELECT c.relname::text
        FROM pg_class AS c
        WHERE c.relnamespace = 'carrel'::regnamespace
            AND c.relkind IN ('r', 'p')
            AND (
                c.relname = 'profiles'
                OR EXISTS (
                    SELECT FROM pg_attribute AS a
                    WHERE a.attrelid = c.oid
                        AND a.attname IN ('session_id', 'profile_id')
                        AND NOT a.attisdropped
                )
            )
            AND (
                NOT c.relrowsecurity
                OR EXISTS (
                    SELECT FROM unnest(ARRAY['carrel_app', 'carrel_service']) AS role
                    WHERE NOT EXISTS (
                        SELECT FROM pg_policy AS p
                        WHERE p.polrelid = c.oid AND p.polpermissive
                            AND role::regrole = ANY (p.polroles)
                    )
                )
            )
        ORDER BY 1
        """)

    @Test("Only the service's policies are open")
    func openPolicies() async throws {
        try await withDatabase(migrated: true) { pool in
            let open: Int = try await pool.withConnection(as: .nobody) { db in
                try await db.query(
                    Statement(
                        "open",
                        """
                        SELECT count(*) FROM pg_policies
                        WHERE schemaname = 'carrel'
                            AND (qual = 'true' OR with_check = 'true' OR 'public' = ANY (roles))
                            AND roles <> '{carrel_service}'
                        """)
                ).single()
            }
            #expect(open == 0)
        }
    }

    @Test(
        "An account sees its own rows of every table and none of another's, whatever is forgotten")
    func hidden() async throws {
        try await TwoAccounts.with { f in
            for table in f.tables {
                let all = Statement(
                    "all \(table.name)", "SELECT count(*) FROM carrel.\(table.name)")
                func count(_ asker: Asker) async throws -> Int {
                    try await f.pool.withConnection(as: asker) { try await $0.query(all).single() }
                }
                let (a, b) = (try await count(.account(f.a.profile)), try await count(f.b.asker))
                #expect(a > 0 && b > 0, "\(table.name) is not filled by this test")
                #expect(try await count(.service) == a + b, "\(table.name)")
                #expect(try await count(.nobody) == 0, "\(table.name)")
                #expect(try await count(.account(UUID())) == 0, "\(table.name)")
            }
        }
    }

    @Test("An account can neither change nor delete another's rows")
    func unchangeable() async throws {
        try await TwoAccounts.with { f in
            for table in f.tables {
                for change in [
                    "UPDATE carrel.\(table.name) SET \(table.key) = \(table.key)",
                    "DELETE FROM carrel.\(table.name)",
                ] {
                    try await expectUntouched(f, table) { db in
                        try await db.script("\(change) WHERE \(table.key) = '\(f.b.key(table))'")
                    }
                    try await expectUntouched(f, table) { db in try await db.script(change) }
                }
            }
        }
    }

    /// Runs something as A, takes it back, and expects B's rows to be what they were meanwhile.
    private func expectUntouched(
        _ f: TwoAccounts, _ table: TwoAccounts.Table,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (Transaction) async throws -> Void
    ) async throws {
        struct Enough: Error {}
        let digest = Statement(
            "digest \(table.name)",
            """
            SELECT coalesce(md5(string_agg(t::text || t.ctid, ' ' ORDER BY t::text)), '')
            FROM carrel.\(table.name) AS t
            WHERE \(table.key) = '\(f.b.key(table))'
            """)
        do {
            try await f.pool.withTransaction(as: .service) { db in
                let before: String = try await db.query(digest).single()
                try await db.script(
                    """
                    SET LOCAL ROLE carrel_app; SET LOCAL carrel.profile_id = '\(f.a.profile)';
                    SET CONSTRAINTS ALL DEFERRED;
                    """)
                try await body(db)
                try await db.script("SET LOCAL ROLE carrel_service")
                let after: String = try await db.query(digest).single()
                #expect(before == after, "\(table.name)", sourceLocation: sourceLocation)
                throw Enough()
            }
        } catch is Enough {
        } catch let error as PostgresError where error.sqlState == .insufficientPrivilege {
            // Nobody may do this to this table.
        }
    }

    @Test("An account cannot put a row into another's session, nor give its own away")
    func uninsertable() async throws {
        try await TwoAccounts.with { f in
            for table in f.tables {
                // The row exists already, so a fence that leaks shows as a unique violation.
                for change in [
                    """
                    INSERT INTO carrel.\(table.name)
                    SELECT (jsonb_populate_record(t, '{"\(table.key)": "\(f.b.key(table))"}')).*
                    FROM carrel.\(table.name) AS t LIMIT 1
                    """,
                    "UPDATE carrel.\(table.name) SET \(table.key) = '\(f.b.key(table))'",
                ] {
                    await expectRefusal(.insufficientPrivilege) {
                        try await f.pool.withConnection(as: f.a.asker) {
                            try await $0.script(change)
                        }
                    }
                }
            }
        }
    }

    @Test("Of its own rows an account is not asked whether they are shared to it")
    func ownersFirst() async throws {
        try await TwoAccounts.with { f in
            for table in ["study_sessions", "documents", "pages", "sections", "document_chunks"] {
                let key = table == "study_sessions" ? "id" : "session_id"
                let plan: [String] = try await f.pool.withConnection(as: f.a.asker) { db in
                    try await db.query(
                        Statement(
                            "plan of \(table)",
                            """
                            EXPLAIN (ANALYZE) SELECT * FROM carrel.\(table)
                            WHERE \(key) = '\(f.a.session)'
                            """)
                    ).map { try $0.get(0) }
                }
                let calls = plan.filter { $0.contains("Scan on shared_documents") }
                #expect(!calls.isEmpty, "\(plan)")
                #expect(calls.allSatisfy { $0.contains("never executed") }, "\(table): \(plan)")
            }
        }
    }

    @Test("A connection that served one account does not serve it for the next")
    func reused() async throws {
        try await TwoAccounts.with(size: 1) { f in
            let mine = Statement("mine", "SELECT profile_id FROM carrel.study_sessions")
            for round in 0..<20 {
                let asker = [f.a.asker, f.b.asker, .nobody, .service][round % 4]
                let seen: Set<UUID> = try await f.pool.withConnection(as: asker) { db in
                    Set(try await db.query(mine).map { try $0.get(0) as UUID })
                }
                switch asker {
                case .account(let id): #expect(seen == [id])
                case .nobody: #expect(seen.isEmpty)
                case .service: #expect(seen == [f.a.profile, f.b.profile])
                }
                // A rollback must not take the asker back.
                await #expect(throws: PostgresError.self) {
                    try await f.pool.withTransaction(as: [f.b.asker, f.a.asker][round % 2]) { db in
                        try await db.script("SELECT 1 / 0")
                    }
                }
            }
        }
    }

    @Test("The server starts as carrel_app, and as nobody whom no policy binds")
    func selfTest() async throws {
        try await withDatabase(migrated: true) { pool in
            try await Fence.check(pool)
            for user in ["carrel", "carrel_migrate"] {
                let url = pool.configuration.url.replacing("user=carrel_app", with: "user=\(user)")
                let other = Pool(try PostgresConfiguration(url: url), size: 1)
                let error = await #expect(throws: LibraryError.self) {
                    try await Fence.check(other)
                }
                #expect(error?.description.contains("connect as carrel_app") == true)
                await other.shutdown()
            }
            let profiles: Int = try await pool.withConnection(as: .service) { db in
                try await db.query(Statement("left", "SELECT count(*) FROM carrel.profiles"))
                    .single()
            }
            #expect(profiles == 0)
        }
    }

    @Test(
        "The server does not start with a hole in the fence",
        arguments: [
            "ALTER TABLE carrel.documents DISABLE ROW LEVEL SECURITY",
            "DROP POLICY owner ON carrel.profiles",
            "CREATE POLICY hole ON carrel.profiles USING (true)",
            "CREATE TABLE carrel.notes (session_id uuid)",
        ])
    func selfTestFindsHoles(_ hole: String) async throws {
        try await withDatabase(migrated: true) { pool in
            try await withOwner(of: pool) { try await $0.script(hole) }
            await #expect(throws: LibraryError.self) { try await Fence.check(pool) }
        }
    }
}
