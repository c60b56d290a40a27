// Takes a database from one state of the schema to another.
//
// The roles are made first (Roles.swift), and everything is done as carrel_migrate, whoever connected: so
// it owns what is made. Each migration runs in a transaction of its own together with its row in `schema_migrations`, so
// it happens whole or not at all, and a run that fails can be run again. An advisory lock is held
// from reading what is applied to the last step: of two processes the second waits, then finds
// nothing to do. The lock belongs to the connection, so it ends with the process.
//
//     locked ──read──► MigrationHistory ──stepsUp/stepsDown──► one transaction each ──► unlocked

package import Postgres

package struct Migrator: Sendable {
    /// Oldest first.
    package let migrations: [Migration]

    package init(migrations: [Migration] = Migration.all) {
        self.migrations = migrations
    }

    /// A line of `carrel migrate status`.
    package struct Status: Sendable {
        package let migration: Migration
        /// Nil when it is still to be applied.
        package let applied: AppliedMigration?
    }

    /// Applies what is missing, up to `number` when it is given.
    ///
    /// `report` is called after each step, for a progress line.
    ///
    /// - Returns: what was applied.
    /// - Throws: `LibraryError.migration`; the steps reported before it stay.
    @discardableResult
    package func up(
        to number: Int? = nil, on connection: Connection,
        report: (Migration) -> Void = { _ in }
    ) async throws -> [Migration] {
        try await locked(connection) {
            let requirements = try await Requirements.read(on: connection)
            try refused { () throws(MigrationError) in try requirements.check() }
            try await Roles.prepare(on: connection)
            return try await asOwner(connection) { try await climb(to: number, connection, report) }
        }
    }

    private func climb(
        to number: Int?, _ connection: Connection, _ report: (Migration) -> Void
    ) async throws -> [Migration] {
        let history = try await history(on: connection)
        let steps = try refused { () throws(MigrationError) in try history.stepsUp(to: number) }
        let onCitus = try await hasCitus(connection)
        for step in steps {
            try await run(step, on: connection) { transaction in
                try await transaction.script(step.statements(onCitus: onCitus))
                try await transaction.execute(
                    Self.insert, step.number, step.name, step.sha256)
            }
            report(step)
        }
        return steps
    }

    /// Undoes what was applied after `number`, newest first; 0 leaves nothing of ours.
    @discardableResult
    package func down(
        to number: Int, on connection: Connection,
        report: (Migration) -> Void = { _ in }
    ) async throws -> [Migration] {
        try await locked(connection) {
            try await Roles.prepare(on: connection)
            return try await asOwner(connection) {
                let history = try await history(on: connection)
                let steps = try refused { () throws(MigrationError) in
                    try history.stepsDown(to: number)
                }
                for step in steps {
                    try await run(step, on: connection) { transaction in
                        // Before the way down: the first migration takes the table itself away.
                        try await transaction.execute(Self.remove, step.number)
                        try await transaction.script(step.down)
                    }
                    report(step)
                }
                return steps
            }
        }
    }

    /// Every known migration and when it was applied. Refuses what `up` would refuse.
    package func status(on db: some Queryable) async throws -> [Status] {
        let history = try await history(on: db)
        return migrations.enumerated().map { index, migration in
            Status(
                migration: migration,
                applied: index < history.applied.count ? history.applied[index] : nil)
        }
    }

    /// The applied migrations, proven to be ours.
    package func history(on db: some Queryable) async throws -> MigrationHistory {
        let applied = try await recorded(on: db)
        return try refused { () throws(MigrationError) in
            try MigrationHistory(known: migrations, applied: applied)
        }
    }

    private func recorded(on db: some Queryable) async throws -> [AppliedMigration] {
        guard try await db.query(Self.hasRecords).single(Bool.self) else { return [] }
        return try await db.query(Self.select).map { row throws(PostgresError) in
            AppliedMigration(
                number: try row.get(0), name: try row.get(1), sha256: try row.get(2),
                appliedAt: try row.get(3), appliedBy: try row.get(4))
        }
    }

    private func run(
        _ step: Migration, on connection: Connection, _ body: (Transaction) async throws -> Void
    ) async throws {
        do {
            try await connection.withTransaction(body)
        } catch let error as PostgresError {
            guard case .server(let reason) = error else { throw error }
            throw LibraryError.migration(
                .failed(number: step.number, name: step.name, reason: "\(reason)"))
        }
    }

    private func locked<R>(_ connection: Connection, _ body: () async throws -> R) async throws -> R
    {
        try await connection.query(Self.lock)
        let result: R
        do {
            result = try await body()
        } catch {
            // A connection that broke has let go of the lock by itself.
            _ = try? await connection.query(Self.unlock)
            throw error
        }
        try await connection.query(Self.unlock)
        return result
    }

    /// Runs `body` as the role that owns the tables.
    ///
    /// - Throws: `LibraryError.migration(.roles)` when the connection may not act as it.
    func asOwner<R>(_ connection: Connection, _ body: () async throws -> R) async throws -> R {
        do {
            try await connection.script("SET ROLE carrel_migrate")
        } catch {
            guard case .server(let reason) = error else { throw error }
            throw LibraryError.migration(
                .roles(
                    "this connection cannot act as carrel_migrate, the owner of the tables "
                        + "(\(reason)); name a role that can with CARREL_MIGRATE_URL"))
        }
        let result: R
        do {
            result = try await body()
        } catch {
            _ = try? await connection.script("RESET ROLE")
            throw error
        }
        try await connection.script("RESET ROLE")
        return result
    }

    private func hasCitus(_ db: some Queryable) async throws -> Bool {
        try await db.query(Self.selectCitus).single()
    }

    private func refused<R>(_ body: () throws(MigrationError) -> R) throws -> R {
        do throws(MigrationError) { return try body() } catch {
            throw LibraryError.migration(error)
        }
    }
}

extension Migrator {
    /// "carrel" in ASCII. The lock is the database's, so other programs must choose another.
    private static let lockKey = 0x6361_7272_656c

    private static let lock = Statement(
        "migration.lock", "SELECT 1 FROM pg_advisory_lock(\(lockKey))")

    private static let unlock = Statement(
        "migration.unlock", "SELECT pg_advisory_unlock(\(lockKey))")

    private static let hasRecords = Statement(
        "migration.hasRecords", "SELECT to_regclass('carrel.schema_migrations') IS NOT NULL")

    private static let select = Statement(
        "migration.select",
        """
        SELECT number, name, sha256, applied_at, applied_by
        FROM carrel.schema_migrations
        ORDER BY number
        """)

    private static let insert = Statement(
        "migration.insert",
        "INSERT INTO carrel.schema_migrations (number, name, sha256) VALUES ($1, $2, $3)")

    private static let remove = Statement(
        "migration.remove", "DELETE FROM carrel.schema_migrations WHERE number = $1")

    private static let selectCitus = Statement(
        "migration.hasCitus",
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')")
}
