// What a statement returned. Cells stay in libpq's memory, in binary form, until one is read.

/// A column of a result.
struct Column: Sendable {
    let name: String
    let type: PostgresType
}

/// The rows of one statement, in the order the server sent them.
///
/// Freed with its last row.
package struct Rows: Sendable, RandomAccessCollection {
    let result: LibPQResult
    let columns: [Column]

    package var startIndex: Int { 0 }
    package var endIndex: Int { result.rowCount }

    package subscript(index: Int) -> Row {
        precondition(indices.contains(index), "row \(index) of \(count)")
        return Row(result: result, columns: columns, index: index)
    }

    /// Rows inserted, updated, deleted or selected.
    package var affected: Int { result.affected }

    package var columnNames: [String] { columns.map(\.name) }

    /// The first column of the only row.
    ///
    /// Throws `decoding` when there is not exactly one row.
    package func single<T: PostgresDecodable>(
        _ type: T.Type = T.self
    ) throws(PostgresError) -> T {
        guard count == 1 else { throw .decoding("expected one row, got \(count)") }
        return try self[0].get(0)
    }
}

/// One row.
///
/// `let id: UUID = try row.get(0)`.
package struct Row: Sendable {
    let result: LibPQResult
    let columns: [Column]
    let index: Int

    /// Reads a column, counted from 0.
    ///
    /// - Throws: `decoding`, naming the column, when it is NULL and `T` is not optional, or when its
    ///   type is not one `T` can be read from.
    package func get<T: PostgresDecodable>(
        _ column: Int, as type: T.Type = T.self
    ) throws(PostgresError) -> T {
        try read(column) { bytes, type throws(DecodingFailure) in
            guard let bytes else { return try T.decodeNull() }
            return try T.decode(bytes, as: type)
        }
    }

    /// Appends a `vector` to a row-major block without an array in between; returns its dimension.
    @discardableResult
    package func appendVector(
        _ column: Int, to block: inout [Float]
    ) throws(PostgresError) -> Int {
        try read(column) { bytes, type throws(DecodingFailure) in
            guard let bytes else { throw DecodingFailure("NULL is not a vector") }
            return try PostgresVector.append(bytes, as: type, to: &block)
        }
    }

    package func isNull(_ column: Int) -> Bool {
        precondition(columns.indices.contains(column), "column \(column) of \(columns.count)")
        return result.isNull(row: index, column: column)
    }

    private func read<R>(
        _ column: Int, _ body: (Span<UInt8>?, PostgresType) throws(DecodingFailure) -> R
    ) throws(PostgresError) -> R {
        precondition(columns.indices.contains(column), "column \(column) of \(columns.count)")
        let type = columns[column].type
        do throws(DecodingFailure) {
            if result.isNull(row: index, column: column) { return try body(nil, type) }
            return try result.withBytes(row: index, column: column) {
                bytes throws(DecodingFailure) in try body(bytes, type)
            }
        } catch {
            throw .decoding("column \(column) (\(columns[column].name)): \(error.reason)")
        }
    }
}
