// COPY … FROM STDIN (FORMAT binary): rows written as they come, sent in pieces.
//
// COPY converts nothing: each field must be exactly the column's binary form. So the columns'
// types are asked for first, and values are encoded as those types, as for statements.
// https://www.postgresql.org/docs/16/sql-copy.html#SQL-COPY-BINARY-FORMAT

/// Takes rows for one COPY.
///
/// Memory stays at one piece, however many rows are written.
package struct CopyWriter: Sendable {
    /// Large enough that the hop to the connection's thread is paid once in hundreds of rows.
    static let pieceBytes = 128 * 1024

    static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]

    private let connection: Connection
    private let columns: [Column]
    private var buffer = WireBuffer(acceptsText: false)

    /// Rows written so far.
    package private(set) var rowCount = 0

    init(_ connection: Connection, _ columns: [Column]) {
        self.connection = connection
        self.columns = columns
        buffer.append(CopyWriter.signature)
        buffer.append(Int32(0))  // Flags.
        buffer.append(Int32(0))  // Length of the header's extension.
    }

    /// Writes a row: one value per column, in the order given to `copyIn`; `nil` is NULL.
    package mutating func row(
        _ values: (any PostgresEncodable)?...
    ) async throws(PostgresError) {
        try await row(values: values)
    }

    /// The same for values gathered in an array.
    package mutating func row(
        values: [(any PostgresEncodable)?]
    ) async throws(PostgresError) {
        guard values.count == columns.count else {
            throw .invalidParameter(
                index: min(values.count, columns.count) + 1,
                reason: "the COPY has \(columns.count) columns, got \(values.count) values")
        }
        buffer.append(Int16(values.count))
        for (index, value) in values.enumerated() {
            guard let value else {
                buffer.append(Int32(-1))
                continue
            }
            let column = columns[index]
            do throws(EncodingFailure) {
                try buffer.appendCounted { buffer throws(EncodingFailure) in
                    try value.encode(as: column.type, into: &buffer)
                }
            } catch {
                throw .invalidParameter(index: index + 1, reason: "\(column.name): \(error.reason)")
            }
        }
        rowCount += 1
        if buffer.bytes.count >= CopyWriter.pieceBytes { try await send() }
    }

    mutating func finish() async throws(PostgresError) -> Int {
        buffer.append(Int16(-1))
        try await send()
        return try await connection.endCopyIn()
    }

    private mutating func send() async throws(PostgresError) {
        let piece = buffer.bytes
        buffer.bytes.removeAll(keepingCapacity: false)
        buffer.bytes.reserveCapacity(CopyWriter.pieceBytes + CopyWriter.pieceBytes / 4)
        try await connection.sendCopy(piece)
    }
}

extension Queryable {
    /// Loads rows into a table and returns how many.
    ///
    /// ```swift
    /// try await db.copyIn(into: "carrel.pages", columns: ["id", "number"]) { rows in
    ///     for page in pages { try await rows.row(page.id, page.number) }
    /// }
    /// ```
    ///
    /// `table` is SQL (qualify and quote it as needed), column names are quoted here. When `body`
    /// throws nothing is loaded, and an open transaction has failed. The connection can do nothing
    /// else meanwhile: `body` must not query it.
    @discardableResult
    package func copyIn(
        into table: String, columns: [String],
        _ body: (inout CopyWriter) async throws -> Void
    ) async throws -> Int {
        let types = try await connection.beginCopyIn(into: table, columns: columns)
        var writer = CopyWriter(connection, types)
        do {
            try await body(&writer)
        } catch {
            await connection.abortCopyIn()
            throw error
        }
        return try await writer.finish()
    }
}

extension Connection {
    nonisolated func beginCopyIn(
        into table: String, columns: [String]
    ) async throws(PostgresError) -> [Column] {
        try await interruptible { connection, cancellation throws(PostgresError) in
            let list = columns.map(quotedIdentifier).joined(separator: ", ")
            let plan = try connection.describe(
                name: "", sql: "SELECT \(list) FROM \(table)", cancellation)
            _ = try connection.exchange(.copy, cancellation) {
                $0.sendQuery("COPY \(table) (\(list)) FROM STDIN (FORMAT binary)")
            }
            return plan.columns
        }
    }

    /// Hands one piece to the server; waits while it is too busy to take it.
    nonisolated func sendCopy(_ piece: [UInt8]) async throws(PostgresError) {
        try await interruptible { connection, cancellation throws(PostgresError) in
            try connection.requireCopy()
            guard connection.libpq.putCopyData(piece) else { throw connection.lost() }
            try connection.flush(cancellation, until: connection.deadline())
        }
    }

    nonisolated func endCopyIn() async throws(PostgresError) -> Int {
        try await interruptible { connection, cancellation throws(PostgresError) in
            try connection.requireCopy()
            guard connection.libpq.putCopyEnd(failure: nil) else { throw connection.lost() }
            let deadline = connection.deadline()
            try connection.flush(cancellation, until: deadline)
            return try connection.collect(cancellation, until: deadline).affected
        }
    }

    /// Makes the COPY fail on the server, so that nothing of it stays.
    ///
    /// Not interrupted: it ends something. What the server says to it is what we told it.
    func abortCopyIn() {
        guard case .busy(.copy) = state.phase else { return }
        do throws(PostgresError) {
            guard libpq.putCopyEnd(failure: "given up by the client") else { throw lost() }
            let deadline = deadline()
            try flush(nil, until: deadline)
            _ = try collect(nil, until: deadline)
        } catch {}
    }

    func requireCopy() throws(PostgresError) {
        switch state.phase {
        case .busy(.copy): return
        case .closed(let reason): throw reason
        default: preconditionFailure("COPY data outside a COPY")
        }
    }
}
