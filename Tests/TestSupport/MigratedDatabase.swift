// Databases with Carrel's schema in them.

package import Postgres
internal import Library

/// Runs `body` with a pool on a database of its own, which is dropped afterwards.
///
/// The schema is migrated once per process, into a template; each database is a copy of it.
package func withDatabase<R>(
    migrated: Bool, size: Int = 4, _ body: (Pool) async throws -> R
) async throws -> R {
    guard migrated else { return try await withDatabase(size: size, body) }
    return try await withDatabase(
        size: size, template: "migrated",
        preparation: { url in
            let connection = try await Connection.open(PostgresConfiguration(url: url))
            try await Migrator().up(on: connection)
            await connection.close()
        }, body)
}
