// Does the database still have the shape its migrations made?
//
// The applied migrations are run once more, into a scratch schema of the same database, both
// catalogs are described as text, and the scratch is rolled back: nothing is left and nobody is
// blocked. A description stored with the program would be simpler, but PostgreSQL words its
// definitions differently from version to version, and each would read as drift. A scratch database
// would need the right to create one.

package import Postgres

extension Migrator {
    /// What `verify` found.
    package struct Verification: Sendable, Equatable {
        /// Migrations still to be applied; these are no drift.
        package let pending: [Int]
        /// Lines of the catalog that the migrations make and the database has not.
        package let missing: [String]
        /// Lines that the database has and no migration makes.
        package let unexpected: [String]

        package var hasDrifted: Bool { !missing.isEmpty || !unexpected.isEmpty }
    }

    /// Compares the live catalog with what the applied migrations make. Costs as much as applying
    /// them to an empty database, some tens of milliseconds.
    ///
    /// - Throws: `LibraryError.migration` when an applied migration was changed or is unknown.
    package func verify(on connection: Connection) async throws -> Verification {
        try await Roles.prepare(on: connection)
        let history = try await history(on: connection)
        let (actual, expected) = try await asOwner(connection) {
            try await descriptions(history, on: connection)
        }
        return Verification(
            pending: migrations.dropFirst(history.applied.count).map(\.number),
            missing: expected.subtracting(actual), unexpected: actual.subtracting(expected))
    }

    private func descriptions(
        _ history: MigrationHistory, on connection: Connection
    ) async throws -> (actual: CatalogDescription, expected: CatalogDescription) {
        try await discarding(on: connection) { transaction in
            let actual = try await CatalogDescription.read(schema: "carrel", on: transaction)
            if history.applied.isEmpty { return (actual, CatalogDescription(lines: [])) }
            for migration in migrations.prefix(history.applied.count) {
                try await transaction.script(Self.renamed(migration.up))
            }
            let expected = try await CatalogDescription.read(schema: Self.scratch, on: transaction)
            return (actual, expected)
        }
    }

    private static let scratch = "carrel_verify"

    /// The same SQL for the scratch schema. The schema's name is a word of its own wherever it
    /// stands; role names and channels (`carrel_app`, `carrel_session`) are other words.
    private static func renamed(_ sql: String) -> String {
        sql.replacing(/carrel(?![A-Za-z0-9_])/, with: scratch)
    }

    /// Runs `body` in a transaction that is always rolled back.
    private func discarding<R: Sendable>(
        on connection: Connection, _ body: (Transaction) async throws -> R
    ) async throws -> R {
        do {
            return try await connection.withTransaction { throw Done(value: try await body($0)) }
        } catch let done as Done<R> {
            return done.value
        }
    }
}

/// A result that leaves a transaction by the way of failure.
private struct Done<R: Sendable>: Error { let value: R }
