// Questions that are asked without waiting, on a real server.

import Glibc
import Postgres
import TestSupport
import Testing

@Suite("A connection that does not wait")
struct ImmediateConnectionTests {
    static let double = Statement("double", "SELECT $1::int8 * 2, pg_backend_pid()")
    static let slow = Statement("slow", "SELECT 7::int8, pg_sleep($1)")
    static let locked = Statement("locked", "SELECT pg_advisory_xact_lock(1)")
    static let divide = Statement("divide", "SELECT 10 / $1::int8")

    func connection(_ pool: Pool) async throws -> ImmediateConnection {
        let connection = ImmediateConnection(
            pool.configuration, as: .nobody,
            statements: [Self.double, Self.slow, Self.locked, Self.divide])
        try await open(connection)
        return connection
    }

    func open(_ connection: ImmediateConnection) async throws {
        let end = ContinuousClock.now.advanced(by: .seconds(30))
        while !connection.isReady, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(2))
        }
        try #require(connection.isReady)
    }

    func rows(_ answer: ImmediateConnection.Answer) throws -> Rows {
        guard case .rows(let rows) = answer else { throw Unexpected(answer: "\(answer)") }
        return rows
    }

    struct Unexpected: Error { let answer: String }

    @Test("Questions are answered one after another over one connection")
    func answers() async throws {
        try await withDatabase { pool in
            let connection = try await connection(pool)
            var processes: Set<Int> = []
            for number in 1...50 {
                #expect(try connection.send(Self.double, number))
                let row = try rows(connection.receive(waitingAtMost: .seconds(30)))[0]
                #expect(try row.get(0, as: Int.self) == 2 * number)
                processes.insert(try row.get(1))
            }
            #expect(processes.count == 1)
        }
    }

    @Test("A late answer is given up and never taken for the next one")
    func late() async throws {
        try await withDatabase { pool in
            let connection = try await connection(pool)
            for number in 1...3 {
                try await pool.withConnection(as: .nobody) { other in
                    try await other.script("SELECT pg_advisory_lock(1)")
                    #expect(try connection.send(Self.locked))
                    guard case .late = connection.receive(waitingAtMost: .milliseconds(1)) else {
                        Issue.record("an answer before it could be given")
                        return
                    }
                    #expect(try connection.send(Self.double, number) == false)
                    try await other.script("SELECT pg_advisory_unlock(1)")
                }
                try await open(connection)
                #expect(try connection.send(Self.double, number))
                let row = try rows(connection.receive(waitingAtMost: .seconds(30)))[0]
                #expect(try row.get(0, as: Int.self) == 2 * number)
            }
        }
    }

    @Test("A slow answer within the time given is received")
    func slowAnswer() async throws {
        try await withDatabase { pool in
            let connection = try await connection(pool)
            #expect(try connection.send(Self.slow, 0.05))
            let row = try rows(connection.receive(waitingAtMost: .seconds(30)))[0]
            #expect(try row.get(0, as: Int.self) == 7)
        }
    }

    @Test("A refusal is reported, and the connection comes back")
    func refusal() async throws {
        try await withDatabase { pool in
            let connection = try await connection(pool)
            #expect(try connection.send(Self.divide, 0))
            guard case .failed(let error) = connection.receive(waitingAtMost: .seconds(30)) else {
                Issue.record("10 / 0 was answered")
                return
            }
            #expect(error.sqlState?.code == "22012")
            try await open(connection)
            #expect(try connection.send(Self.divide, 5))
            #expect(
                try rows(connection.receive(waitingAtMost: .seconds(30))).single(Int.self) == 2)
        }
    }

    @Test("A server process killed while idle or asked is noticed and replaced", arguments: 1...3)
    func killed(round: Int) async throws {
        try await withDatabase { pool in
            let connection = try await connection(pool)
            #expect(try connection.send(Self.double, 1))
            let first: Int = try rows(connection.receive(waitingAtMost: .seconds(30)))[0].get(1)
            let asksBeforehand = round == 1
            if asksBeforehand { #expect(try connection.send(Self.slow, 60.0)) }
            let gone: Bool = try await pool.withConnection(as: .nobody) { db in
                try await db.query(
                    Statement("kill", "SELECT pg_terminate_backend($1, 5000)"), first
                ).single()
            }
            #expect(gone)
            if try asksBeforehand || connection.send(Self.double, 2) {
                guard case .failed = connection.receive(waitingAtMost: .seconds(30)) else {
                    Issue.record("an answer from a process that is gone")
                    return
                }
            }
            try await open(connection)
            #expect(try connection.send(Self.double, 3))
            let row = try rows(connection.receive(waitingAtMost: .seconds(30)))[0]
            #expect(try row.get(0, as: Int.self) == 6)
            #expect(try row.get(1, as: Int.self) != first)
        }
    }

    @Test("A plan that the schema has moved away from is made anew")
    func stalePlan() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) {
                try await $0.script("CREATE TABLE t (n int8)")
            }
            let all = Statement("all", "SELECT * FROM t")
            let connection = ImmediateConnection(pool.configuration, as: .nobody, statements: [all])
            try await open(connection)
            try await pool.withConnection(as: .nobody) {
                try await $0.script("ALTER TABLE t ADD m int8; INSERT INTO t VALUES (1, 2)")
            }
            #expect(try connection.send(all))
            guard case .failed = connection.receive(waitingAtMost: .seconds(30)) else {
                Issue.record("the old plan was answered")
                return
            }
            try await open(connection)
            #expect(try connection.send(all))
            let row = try rows(connection.receive(waitingAtMost: .seconds(30)))[0]
            #expect(try row.get(1, as: Int.self) == 2)
        }
    }

    @Test("Without a server nothing is sent and nobody waits")
    func noServer() throws {
        let connection = ImmediateConnection(
            try PostgresConfiguration(url: "postgres://nobody@127.0.0.1:1/none"), as: .nobody,
            statements: [Self.double])
        for number in 1...20 { #expect(try connection.send(Self.double, number) == false) }
    }

    @Test("A parameter of the wrong kind is refused before anything is sent")
    func wrongParameter() async throws {
        try await withDatabase { pool in
            let connection = try await connection(pool)
            #expect(throws: PostgresError.self) { try connection.send(Self.double, true) }
            #expect(try connection.send(Self.double, 4))
            let row = try rows(connection.receive(waitingAtMost: .seconds(30)))[0]
            #expect(try row.get(0, as: Int.self) == 8)
        }
    }
}
