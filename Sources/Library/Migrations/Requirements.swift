// What the server must bring, checked before anything is created.

package import Postgres

/// The versions of a server, and whether they are enough.
package struct Requirements: Sendable, Equatable {
    /// 160014 for 16.14.
    package let server: Int
    /// Installed in this database.
    package let installed: String?
    /// What CREATE EXTENSION would install.
    package let available: String?

    package init(server: Int, installed: String?, available: String?) {
        self.server = server
        self.installed = installed
        self.available = available
    }

    /// UNIQUE NULLS NOT DISTINCT, which the folders need, came with 15.
    private static let oldestServer = 150_000

    /// Iterative scans came with 0.8.0; 0.8.4 is the oldest release whose HNSW index we trust to
    /// return every row of a session while rows are deleted and vacuumed.
    private static let oldestVector = [0, 8, 4]

    /// - Throws: `MigrationError.unsupported`, saying what is there, what is needed, what to do.
    package func check() throws(MigrationError) {
        guard server >= Self.oldestServer else {
            throw .unsupported("expected PostgreSQL 15 or newer, got \(server / 10_000)")
        }
        guard let version = installed ?? available else {
            throw .unsupported(
                "expected pgvector 0.8.4 or newer, but the server has no extension 'vector'; "
                    + "install pgvector on the database server")
        }
        guard !Self.isOlder(version, than: Self.oldestVector) else {
            let canUpdate = available.map { !Self.isOlder($0, than: Self.oldestVector) } ?? false
            throw .unsupported(
                "expected pgvector 0.8.4 or newer, got \(version); "
                    + (installed != nil && canUpdate
                        ? "run ALTER EXTENSION vector UPDATE in this database"
                        : "install a newer pgvector on the database server"))
        }
    }

    /// Numbers are compared from the left; a missing one is 0, and what is no number is older.
    private static func isOlder(_ version: String, than oldest: [Int]) -> Bool {
        let parts = version.split(separator: ".").map { Int($0) ?? -1 }
        let padded = parts + Array(repeating: 0, count: max(0, oldest.count - parts.count))
        return padded.lexicographicallyPrecedes(oldest)
    }

    package static func read(on db: some Queryable) async throws -> Requirements {
        let row = try await db.query(select)[0]
        return Requirements(
            server: try row.get(0), installed: try row.get(1), available: try row.get(2))
    }

    private static let select = Statement(
        "migration.requirements",
        """
        SELECT current_setting('server_version_num')::int,
            (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'vector'),
            (SELECT default_version FROM pg_catalog.pg_available_extensions WHERE name = 'vector')
        """)
}
