// What a connection and a transaction have in common. Repositories take `on db: some Queryable`.

/// Something that statements can be sent to, one after another.
package protocol Queryable: Sendable {
    /// The connection behind it.
    var connection: Connection { get }
}

extension Queryable {
    /// Runs a statement and returns its rows, all of them, in the server's binary form.
    ///
    /// `nil` is NULL. One round trip, once the connection has prepared the statement.
    ///
    /// - Throws: `invalidParameter` before anything is sent; `server` when the statement is refused.
    @discardableResult
    package func query(
        _ statement: Statement, _ parameters: (any PostgresEncodable)?...
    ) async throws(PostgresError) -> Rows {
        try await connection.run(statement, parameters)
    }

    /// Runs a statement and returns how many rows it inserted, changed, deleted or selected.
    @discardableResult
    package func execute(
        _ statement: Statement, _ parameters: (any PostgresEncodable)?...
    ) async throws(PostgresError) -> Int {
        try await connection.run(statement, parameters).affected
    }

    /// The same as `query` for parameters gathered in an array.
    @discardableResult
    package func query(
        _ statement: Statement, parameters: [(any PostgresEncodable)?]
    ) async throws(PostgresError) -> Rows {
        try await connection.run(statement, parameters)
    }

    /// Runs SQL text without parameters, many statements if need be, in one implicit transaction
    /// unless the text opens its own.
    ///
    /// For migrations and set-up; never for text from outside.
    package func script(_ sql: String) async throws(PostgresError) {
        try await connection.runScript(sql)
    }
}
