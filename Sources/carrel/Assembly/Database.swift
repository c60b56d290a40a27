// Which database: a given one, or the embedded cluster under CARREL_HOME.

import EmbeddedPostgres
import Foundation
import Postgres

struct Database {
    let home: Home
    /// The address the user gave; nil means the embedded cluster.
    let given: String?

    /// `url` is what stands on the command line; a migration may have an address of its own, whose role
    /// owns the tables.
    init(_ home: Home, url: String? = nil, forMigrating: Bool = false) {
        self.home = home
        given =
            url ?? (forMigrating ? Home.environment("CARREL_MIGRATE_URL") : nil)
            ?? Home.environment("CARREL_DATABASE_URL")
    }

    var isEmbedded: Bool { given == nil }

    /// Lends the database's address.
    ///
    /// An embedded cluster that was not running is started, and stopped again afterwards.
    func withAddress<R: Sendable>(_ body: (String) async throws -> R) async throws -> R {
        if let given { return try await body(given) }
        guard FileManager.default.isExecutableFile(atPath: home.postgresPrograms + "/bin/postgres")
        else {
            throw Failure(
                "there is no PostgreSQL in \(home.postgresPrograms): run scripts/setup, "
                    + "or name one with CARREL_DATABASE_URL")
        }
        let cluster = try await EmbeddedCluster.attachOrStart(
            runtime: home.postgresPrograms, directory: home.cluster)
        cluster.remarks.forEach { Terminal.note("carrel: \($0)") }
        return try await ensuring {
            try await body(cluster.url)
        } finally: {
            await cluster.stop()
        }
    }

    /// Lends one connection, for commands that ask the database themselves.
    func withConnection<R: Sendable>(
        _ body: (Connection) async throws -> R
    ) async throws -> R {
        try await withAddress { url in
            let connection = try await Connection.open(try PostgresConfiguration(url: url))
            return try await ensuring {
                try await body(connection)
            } finally: {
                await connection.close()
            }
        }
    }
}

/// Runs `body`, then `last`, whether or not `body` throws: what `defer` cannot do with `await`.
func ensuring<R: Sendable>(
    _ body: () async throws -> R, finally last: () async -> Void
) async throws -> R {
    let result: Result<R, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    await last()
    return try result.get()
}
