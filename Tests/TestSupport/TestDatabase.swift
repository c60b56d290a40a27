// A real PostgreSQL for tests: one cluster per test process, one fresh database per test.
//
// The cluster lives in a directory of its own under /tmp, so test processes side by side do not
// meet. It goes when the process exits; what a killed process left behind is removed by the next.

package import EmbeddedPostgres
package import Postgres
internal import Library
internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// The test process's cluster.
package actor TestDatabase {
    package static let shared = TestDatabase()

    /// Brings a template's schema up to date; set by whoever owns the schema, before the first use.
    ///
    /// It is run once per process, on a database that has the `vector` extension.
    package typealias Preparation = @Sendable (_ url: String) async throws -> Void

    private var starting: Task<EmbeddedCluster, any Error>?
    private var templates: [String: Task<String, any Error>] = [:]
    private var count = 0

    /// Tests of one process run all at once; more databases than this in use would only slow each
    /// other down and upset tests that measure time.
    private var freeSlots = 12
    private var line: [CheckedContinuation<Void, Never>] = []

    /// The cluster, started on first use.
    package func cluster() async throws -> EmbeddedCluster {
        if let starting { return try await starting.value }
        let task = Task { try await TestDatabase.start() }
        starting = task
        return try await task.value
    }

    /// Makes a database of its own; about 30 ms.
    ///
    /// - Parameters:
    ///   - template: names the template that `preparation` makes, e.g. `migrated`.
    ///   - user: the role that the address is for.
    ///   - preparation: nil for an empty database with the `vector` extension.
    /// - Returns: its address, for the role `user`.
    /// - Throws: whatever kept it from being made.
    package func fresh(
        template: String = "empty", user: String = "carrel", preparation: Preparation? = nil
    ) async throws -> String {
        let cluster = try await cluster()
        let source = try await self.template(template, preparation, cluster)
        count += 1
        let name = "test_\(count)"
        try await TestDatabase.administer(cluster) { connection in
            try await connection.script("CREATE DATABASE \(name) TEMPLATE \(source)")
        }
        return cluster.url(database: name, user: user)
    }

    /// Drops a database made by `fresh`, whoever is still connected.
    package func drop(_ url: String) async throws {
        let cluster = try await cluster()
        guard let name = url.split(separator: "/").last?.split(separator: "?").first else { return }
        try await TestDatabase.administer(cluster) { connection in
            try await connection.script("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        }
    }

    func enter() async {
        if freeSlots > 0 {
            freeSlots -= 1
        } else {
            await withCheckedContinuation { line.append($0) }
        }
    }

    func leave() {
        if line.isEmpty {
            freeSlots += 1
        } else {
            line.removeFirst().resume()
        }
    }

    private func template(
        _ name: String, _ preparation: Preparation?, _ cluster: EmbeddedCluster
    ) async throws -> String {
        if let known = templates[name] { return try await known.value }
        let task = Task {
            let database = "template_\(name)"
            try await TestDatabase.administer(cluster) { connection in
                try await connection.script("CREATE DATABASE \(database)")
            }
            let url = cluster.url(database: database)
            let connection = try await Connection.open(patient(url))
            try await connection.script("CREATE EXTENSION vector")
            await connection.close()
            try await preparation?(url)
            return database
        }
        templates[name] = task
        return try await task.value
    }

    private static func administer(
        _ cluster: EmbeddedCluster, _ body: (Connection) async throws -> Void
    ) async throws {
        let url = cluster.url(database: "postgres")
        let connection = try await Connection.open(patient(url))
        do { try await body(connection) } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }

    private static func start() async throws -> EmbeddedCluster {
        TestDirectory.removeLeftovers()
        let directory = try TestDirectory.make("postgres")
        let cluster = try await EmbeddedCluster.attachOrStart(
            runtime: EmbeddedCluster.defaultRuntime(), directory: directory, durability: .none,
            settings: ["max_connections": "400"])
        removeAtExit.withLock { $0 = cluster.processID }
        // Roles belong to the cluster: made here, no two tests make them at once.
        try await administer(cluster) { try await Roles.prepare(on: $0) }
        atexit {
            if let processID = removeAtExit.withLock({ $0 }) { kill(processID, SIGQUIT) }
        }
        return cluster
    }
}

private let removeAtExit = Mutex<Int32?>(nil)

/// Waits for a connection as long as a machine may need that runs hundreds of tests at once.
func patient(_ url: String) throws(PostgresError) -> PostgresConfiguration {
    var configuration = try PostgresConfiguration(url: url)
    configuration.connectTimeout = .seconds(60)
    return configuration
}

/// Runs `body` with a pool on a fresh database, which is dropped afterwards.
///
/// Not to be nested: a limited number run at a time, and each may wait for its turn.
package func withDatabase<R>(
    size: Int = 4, template: String = "empty", user: String = "carrel",
    preparation: TestDatabase.Preparation? = nil,
    _ body: (Pool) async throws -> R
) async throws -> R {
    await TestDatabase.shared.enter()
    let result: Result<R, any Error>
    do {
        let url = try await TestDatabase.shared.fresh(
            template: template, user: user, preparation: preparation)
        let pool = Pool(try patient(url), size: size)
        do { result = .success(try await body(pool)) } catch { result = .failure(error) }
        await pool.shutdown()
        try await TestDatabase.shared.drop(url)
    } catch {
        await TestDatabase.shared.leave()
        throw error
    }
    await TestDatabase.shared.leave()
    return try result.get()
}
