// COPY … TO STDOUT (FORMAT binary): the fastest way to read many rows, and constant in memory.
// https://www.postgresql.org/docs/16/sql-copy.html#SQL-COPY-BINARY-FORMAT

/// Cuts a COPY BINARY stream into rows.
///
/// A value: pieces in, rows out, wherever they are cut.
package struct CopyReader: Sendable {
    /// Larger than what is written at a time: a snapshot of 40 MB then takes 80 hops instead of 300.
    static let pieceBytes = 512 * 1024

    private enum Position { case header, rows, end }

    private let columns: [Column]
    private var bytes: [UInt8] = []
    private var offset = 0
    private var position = Position.header

    init(columns: [Column]) { self.columns = columns }

    /// For tests: a reader whose columns have these types.
    package init(types: [PostgresType]) {
        self.init(
            columns: types.enumerated().map { Column(name: "column \($0)", type: $1) })
    }

    /// Whether the stream's trailer has been read.
    package var isAtEnd: Bool { position == .end }

    package mutating func append(_ piece: [UInt8]) {
        if offset == bytes.count {
            bytes = piece
        } else {
            bytes = Array(bytes[offset...]) + piece
        }
        offset = 0
    }

    /// The next row, or nil when it has not arrived whole.
    package mutating func next() throws(PostgresError) -> CopyRow? {
        if position == .header, try !readHeader() { return nil }
        guard position == .rows, let count = integer(Int16.self, at: offset) else { return nil }
        if count == -1 {
            position = .end
            offset += 2
            return nil
        }
        guard Int(count) == columns.count else {
            throw .decoding("a COPY row of \(count) fields, expected \(columns.count)")
        }
        var fields: [Range<Int>?] = []
        fields.reserveCapacity(columns.count)
        var cursor = offset + 2
        for _ in 0..<columns.count {
            guard let length = integer(Int32.self, at: cursor) else { return nil }
            cursor += 4
            if length < 0 {
                fields.append(nil)
                continue
            }
            guard cursor + Int(length) <= bytes.count else { return nil }
            fields.append(cursor..<cursor + Int(length))
            cursor += Int(length)
        }
        offset = cursor
        return CopyRow(columns: columns, bytes: bytes, fields: fields)
    }

    private mutating func readHeader() throws(PostgresError) -> Bool {
        let signature = CopyWriter.signature
        guard bytes.count - offset >= signature.count + 8 else { return false }
        guard bytes[offset..<offset + signature.count].elementsEqual(signature),
            let flags = integer(UInt32.self, at: offset + signature.count),
            let extra = integer(UInt32.self, at: offset + signature.count + 4)
        else { throw .decoding("not a COPY BINARY stream") }
        // The upper half of the flags must be understood; PostgreSQL 16 sets none.
        guard flags >> 16 == 0 else { throw .decoding("unknown COPY flags \(flags)") }
        guard bytes.count - offset >= signature.count + 8 + Int(extra) else { return false }
        offset += signature.count + 8 + Int(extra)
        position = .rows
        return true
    }

    private func integer<T: FixedWidthInteger>(_ type: T.Type, at offset: Int) -> T? {
        try? bytes.span.bigEndian(at: offset) as T
    }
}

/// One row of a COPY; read like a `Row`.
package struct CopyRow: Sendable {
    let columns: [Column]
    let bytes: [UInt8]
    let fields: [Range<Int>?]

    /// Reads a column, counted from 0; throws `decoding` as `Row.get` does.
    package func get<T: PostgresDecodable>(
        _ column: Int, as type: T.Type = T.self
    ) throws(PostgresError) -> T {
        try read(column) { bytes, type throws(DecodingFailure) in
            guard let bytes else { return try T.decodeNull() }
            return try T.decode(bytes, as: type)
        }
    }

    /// Appends a `vector` to a row-major block; returns its dimension.
    @discardableResult
    package func appendVector(
        _ column: Int, to block: inout [Float]
    ) throws(PostgresError) -> Int {
        try read(column) { bytes, type throws(DecodingFailure) in
            guard let bytes else { throw DecodingFailure("NULL is not a vector") }
            return try PostgresVector.append(bytes, as: type, to: &block)
        }
    }

    /// Appends the UTF-8 of a text column, without making a `String` of it.
    package func appendText(_ column: Int, to block: inout [UInt8]) throws(PostgresError) {
        try read(column) { bytes, type throws(DecodingFailure) in
            guard let bytes else { throw DecodingFailure("NULL is not a text") }
            guard case .scalar(let scalar) = type, scalar.isText else {
                throw DecodingFailure("\(type) is not a text")
            }
            unsafe bytes.withUnsafeBufferPointer { unsafe block.append(contentsOf: $0) }
        }
    }

    package func isNull(_ column: Int) -> Bool { fields[column] == nil }

    private func read<R>(
        _ column: Int, _ body: (Span<UInt8>?, PostgresType) throws(DecodingFailure) -> R
    ) throws(PostgresError) -> R {
        precondition(columns.indices.contains(column), "column \(column) of \(columns.count)")
        let type = columns[column].type
        do throws(DecodingFailure) {
            guard let field = fields[column] else { return try body(nil, type) }
            return try body(bytes.span.extracting(field), type)
        } catch {
            throw .decoding("column \(column) (\(columns[column].name)): \(error.reason)")
        }
    }
}

extension Queryable {
    /// Reads the rows of `query`, which takes no parameters, one by one; returns how many.
    ///
    /// When `each` throws, the rest of the stream is not read: the connection is closed.
    @discardableResult
    package func copyOut(
        _ query: String, _ each: (CopyRow) throws -> Void
    ) async throws -> Int {
        let columns = try await connection.beginCopyOut(query)
        var reader = CopyReader(columns: columns)
        var count = 0
        do {
            var isLast = false
            while !isLast {
                let piece: [UInt8]
                (piece, isLast) = try await connection.receiveCopy()
                reader.append(piece)
                while let row = try reader.next() {
                    try each(row)
                    count += 1
                }
            }
        } catch {
            await connection.abandonCopyOut()
            throw error
        }
        guard reader.isAtEnd else { throw PostgresError.decoding("the COPY stream ended early") }
        return count
    }
}

extension Connection {
    nonisolated func beginCopyOut(_ query: String) async throws(PostgresError) -> [Column] {
        try await interruptible { connection, cancellation throws(PostgresError) in
            let plan = try connection.describe(name: "", sql: query, cancellation)
            _ = try connection.exchange(.copy, cancellation) {
                $0.sendQuery("COPY (\(query)) TO STDOUT (FORMAT binary)")
            }
            return plan.columns
        }
    }

    /// The next piece of the stream, of a limited size, and whether it is the last.
    nonisolated func receiveCopy() async throws(PostgresError) -> (bytes: [UInt8], isLast: Bool) {
        try await interruptible { connection, cancellation throws(PostgresError) in
            try connection.requireCopy()
            return try connection.readCopy(cancellation)
        }
    }

    private func readCopy(
        _ cancellation: Cancellation
    ) throws(PostgresError) -> (bytes: [UInt8], isLast: Bool) {
        let deadline = deadline()
        var piece: [UInt8] = []
        piece.reserveCapacity(CopyReader.pieceBytes + CopyReader.pieceBytes / 8)
        while piece.count < CopyReader.pieceBytes {
            switch libpq.getCopyData(into: &piece) {
            case .bytes: continue
            case .wait:
                try wait(cancellation, until: deadline, writable: false)
                guard libpq.consumeInput() else { throw lost() }
            case .end:
                // The server may yet report an error instead of success.
                _ = try collect(cancellation, until: deadline)
                return (piece, true)
            case .failed: throw lost()
            }
        }
        return (piece, false)
    }

    func abandonCopyOut() {
        guard case .busy(.copy) = state.phase else { return }
        _ = interrupt(.cancelled)
    }
}
