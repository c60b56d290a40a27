// Which database: a given one, or the embedded cluster under CARREL_HOME; and as whom.

import EmbeddedPostgres
import Foundation
import Postgres

struct Database {
    /// One database, as two roles see it.
    struct Addresses: Sendable {
        /// For the server: the role is carrel_app, which row-level security binds.
        let app: String
        /// For migrations: a role that may act as carrel_migrate, the owner of the tables.
        let migrate: String
        /// Lets others run before a process of the database's server, where that is ours to tell.
        var lowerPriority: @Sendable (_ process: Int32) -> Void = { _ in }
    }

    let home: Home
    /// The addresses the user gave; nil means the embedded cluster.
    let given: Addresses?

    /// `url` is what stands on the command line, for whatever the command does.
    init(_ home: Home, url: String? = nil) {
        self.home = home
        let app = url ?? Home.environment("CARREL_DATABASE_URL")
        let migrate = url ?? Home.environment("CARREL_MIGRATE_URL") ?? app
        given = migrate.map { Addresses(app: app ?? $0, migrate: $0) }
    }

    var isEmbedded: Bool { given == nil }

    /// Lends the database's addresses.
    ///
    /// An embedded cluster that was not running is started, and stopped again afterwards. Its superuser
    /// is who migrates: the roles are made that way.
    func withAddresses<R: Sendable>(_ body: (Addresses) async throws -> R) async throws -> R {
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
            try await body(
                Addresses(
                    app: cluster.url(database: "carrel", user: "carrel_app"), migrate: cluster.url,
                    lowerPriority: { cluster.lowerPriority(of: $0) }))
        } finally: {
            await cluster.stop()
        }
    }

    /// Lends one connection, for commands that ask the database themselves.
    func withConnection<R: Sendable>(
        as asker: Asker, _ body: (Connection) async throws -> R
    ) async throws -> R {
        try await withAddresses { addresses in
            try await lend(addresses.app) { connection in
                connection.act(as: asker)
                return try await body(connection)
            }
        }
    }

    /// Lends one connection that may migrate.
    func withMigratingConnection<R: Sendable>(
        _ body: (Connection) async throws -> R
    ) async throws -> R {
        try await withAddresses { try await lend($0.migrate, to: body) }
    }

    func lend<R: Sendable>(
        _ url: String, to body: (Connection) async throws -> R
    ) async throws -> R {
        let connection = try await Connection.open(try PostgresConfiguration(url: url))
        return try await ensuring {
            try await body(connection)
        } finally: {
            await connection.close()
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
