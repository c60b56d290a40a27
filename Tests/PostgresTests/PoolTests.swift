// The pool on a real server: dead connections, crowds, shutdown.

import Glibc
import Postgres
import TestSupport
import Testing

@Suite("A pool")
struct PoolTests {
    static let one = Statement("one", "SELECT 1")

    func processID(_ pool: Pool) async throws -> Int32 {
        try await pool.withConnection(as: .nobody) { $0.processID }
    }

    @Test("A connection is kept and used again")
    func reuse() async throws {
        try await withDatabase { pool in
            let first = try await processID(pool)
            #expect(try await processID(pool) == first)
            #expect(pool.statistics == Pool.Statistics(size: 4, inUse: 0, idle: 1, waiting: 0))
        }
    }

    @Test("A connection killed while idle is replaced unseen", arguments: 1...5)
    func killedWhileIdle(round: Int) async throws {
        try await withDatabase { pool in
            let other = try await Connection.open(pool.configuration)
            let first = try await processID(pool)
            let gone: Bool = try await other.query(
                Statement("kill", "SELECT pg_terminate_backend($1, 5000)"), Int(first)
            ).single()
            #expect(gone)
            let value: Int = try await pool.withConnection(as: .nobody) {
                try await $0.query(Self.one).single()
            }
            #expect(value == 1)
            #expect(try await processID(pool) != first)
            #expect(pool.statistics.inUse == 0)
        }
    }

    @Test("A connection whose peer went silent is replaced after its ping times out")
    func silentPeer() async throws {
        try await withDatabase { pool in
            let first = try await processID(pool)
            kill(first, SIGSTOP)
            defer { kill(first, SIGCONT) }
            try await Task.sleep(for: .milliseconds(1_100))
            let value: Int = try await pool.withConnection(as: .nobody) {
                try await $0.query(Self.one).single()
            }
            #expect(value == 1)
            #expect(try await processID(pool) != first)
        }
    }

    @Test("A notice or notification that arrives while idle does not cost the connection")
    func idleInput() async throws {
        try await withDatabase { pool in
            let first = try await pool.withConnection(as: .nobody) { db in
                try await db.listen("pool_channel")
                return db.processID
            }
            let other = try await Connection.open(pool.configuration)
            try await other.script("NOTIFY pool_channel, 'x'")
            try await Task.sleep(for: .milliseconds(50))
            #expect(try await processID(pool) == first)
        }
    }

    @Test("When all are in use callers wait in turn, and too many are refused at once")
    func exhaustion() async throws {
        try await withDatabase { shared in
            let pool = Pool(
                shared.configuration, size: 2, waitLimit: 3, waitTimeout: .seconds(10))
            try await withThrowingTaskGroup(of: Int.self) { group in
                for n in 0..<5 {
                    group.addTask {
                        try await pool.withConnection(as: .nobody) { db in
                            try await db.query(
                                Statement("nap", "SELECT $1 FROM pg_sleep(1)"), "\(n)"
                            )
                            .count
                        }
                    }
                }
                while pool.statistics.waiting < 3 { try await Task.sleep(for: .milliseconds(5)) }
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.withConnection(as: .nobody) { try await $0.script("SELECT 1") }
                }
                // At once: those in line are still there.
                #expect(pool.statistics.waiting == 3)
                #expect(
                    error
                        == .unavailable("all 2 connections are in use and 3 callers are waiting"))
                #expect(try await group.reduce(0, +) == 5)
            }
            #expect(pool.statistics == Pool.Statistics(size: 2, inUse: 0, idle: 2, waiting: 0))
            await pool.shutdown()
        }
    }

    @Test("A caller waits no longer than allowed")
    func waitTimeout() async throws {
        try await withDatabase { shared in
            let pool = Pool(shared.configuration, size: 1, waitTimeout: .milliseconds(100))
            try await pool.withConnection(as: .nobody) { _ in
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.withConnection(as: .nobody) { _ in }
                }
                guard case .unavailable = error else {
                    Issue.record("expected unavailable, got \(String(describing: error))")
                    return
                }
            }
            #expect(pool.statistics == Pool.Statistics(size: 1, inUse: 0, idle: 1, waiting: 0))
            await pool.shutdown()
        }
    }

    @Test("A cancelled caller leaves the line")
    func cancelledWaiter() async throws {
        try await withDatabase { shared in
            let pool = Pool(shared.configuration, size: 1)
            try await pool.withConnection(as: .nobody) { _ in
                let waiter = Task { try await pool.withConnection(as: .nobody) { _ in } }
                while pool.statistics.waiting < 1 { try await Task.sleep(for: .milliseconds(5)) }
                waiter.cancel()
                await #expect(throws: PostgresError.cancelled) { try await waiter.value }
                #expect(pool.statistics.waiting == 0)
            }
            await pool.shutdown()
        }
    }

    @Test("A connection returned inside a transaction is closed, which rolls back")
    func leakedTransaction() async throws {
        try await withDatabase { pool in
            let first = try await pool.withConnection(as: .nobody) { db in
                try await db.script("CREATE TABLE t (n int)")
                try await db.script("BEGIN; INSERT INTO t VALUES (1)")
                return db.processID
            }
            let (second, count) = try await pool.withConnection(as: .nobody) { db in
                (db.processID, try await db.query(Statement("t", "SELECT n FROM t")).count)
            }
            #expect(second != first)
            #expect(count == 0)
        }
    }

    @Test("A failure to connect reaches the caller and frees the place")
    func cannotConnect() async throws {
        let pool = Pool(try PostgresConfiguration(url: "postgresql://127.0.0.1:1/x"), size: 1)
        for _ in 0..<3 {
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withConnection(as: .nobody) { _ in }
            }
            guard case .connectionFailed = error else {
                Issue.record("expected connectionFailed, got \(String(describing: error))")
                return
            }
        }
        #expect(pool.statistics == Pool.Statistics(size: 1, inUse: 0, idle: 0, waiting: 0))
    }

    @Test("Shutting down refuses those who wait and those who come, and closes what comes back")
    func shutdown() async throws {
        try await withDatabase { shared in
            let pool = Pool(shared.configuration, size: 1)
            let connection = try await pool.withConnection(as: .nobody) { db in
                let waiter = Task { try await pool.withConnection(as: .nobody) { _ in } }
                while pool.statistics.waiting < 1 { try await Task.sleep(for: .milliseconds(5)) }
                await pool.shutdown()
                await #expect(throws: PostgresError.unavailable("the pool is shut down")) {
                    try await waiter.value
                }
                // Who holds a connection may finish.
                #expect(try await db.query(Self.one).single() == 1)
                return db
            }
            await #expect(throws: PostgresError.unavailable("the pool is shut down")) {
                try await pool.withConnection(as: .nobody) { _ in }
            }
            while !connection.isClosed { try await Task.sleep(for: .milliseconds(5)) }
            #expect(pool.statistics == Pool.Statistics(size: 1, inUse: 0, idle: 0, waiting: 0))
        }
    }

    @Test(
        "Fifty callers with failures and cancellations leave a whole pool",
        arguments: [7] as [UInt64])
    func storm(seed: UInt64) async throws {
        try await withDatabase(size: 3) { pool in
            var random = Seeded(seed)
            let actions = (0..<50).map { _ in Int.random(in: 0..<4, using: &random) }
            await withTaskGroup(of: Void.self) { group in
                for action in actions {
                    group.addTask {
                        let task = Task {
                            try await pool.withConnection(as: .nobody) { db in
                                let sql = [
                                    "SELECT 1", "SELECT 1/0", "SELECT pg_sleep(0.02)", "BEGIN",
                                ][action]
                                try await db.script(sql)
                            }
                        }
                        if action == 2 {
                            try? await Task.sleep(for: .milliseconds(10))
                            task.cancel()
                        }
                        _ = await task.result
                    }
                }
            }
            let statistics = pool.statistics
            #expect(statistics.inUse == 0 && statistics.waiting == 0, "seed \(seed): \(statistics)")
            let value: Int = try await pool.withConnection(as: .nobody) {
                try await $0.query(Self.one).single()
            }
            #expect(value == 1)
        }
    }
}
