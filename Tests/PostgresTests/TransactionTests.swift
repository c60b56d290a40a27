// All or nothing, and knowing which.

import Postgres
import TestSupport
import Testing

@Suite("A transaction")
struct TransactionTests {
    struct Refusal: Error {}

    static let insert = Statement("insert", "INSERT INTO t VALUES ($1)")
    static let all = Statement("all", "SELECT n FROM t ORDER BY n")

    func withTable(_ body: (Pool) async throws -> Void) async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) {
                try await $0.script("CREATE TABLE t (n int UNIQUE)")
            }
            try await body(pool)
        }
    }

    func stored(_ pool: Pool) async throws -> [Int] {
        try await pool.withConnection(as: .nobody) { db in
            try await db.query(Self.all).map { row throws(PostgresError) in try row.get(0) }
        }
    }

    @Test("What returns is committed, what throws is not")
    func commitAndRollback() async throws {
        try await withTable { pool in
            let answer = try await pool.withTransaction(as: .nobody) { db in
                try await db.execute(Self.insert, 1)
                return "done"
            }
            #expect(answer == "done")
            await #expect(throws: Refusal.self) {
                try await pool.withTransaction(as: .nobody) { db in
                    try await db.execute(Self.insert, 2)
                    throw Refusal()
                }
            }
            #expect(try await stored(pool) == [1])
            #expect(pool.statistics == Pool.Statistics(size: 4, inUse: 0, idle: 1, waiting: 0))
        }
    }

    @Test("A savepoint's failure undoes the savepoint only, however deep")
    func savepoints() async throws {
        try await withTable { pool in
            try await pool.withTransaction(as: .nobody) { db in
                try await db.execute(Self.insert, 1)
                await #expect(throws: PostgresError.self) {
                    try await db.savepoint { inner in
                        try await inner.execute(Self.insert, 2)
                        try await inner.execute(Self.insert, 1)
                    }
                }
                try await db.savepoint { inner in
                    try await inner.execute(Self.insert, 3)
                    await #expect(throws: Refusal.self) {
                        try await inner.savepoint { innermost in
                            try await innermost.execute(Self.insert, 4)
                            throw Refusal()
                        }
                    }
                }
                try await db.execute(Self.insert, 5)
            }
            #expect(try await stored(pool) == [1, 3, 5])
        }
    }

    @Test("Swallowing an error does not make COMMIT succeed in silence")
    func failedCommit() async throws {
        try await withTable { pool in
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withTransaction(as: .nobody) { db in
                    try await db.execute(Self.insert, 1)
                    _ = try? await db.execute(Self.insert, 1)
                }
            }
            let stored = try await stored(pool)
            #expect(error?.sqlState == .failedTransaction)
            #expect(stored.isEmpty)
        }
    }

    @Test("A connection that breaks during COMMIT leaves the outcome unknown, and says so")
    func outcomeUnknown() async throws {
        try await withTable { pool in
            // A deferred trigger runs within COMMIT; this one ends its own server process.
            try await pool.withConnection(as: .nobody) { db in
                try await db.script(
                    """
                    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
                    CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION die();
                    """)
            }
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withTransaction(as: .nobody) { try await $0.execute(Self.insert, 1) }
            }
            guard case .outcomeUnknown = error else {
                Issue.record("expected outcomeUnknown, got \(String(describing: error))")
                return
            }
            #expect(try await stored(pool).isEmpty)
        }
    }

    @Test(
        "Where nothing was written, a connection that breaks before COMMIT leaves nothing unknown")
    func nothingUnknown() async throws {
        try await withTable { pool in
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withTransaction(as: .nobody, readOnly: true) { db in
                    let own: Int = try await db.query(
                        Statement("own", "SELECT pg_backend_pid()")
                    ).single()
                    try await pool.withConnection(as: .nobody) { other in
                        _ = try await other.query(
                            Statement("end", "SELECT pg_terminate_backend($1, 60000)"), own)
                    }
                }
            }
            guard case .connectionLost = error else {
                Issue.record("expected connectionLost, got \(String(describing: error))")
                return
            }
        }
    }

    @Test("A cancelled task's transaction is rolled back")
    func cancelled() async throws {
        try await withTable { pool in
            let (inserted, continuation) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                try await pool.withTransaction(as: .nobody) { db in
                    try await db.execute(Self.insert, 1)
                    continuation.finish()
                    try await Task.sleep(for: .seconds(60))
                }
            }
            for await _ in inserted {}
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let stored = try await stored(pool)
            #expect(stored.isEmpty)
        }
    }

    @Test("Isolation and read-only are what was asked for")
    func modes() async throws {
        try await withTable { pool in
            let level: String = try await pool.withTransaction(
                as: .nobody, isolation: .serializable
            ) { db in
                try await db.query(
                    Statement("level", "SELECT current_setting('transaction_isolation')")
                ).single()
            }
            #expect(level == "serializable")
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withTransaction(as: .nobody, readOnly: true) {
                    try await $0.execute(Self.insert, 1)
                }
            }
            #expect(error?.sqlState == .readOnlyTransaction)
        }
    }

    @Test("Of two serializable transactions in each other's way, one is worth retrying")
    func serialization() async throws {
        try await withTable { pool in
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withTransaction(as: .nobody, isolation: .serializable) { first in
                    _ = try await first.query(Self.all)
                    try await pool.withTransaction(as: .nobody, isolation: .serializable) {
                        second in
                        _ = try await second.query(Self.all)
                        try await second.execute(Self.insert, 2)
                    }
                    try await first.execute(Self.insert, 1)
                }
            }
            #expect(error?.sqlState?.isWorthRetrying == true)
        }
    }

    @Test("A COPY that its writer gives up loads nothing and leaves the connection usable")
    func abandonedCopy() async throws {
        try await withTable { pool in
            let db = try await Connection.open(pool.configuration)
            await #expect(throws: Refusal.self) {
                try await db.copyIn(into: "t", columns: ["n"]) { rows in
                    for n in 0..<100_000 { try await rows.row(n) }
                    throw Refusal()
                }
            }
            await #expect(throws: PostgresError.self) {
                try await db.copyIn(into: "t", columns: ["n"]) { try await $0.row("seven") }
            }
            let duplicate = await #expect(throws: PostgresError.self) {
                try await db.copyIn(into: "t", columns: ["n"]) { rows in
                    for n in [1, 2, 1] { try await rows.row(n) }
                }
            }
            #expect(duplicate?.sqlState == .uniqueViolation)
            #expect(!db.isClosed)
            #expect(try await stored(pool).isEmpty)
        }
    }

    @Test("A COPY into nothing, or of nothing, fails like any statement")
    func wrongCopy() async throws {
        try await withTable { pool in
            let db = try await Connection.open(pool.configuration)
            let error = await #expect(throws: PostgresError.self) {
                try await db.copyIn(into: "missing", columns: ["n"]) { _ in }
            }
            #expect(error?.sqlState == .undefinedTable)
            #expect(try await db.copyIn(into: "t", columns: ["n"]) { _ in } == 0)
            #expect(try await db.copyOut("SELECT n FROM t") { _ in } == 0)
            await #expect(throws: PostgresError.self) {
                try await db.copyOut("SELECT 1 / (3 - n) FROM generate_series(1, 5) n") { _ in }
            }
            #expect(!db.isClosed)
        }
    }

    @Test("A reader that gives a COPY up closes the connection")
    func abandonedRead() async throws {
        try await withTable { pool in
            let db = try await Connection.open(pool.configuration)
            await #expect(throws: Refusal.self) {
                try await db.copyOut("SELECT generate_series(1, 1000000)") { _ in throw Refusal() }
            }
            #expect(db.isClosed)
        }
    }
}
