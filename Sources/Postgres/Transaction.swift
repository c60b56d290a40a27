// Transactions and savepoints: the body decides, and what it does is all or nothing.

/// What a transaction may see of others.
package enum IsolationLevel: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

/// An open transaction.
///
/// Only the closure it was given to may use it.
package struct Transaction: Queryable {
    package let connection: Connection
    private let depth: Int

    fileprivate init(_ connection: Connection, depth: Int) {
        self.connection = connection
        self.depth = depth
    }

    /// Runs `body` so that its failure undoes only what `body` did.
    package func savepoint<R>(_ body: (Transaction) async throws -> R) async throws -> R {
        let name = "carrel_\(depth)"
        try await connection.runScript("SAVEPOINT \(name)")
        do {
            let value = try await body(Transaction(connection, depth: depth + 1))
            try await connection.control("RELEASE SAVEPOINT \(name)", .statement)
            return value
        } catch {
            // A connection that is gone has rolled back by itself; its error says more than ours.
            try? await connection.control(
                "ROLLBACK TO SAVEPOINT \(name); RELEASE SAVEPOINT \(name)", .statement)
            throw error
        }
    }
}

extension Connection {
    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
    ///
    /// COMMIT and ROLLBACK are not interrupted by cancellation of the task. When the connection
    /// breaks during COMMIT the error is `outcomeUnknown`; of one that only reads, `connectionLost`.
    package nonisolated func withTransaction<R>(
        isolation level: IsolationLevel = .readCommitted, readOnly: Bool = false,
        _ body: (Transaction) async throws -> R
    ) async throws -> R {
        precondition(
            health != .inTransaction,
            "a transaction is open on this connection: use a savepoint")
        try await runScript(
            "BEGIN ISOLATION LEVEL \(level.rawValue) \(readOnly ? "READ ONLY" : "READ WRITE")")
        let value: R
        do {
            value = try await body(Transaction(self, depth: 1))
        } catch {
            try? await control("ROLLBACK", .statement)
            throw error
        }
        try await control("COMMIT", readOnly ? .statement : .commit)
        return value
    }

    /// A statement that cancellation must not interrupt, because it ends something.
    func control(_ sql: String, _ work: ConnectionState.Work) throws(PostgresError) {
        try simple(sql, work, nil)
    }
}
