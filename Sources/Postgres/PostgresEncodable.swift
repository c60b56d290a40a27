// Swift values on their way to the server.
//
// The server has said which type each parameter has (Describe), so a value writes itself as that
// type: an `Int` becomes int2, int4, int8, numeric … with its range checked here, not truncated
// there. A `String` can be sent to any type at all: what has no textual binary form goes in text
// format, and the server parses it.

/// A value that can be a statement's parameter or a COPY column.
///
/// `nil` is NULL.
package protocol PostgresEncodable: Sendable {
    /// Writes the value as `type`.
    func encode(as type: PostgresType, into buffer: inout WireBuffer) throws(EncodingFailure)

    /// Writes an array of such values. The default is a one-dimensional PostgreSQL array.
    static func encode(
        array: [Self], as type: PostgresType, into buffer: inout WireBuffer
    ) throws(EncodingFailure)
}

extension PostgresEncodable {
    package static func encode(
        array: [Self], as type: PostgresType, into buffer: inout WireBuffer
    ) throws(EncodingFailure) {
        guard case .array(let element) = type, let oid = element.oid else {
            throw .mismatch("[\(Self.self)]", type)
        }
        try buffer.appendArray(array, elementOID: oid) { value, buffer throws(EncodingFailure) in
            try value.encode(as: .scalar(element), into: &buffer)
        }
    }
}

extension Array: PostgresEncodable where Element: PostgresEncodable {
    package func encode(as type: PostgresType, into buffer: inout WireBuffer)
        throws(EncodingFailure)
    {
        try Element.encode(array: self, as: type, into: &buffer)
    }
}

/// Enums with text behind them are sent as their label, to PostgreSQL enums and to text alike.
extension PostgresEncodable where Self: RawRepresentable, RawValue == String {
    package func encode(as type: PostgresType, into buffer: inout WireBuffer)
        throws(EncodingFailure)
    {
        try rawValue.encode(as: type, into: &buffer)
    }

    package static func encode(
        array: [Self], as type: PostgresType, into buffer: inout WireBuffer
    ) throws(EncodingFailure) {
        try String.encode(array: array.map(\.rawValue), as: type, into: &buffer)
    }
}

extension WireBuffer {
    // array_recv in src/backend/utils/adt/arrayfuncs.c: dimensions, has-nulls flag, element type,
    // then per dimension its length and lower bound, then the elements with their lengths.
    mutating func appendArray<T>(
        _ values: [T], elementOID: UInt32,
        _ element: (T, inout WireBuffer) throws(EncodingFailure) -> Void
    ) throws(EncodingFailure) {
        append(Int32(values.isEmpty ? 0 : 1))
        append(Int32(0))
        append(elementOID)
        if values.isEmpty { return }
        append(Int32(values.count))
        append(Int32(1))
        for value in values {
            try appendCounted { buffer throws(EncodingFailure) in try element(value, &buffer) }
        }
    }
}

// MARK: Text

extension String: PostgresEncodable {
    package func encode(as type: PostgresType, into buffer: inout WireBuffer)
        throws(EncodingFailure)
    {
        switch type {
        case .scalar(let scalar) where scalar.isText: break
        case .scalar(.jsonb): buffer.append(JSON.jsonbVersion)
        case .scalar, .array, .other: try buffer.useText("String", for: type)
        }
        try buffer.append(text: self)
    }

    package static func encode(
        array: [String], as type: PostgresType, into buffer: inout WireBuffer
    ) throws(EncodingFailure) {
        if case .array(let element) = type, element.isText, let oid = element.oid {
            try buffer.appendArray(array, elementOID: oid) { text, buffer throws(EncodingFailure) in
                try buffer.append(text: text)
            }
            return
        }
        // An array literal: every element quoted, quotes and backslashes escaped.
        // https://www.postgresql.org/docs/16/arrays.html#ARRAYS-IO
        if case .scalar = type { throw .mismatch("[String]", type) }
        try buffer.useText("[String]", for: type)
        let elements = array.map { text in
            let escaped = text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
            return "\"\(String(escaped))\""
        }
        try buffer.append(text: "{\(elements.joined(separator: ","))}")
    }
}

// MARK: Numbers

extension Bool: PostgresEncodable {
    package func encode(as type: PostgresType, into buffer: inout WireBuffer)
        throws(EncodingFailure)
    {
        guard type == .scalar(.bool) else { throw .mismatch("Bool", type) }
        buffer.append(UInt8(self ? 1 : 0))
    }
}

extension PostgresEncodable where Self: FixedWidthInteger {
    package func encode(as type: PostgresType, into buffer: inout WireBuffer)
        throws(EncodingFailure)
    {
        switch type {
        case .scalar(.int8): buffer.append(try narrow(Int64.self, type))
        case .scalar(.int4): buffer.append(try narrow(Int32.self, type))
        case .scalar(.int2): buffer.append(try narrow(Int16.self, type))
        case .scalar(.oid): buffer.append(try narrow(UInt32.self, type))
        case .scalar(.float8): buffer.append(Double(self))
        case .scalar(.numeric): try Numeric(self).encode(as: type, into: &buffer)
        default: throw .mismatch("\(Self.self)", type)
        }
    }

    private func narrow<T: FixedWidthInteger>(
        _ target: T.Type, _ type: PostgresType
    ) throws(EncodingFailure) -> T {
        guard let value = T(exactly: self) else {
            throw EncodingFailure("\(self) does not fit into \(type)")
        }
        return value
    }
}

extension Int: PostgresEncodable {}
extension Int16: PostgresEncodable {}
extension Int32: PostgresEncodable {}
extension Int64: PostgresEncodable {}

extension Double: PostgresEncodable {
    package func encode(as type: PostgresType, into buffer: inout WireBuffer)
        throws(EncodingFailure)
    {
        switch type {
        case .scalar(.float8): buffer.append(self)
        case .scalar(.float4): buffer.append(Float(self))
        case .scalar(.numeric): try Numeric(self).encode(as: type, into: &buffer)
        default: throw .mismatch("Double", type)
        }
    }
}

extension Float: PostgresEncodable {
    package func encode(as type: PostgresType, into buffer: inout WireBuffer)
        throws(EncodingFailure)
    {
        switch type {
        case .scalar(.float4): buffer.append(self)
        case .scalar(.float8): buffer.append(Double(self))
        default: throw .mismatch("Float", type)
        }
    }
}

// MARK: Bytes

/// Only so that `[UInt8]` can be bytea; a single byte has no PostgreSQL type.
extension UInt8: PostgresEncodable {
    package static func encode(
        array: [UInt8], as type: PostgresType, into buffer: inout WireBuffer
    ) throws(EncodingFailure) {
        guard type == .scalar(.bytea) else { throw .mismatch("[UInt8]", type) }
        buffer.append(array)
    }
}
