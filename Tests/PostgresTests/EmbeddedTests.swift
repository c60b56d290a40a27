// The embedded server's life: made, attached to, left behind, found again, refused.

import EmbeddedPostgres
import FoundationEssentials
import Glibc
import Postgres
import TestSupport
import Testing

@Suite("An embedded cluster", .serialized)
struct EmbeddedTests {
    let runtime = EmbeddedCluster.defaultRuntime()

    func start(_ directory: String, settings: [String: String] = [:]) async throws
        -> EmbeddedCluster
    {
        try await EmbeddedCluster.attachOrStart(
            runtime: runtime, directory: directory, durability: .none, settings: settings)
    }

    func ask(_ cluster: EmbeddedCluster, _ sql: String) async throws -> String {
        let db = try await Connection.open(PostgresConfiguration(url: cluster.url))
        let answer: String = try await db.query(Statement("ask", sql)).single()
        await db.close()
        return answer
    }

    /// A process that has ended but is not waited for yet has no working directory any more.
    func isAlive(_ processID: Int32) -> Bool {
        var status = stat()
        return unsafe stat("/proc/\(processID)/cwd", &status) == 0
    }

    /// Waits for the process to be gone: PostgreSQL removes its pid file a moment before it ends.
    private func hasGone(_ processID: Int32) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while isAlive(processID), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(10))
        }
        return !isAlive(processID)
    }

    @Test("It is made with UTF-8, starts, keeps its data over a restart, and stops")
    func life() async throws {
        let directory = try TestDirectory.make("life")
        let first = try await start(directory)
        #expect(first.wasStarted)
        #expect(try await ask(first, "SHOW server_encoding") == "UTF8")
        #expect(try await ask(first, "SHOW listen_addresses") == "")
        let db = try await Connection.open(PostgresConfiguration(url: first.url))
        try await db.script("CREATE EXTENSION vector; CREATE TABLE t AS SELECT 'kept' AS word")
        await db.close()
        await first.stop()
        #expect(try await hasGone(first.processID))

        let second = try await start(directory)
        #expect(try await ask(second, "SELECT word FROM t") == "kept")
        await second.stop()
    }

    @Test("Two users share one server, and the last to leave stops it")
    func sharing() async throws {
        let directory = try TestDirectory.make("sharing")
        let first = try await start(directory)
        let second = try await start(directory)
        #expect(!second.wasStarted)
        #expect(second.processID == first.processID)
        await first.stop()
        #expect(try await ask(second, "SELECT 'still here'") == "still here")
        await second.stop()
        #expect(try await hasGone(second.processID))
    }

    @Test("Many who start it at once get one server")
    func race() async throws {
        let directory = try TestDirectory.make("race")
        let clusters = try await withThrowingTaskGroup(of: EmbeddedCluster.self) { group in
            for _ in 0..<4 { group.addTask { try await start(directory) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(clusters.map(\.processID)).count == 1)
        #expect(clusters.count { $0.wasStarted } == 1)
        for cluster in clusters { await cluster.stop() }
        #expect(try await hasGone(clusters[0].processID))
    }

    @Test("A server keeps nothing open of the process that started it")
    func inheritsNothing() async throws {
        // Without close-on-exec, as a program that started us may have left it.
        var ends: [Int32] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        let cluster = try await start(try TestDirectory.make("inherits"))
        close(ends[1])
        var end = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
        // Programs that other tests start may hold it for as long as they run.
        var waited = 0
        while unsafe poll(&end, 1, 0) == 0, waited < 3_000 {
            try await Task.sleep(for: .milliseconds(10))
            waited += 1
        }
        #expect(end.revents & Int16(POLLHUP) != 0)
        close(ends[0])
        await cluster.stop()
    }

    @Test("A server that is thrown away is taken off the process table")
    func reaped() async throws {
        let cluster = try await start(try TestDirectory.make("reaped"))
        cluster.kill()
        let process = "/proc/\(cluster.processID)"
        let deadline = ContinuousClock.now + .seconds(60)
        while FileManager.default.fileExists(atPath: process), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(!FileManager.default.fileExists(atPath: process))
    }

    @Test("Connections that are prepared for it come after others, and nobody else does")
    func priority() async throws {
        let cluster = try await start(try TestDirectory.make("priority"))
        let configuration = try PostgresConfiguration(url: cluster.url)
        let background = Pool(configuration, size: 2) { connection throws(PostgresError) in
            cluster.lowerPriority(of: connection.processID)
            try await connection.script("SET max_parallel_workers_per_gather = 0")
        }
        let show = Statement("show", "SELECT current_setting('max_parallel_workers_per_gather')")
        for _ in 0..<2 {
            try await background.withConnection(as: .nobody) { db in
                #expect(
                    getpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(db.processID)) == 10
                )
                let workers: String = try await db.query(show).single()
                #expect(workers == "0")
            }
        }
        await background.shutdown()
        let other = try await Connection.open(configuration)
        #expect(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(other.processID)) == 0)
        let workers: String = try await other.query(show).single()
        #expect(workers == "2")
        await other.close()
        let own = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
        cluster.lowerPriority(of: getpid())
        #expect(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) == own)
        await cluster.stop()
    }

    @Test("Clusters side by side do not meet")
    func sideBySide() async throws {
        let one = try await start(try TestDirectory.make("one"))
        let two = try await start(try TestDirectory.make("two"))
        #expect(one.url != two.url)
        let shown = try await ask(two, "SHOW data_directory")
        #expect(shown == two.dataDirectory)
        await one.stop()
        #expect(try await ask(two, "SELECT 'b'") == "b")
        await two.stop()
    }

    @Test("A server that was killed leaves a stale pid file, which does not matter")
    func killed() async throws {
        let directory = try TestDirectory.make("killed")
        let first = try await start(directory)
        first.kill()
        for _ in 0..<200 where unsafe access("\(first.dataDirectory)/postmaster.pid", F_OK) == 0 {
            try await Task.sleep(for: .milliseconds(10))
        }
        await first.stop()
        // As after a power failure: a pid file that names a process which is something else.
        let stale = "1\n\(first.dataDirectory)\n0\n5432\n\(first.socketDirectory)\n\n\nready   \n"
        try stale.write(
            toFile: "\(first.dataDirectory)/postmaster.pid", atomically: false, encoding: .utf8)
        let second = try await start(directory)
        #expect(second.wasStarted)
        #expect(try await ask(second, "SELECT 'up'") == "up")
        await second.stop()
    }

    @Test("A path too long for a socket gets its socket elsewhere")
    func longPath() async throws {
        let directory = try TestDirectory.make(
            String(repeating: "long", count: 25) + " with 'quotes' é")
        let cluster = try await start(directory)
        #expect(cluster.socketDirectory.hasPrefix("/tmp/carrel-"))
        #expect(try await ask(cluster, "SELECT 'up'") == "up")
        await cluster.stop()
        #expect(!FileManager.default.fileExists(atPath: cluster.socketDirectory))
    }

    @Test("The socket's directory admits nobody else")
    func privacy() async throws {
        let cluster = try await start(try TestDirectory.make("privacy"))
        var status = stat()
        let found = unsafe stat(cluster.socketDirectory, &status)
        #expect(found == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        await cluster.stop()
    }

    @Test("Without a runtime it says what is missing and what to do")
    func noRuntime() async throws {
        let directory = try TestDirectory.make("nothing")
        let error = await #expect(throws: EmbeddedError.self) {
            try await EmbeddedCluster.attachOrStart(runtime: directory, directory: directory)
        }
        #expect(error == .runtimeMissing(path: "\(directory)/bin/postgres"))
    }

    @Test("A server that will not start is quoted with the end of its log")
    func badSetting() async throws {
        let error = await #expect(throws: EmbeddedError.self) {
            try await start(try TestDirectory.make("bad"), settings: ["shared_buffers": "plenty"])
        }
        guard case .startFailed(let log) = error else {
            Issue.record("unexpected: \(String(describing: error))")
            return
        }
        #expect(log.contains("shared_buffers"))
    }

    @Test("A directory of another version is refused, naming both")
    func wrongVersion() async throws {
        let directory = try TestDirectory.make("old")
        try FileManager.default.createDirectory(
            atPath: "\(directory)/data", withIntermediateDirectories: true)
        try "9".write(toFile: "\(directory)/data/PG_VERSION", atomically: false, encoding: .utf8)
        await #expect(throws: EmbeddedError.wrongVersion(found: "9", runtime: "16")) {
            try await start(directory)
        }
    }

    @Test(
        "Root's own directory, which the server's user cannot reach, is replaced and it says so",
        .enabled(if: geteuid() == 0))
    func unreachable() async throws {
        let closed = try TestDirectory.make("closed")
        _ = unsafe chmod(closed, 0o700)
        let cluster = try await start("\(closed)/database")
        #expect(cluster.directory.hasPrefix("/var/lib/carrel/"))
        #expect(cluster.remarks.count == 1)
        #expect(try await ask(cluster, "SELECT 'up'") == "up")
        await cluster.stop()
        try FileManager.default.removeItem(atPath: cluster.directory)
    }
}
