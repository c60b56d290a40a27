// Statements, failures and interruptions on a real server.

import FoundationEssentials
import Glibc
import Postgres
import TestSupport
import Testing

@Suite("A connection")
struct ConnectionTests {
    @Test("A statement answers with its rows, its column names and their count")
    func rows() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                let rows = try await db.query(
                    Statement(
                        "series", "SELECT n, n * 2 AS double FROM generate_series(1, $1) AS n"),
                    3)
                #expect(rows.columnNames == ["n", "double"])
                #expect(try rows.map { try $0.get(1, as: Int.self) } == [2, 4, 6])
                #expect(rows.affected == 3)
            }
        }
    }

    @Test("Execute counts the rows that a statement changed")
    func execute() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await db.script("CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2), (3)")
                let delete = Statement("delete", "DELETE FROM t WHERE n > $1")
                #expect(try await db.execute(delete, 1) == 2)
                #expect(try await db.execute(delete, 1) == 0)
            }
        }
    }

    @Test("A refusal keeps its SQLSTATE, its constraint and its table, and the connection goes on")
    func serverError() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await db.script("CREATE TABLE t (n int CONSTRAINT t_once UNIQUE)")
                let insert = Statement("insert", "INSERT INTO t VALUES ($1)")
                try await db.execute(insert, 41)
                let error = await #expect(throws: PostgresError.self) {
                    try await db.execute(insert, 41)
                }
                guard case .server(let server) = error else {
                    Issue.record("expected a server error, got \(String(describing: error))")
                    return
                }
                #expect(server.sqlState == .uniqueViolation)
                #expect(server.sqlState.isIntegrityViolation)
                #expect(server.constraint == "t_once")
                #expect(server.table == "t")
                // DETAIL holds the value; what may be shown to anyone does not.
                #expect(server.debugDescription.contains("41"))
                #expect(!server.description.contains("41"))
                #expect(try await db.execute(insert, 42) == 1)
            }
        }
    }

    @Test("Text with a NUL is refused before it reaches libpq, naming the parameter")
    func nul() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                let echo = Statement("echo", "SELECT $1::int, $2::text")
                let refusal = PostgresError.invalidParameter(
                    index: 2, reason: "text must not contain a NUL character (U+0000)")
                await #expect(throws: refusal) { try await db.query(echo, 1, "cut\0here") }
                let list = Statement("list", "SELECT $1::text[]")
                await #expect(throws: PostgresError.self) { try await db.query(list, ["a", "\0"]) }
                await #expect(throws: PostgresError.self) { try await db.script("SELECT 1;\0") }
                // Nothing was sent, so nothing is broken.
                let whole: String = try await db.query(echo, 1, "whole")[0].get(1)
                #expect(whole == "whole")
            }
        }
    }

    @Test("A number that does not fit its column is refused, not truncated")
    func range() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                let small = Statement("small", "SELECT $1::int2")
                let largest: Int = try await db.query(small, 32_767).single()
                #expect(largest == 32_767)
                await #expect(
                    throws: PostgresError.invalidParameter(
                        index: 1, reason: "32768 does not fit into int2")
                ) { try await db.query(small, 32_768) }
                await #expect(throws: PostgresError.self) { try await db.query(small, true) }
                await #expect(throws: PostgresError.self) { try await db.query(small) }
                await #expect(throws: PostgresError.self) { try await db.query(small, 1, 2) }
            }
        }
    }

    @Test("Reading a column as something else, or a NULL as something, names the column")
    func decoding() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                let row = try await db.query(
                    Statement("mixed", "SELECT 70000 AS big, 'x'::text AS word, NULL::int AS none"))[
                        0]
                #expect(
                    throws: PostgresError.decoding("column 0 (big): 70000 does not fit into Int16")
                ) { try row.get(0, as: Int16.self) }
                #expect(
                    throws: PostgresError.decoding("column 1 (word): text cannot be read as Int")
                ) { try row.get(1, as: Int.self) }
                #expect(
                    throws: PostgresError.decoding("column 2 (none): NULL cannot be read as Int")
                ) { try row.get(2, as: Int.self) }
                #expect(try row.get(2, as: Int?.self) == nil)
                #expect(try row.get(0, as: Int?.self) == 70_000)
            }
        }
    }

    @Test("A statement whose plan went stale is prepared again, unseen")
    func stalePlan() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await db.script("CREATE TABLE t (n int); INSERT INTO t VALUES (7)")
                let all = Statement("all", "SELECT * FROM t")
                #expect(try await db.query(all).columnNames == ["n"])
                // "cached plan must not change result type", 0A000.
                try await db.script("ALTER TABLE t ADD COLUMN word text DEFAULT 'w'")
                let row = try await db.query(all)[0]
                #expect(try row.get(1, as: String.self) == "w")
                // The server forgets every prepared statement: 26000.
                try await db.script("DISCARD ALL")
                #expect(try await db.query(all).count == 1)
            }
        }
    }

    @Test("A stale plan inside a transaction fails it, and the next one is right")
    func stalePlanInTransaction() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await db.script("CREATE TABLE t (n int); INSERT INTO t VALUES (7)")
                let all = Statement("all", "SELECT * FROM t")
                try await db.query(all)
                try await db.script("ALTER TABLE t ADD COLUMN word text")
                await #expect(throws: PostgresError.self) {
                    try await db.withTransaction { try await $0.query(all) }
                }
                let rows = try await db.withTransaction { try await $0.query(all) }
                #expect(rows.columnNames == ["n", "word"])
            }
        }
    }

    @Test("Two statements of one name are two statements")
    func sameName() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                for _ in 0..<2 {
                    let one: Int = try await db.query(Statement("it", "SELECT 1")).single()
                    let two: Int = try await db.query(Statement("it", "SELECT 2")).single()
                    #expect((one, two) == (1, 2))
                }
            }
        }
    }

    @Test("More statements than a connection keeps still work")
    func manyStatements() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                for n in 0..<600 {
                    #expect(try await db.query(Statement("s\(n)", "SELECT \(n)")).single() == n)
                }
                let kept: Int = try await db.query(
                    Statement("kept", "SELECT count(*) FROM pg_prepared_statements")
                ).single()
                #expect(kept <= 513)
            }
        }
    }

    @Test("Values of 32 MB go and come back whole")
    func large() async throws {
        var random = Seeded(20)
        let block = random.bytes(1 << 20)
        let data = (0..<32).flatMap { _ in block }
        let text = String(repeating: "Größe ", count: 32 * 1024 * 1024 / 8)
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                let echo = Statement("echo", "SELECT $1::bytea, $2::text")
                let row = try await db.query(echo, data, text)[0]
                #expect(try row.get(0, as: [UInt8].self) == data)
                #expect(try row.get(1, as: String.self) == text)
            }
        }
    }

    @Test("COPY as a plain statement is refused and closes the connection")
    func plainCopy() async throws {
        try await withDatabase { pool in
            let db = try await Connection.open(pool.configuration)
            await #expect(throws: PostgresError.self) {
                try await db.script("COPY (SELECT 1) TO STDOUT")
            }
            #expect(db.isClosed)
        }
    }

    /// In a process of its own, whose standard error nobody else writes to.
    @Test("Notices are not printed")
    func notices() async throws {
        let child = await #expect(
            processExitsWith: .success, observing: [\.standardErrorContent]
        ) {
            try await withDatabase { pool in
                try await pool.withConnection(as: .nobody) { db in
                    try await db.script("DO $$ BEGIN RAISE WARNING 'not for stderr'; END $$")
                }
            }
        }
        let printed = try #require(child).standardErrorContent
        #expect(!String(decoding: printed, as: UTF8.self).contains("not for stderr"))
    }

    @Test("A connection that nobody holds any more is closed")
    func dropped() async throws {
        try await withDatabase { pool in
            let processID = try await Connection.open(pool.configuration).processID
            let find = Statement("find", "SELECT pid FROM pg_stat_activity WHERE pid = $1")
            for _ in 0..<100 {
                let count = try await pool.withConnection(as: .nobody) {
                    try await $0.query(find, Int(processID)).count
                }
                if count == 0 { return }
                try await Task.sleep(for: .milliseconds(20))
            }
            Issue.record("its server process is still there")
        }
    }

    // MARK: Interruptions

    @Test("A statement past its time is stopped, and its connection closed")
    func timeout() async throws {
        try await withDatabase { pool in
            var configuration = pool.configuration
            configuration.statementTimeout = .milliseconds(100)
            let db = try await Connection.open(configuration)
            #expect(try await db.query(Statement("one", "SELECT 1")).single() == 1)
            await #expect(throws: PostgresError.timedOut) {
                try await db.query(Statement("sleep", "SELECT pg_sleep(60)"))
            }
            #expect(db.isClosed)
            await #expect(throws: PostgresError.self) {
                try await db.query(Statement("one", "SELECT 1"))
            }
            try await expect(sleepers: 0, pool)
        }
    }

    @Test("Cancelling a task stops its statement on the server and closes the connection")
    func cancel() async throws {
        try await withDatabase { pool in
            let db = try await Connection.open(pool.configuration)
            let sleeper = Task {
                try await db.query(Statement("sleep", "SELECT pg_sleep(60)")).count
            }
            try await expect(sleepers: 1, pool)
            sleeper.cancel()
            await #expect(throws: PostgresError.cancelled) { try await sleeper.value }
            #expect(db.isClosed)
            try await expect(sleepers: 0, pool)
        }
    }

    @Test("A task cancelled before it sends leaves the connection as it was")
    func cancelledBefore() async throws {
        try await withDatabase { pool in
            let db = try await Connection.open(pool.configuration)
            let task = Task {
                try? await Task.sleep(for: .seconds(60))
                try await db.query(Statement("one", "SELECT 1"))
            }
            task.cancel()
            await #expect(throws: PostgresError.cancelled) { try await task.value }
            #expect(!db.isClosed)
            #expect(try await db.query(Statement("one", "SELECT 1")).single() == 1)
        }
    }

    @Test("A connection whose server process is killed in the middle says so")
    func killedInUse() async throws {
        try await withDatabase { pool in
            let db = try await Connection.open(pool.configuration)
            let sleeper = Task {
                try await db.query(Statement("sleep", "SELECT pg_sleep(60)")).count
            }
            try await expect(sleepers: 1, pool)
            try await terminate(db.processID, pool)
            let error = await #expect(throws: PostgresError.self) { try await sleeper.value }
            // The server's last words, or the closed socket, whichever is read first.
            switch error {
            case .server(let server): #expect(server.sqlState == .adminShutdown)
            case .connectionLost: break
            default: Issue.record("unexpected: \(String(describing: error))")
            }
            await #expect(throws: PostgresError.self) { try await db.script("SELECT 1") }
        }
    }

    @Test("Nobody at the address is a failure to connect, with libpq's reason")
    func nobodyThere() async throws {
        let configuration = try PostgresConfiguration(url: "postgresql://127.0.0.1:1/x")
        let error = await #expect(throws: PostgresError.self) {
            _ = try await Connection.open(configuration)
        }
        guard case .connectionFailed(let reason) = error else {
            Issue.record("unexpected: \(String(describing: error))")
            return
        }
        #expect(reason.contains("refused"))
    }

    @Test("An address that is none is refused without repeating its password")
    func badAddress() throws {
        let error = #expect(throws: PostgresError.self) {
            _ = try PostgresConfiguration(url: "host=h passwort=geheim")
        }
        #expect(error?.description.contains("geheim") == false)
    }

    @Test("Sixteen sleeping connections do not disturb the seventeenth")
    func sleepers() async throws {
        try await withDatabase(size: 17) { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        _ = try await pool.withConnection(as: .nobody) {
                            try await $0.query(Statement("sleep", "SELECT pg_sleep(60)")).count
                        }
                    }
                }
                try await expect(sleepers: 16, pool)
                for _ in 0..<100 {
                    let one: Int = try await pool.withConnection(as: .nobody) {
                        try await $0.query(Statement("one", "SELECT 1")).single()
                    }
                    #expect(one == 1)
                }
                // If sleepers held threads of the cooperative pool, which has one per core, the
                // questions would have been answered only after they had all woken up.
                #expect(pool.statistics.inUse == 16)
                group.cancelAll()
                while let result = await group.nextResult() {
                    #expect(throws: PostgresError.cancelled) { try result.get() }
                }
            }
        }
    }
}

/// Ends a server process and waits until it is gone.
func terminate(_ processID: Int32, _ pool: Pool) async throws {
    let done: Bool = try await pool.withConnection(as: .nobody) {
        try await $0.query(
            Statement("terminate", "SELECT pg_terminate_backend($1, 5000)"), Int(processID)
        ).single()
    }
    #expect(done)
}

/// Waits until so many statements sleep in this database.
func expect(sleepers expected: Int, _ pool: Pool) async throws {
    let sleepers = Statement(
        "sleepers",
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'
        """)
    var count = -1
    for _ in 0..<200 {
        count = try await pool.withConnection(as: .nobody) { try await $0.query(sleepers).single() }
        if count == expected { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("\(count) statements sleep, expected \(expected)")
}
