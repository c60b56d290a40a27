// Databases with Carrel's schema in them.

package import Postgres
internal import Library

/// Runs `body` with a pool on a database of its own, which is dropped afterwards.
///
/// The schema is migrated once per process, into a template; each database is a copy of it. The pool
/// connects as the server does: as carrel_app, which may alter nothing and sees what its asker may see.
/// For what only the owner may do there is `withOwner(of:)`.
package func withDatabase<R>(
    migrated: Bool, size: Int = 4, _ body: (Pool) async throws -> R
) async throws -> R {
    guard migrated else { return try await withDatabase(size: size, body) }
    return try await withDatabase(
        size: size, template: "migrated", user: "carrel_app",
        preparation: { url in
            let connection = try await Connection.open(patient(url))
            try await Migrator().up(on: connection)
            await connection.close()
        }, body)
}

/// Lends a connection of the superuser to a pool's database, for what nobody does at run time.
package func withOwner<R>(
    of pool: Pool, _ body: (Connection) async throws -> R
) async throws -> R {
    let url = pool.configuration.url.replacing("user=carrel_app", with: "user=carrel")
    let connection = try await Connection.open(patient(url))
    let result: Result<R, any Error>
    do { result = .success(try await body(connection)) } catch { result = .failure(error) }
    await connection.close()
    return try result.get()
}
