// The server's binary values, read as Swift ones. A value decodes only from types whose meaning it
// has: text never becomes a number here, and a number that does not fit is an error.

/// Why a column cannot be read; its row adds which one it was.
package struct DecodingFailure: Error, Sendable, Equatable {
    package let reason: String
    package init(_ reason: String) { self.reason = reason }

    static func mismatch(_ swiftType: String, _ type: PostgresType) -> DecodingFailure {
        DecodingFailure("\(type) cannot be read as \(swiftType)")
    }
}

/// A value that can be read from a column.
package protocol PostgresDecodable: Sendable {
    /// Reads a value that is not NULL.
    static func decode(_ bytes: Span<UInt8>, as type: PostgresType) throws(DecodingFailure) -> Self

    /// What NULL is; only optionals have an answer.
    static func decodeNull() throws(DecodingFailure) -> Self

    /// Reads an array of such values.
    static func decode(array bytes: Span<UInt8>, as type: PostgresType) throws(DecodingFailure)
        -> [Self]
}

extension PostgresDecodable {
    package static func decodeNull() throws(DecodingFailure) -> Self {
        throw DecodingFailure("NULL cannot be read as \(Self.self)")
    }

    package static func decode(array bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> [Self]
    {
        guard case .array(let element) = type else { throw .mismatch("[\(Self.self)]", type) }
        return try decodeArray(bytes) { bytes throws(DecodingFailure) in
            guard let bytes else { return try decodeNull() }
            return try decode(bytes, as: .scalar(element))
        }
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> Wrapped?
    {
        try Wrapped.decode(bytes, as: type)
    }

    package static func decodeNull() throws(DecodingFailure) -> Wrapped? { nil }
}

extension Array: PostgresDecodable where Element: PostgresDecodable {
    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> [Element]
    {
        try Element.decode(array: bytes, as: type)
    }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue == String {
    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> Self
    {
        let label = try String.decode(bytes, as: type)
        guard let value = Self(rawValue: label) else {
            throw DecodingFailure("“\(label)” is not a \(Self.self)")
        }
        return value
    }
}

/// array_send in src/backend/utils/adt/arrayfuncs.c.
///
/// More than one dimension is refused.
private func decodeArray<T>(
    _ bytes: Span<UInt8>, _ element: (Span<UInt8>?) throws(DecodingFailure) -> T
) throws(DecodingFailure) -> [T] {
    let dimensions: Int32 = try bytes.bigEndian(at: 0)
    if dimensions == 0 { return [] }
    guard dimensions == 1 else {
        throw DecodingFailure("an array of \(dimensions) dimensions cannot be read")
    }
    let count = try Int(bytes.bigEndian(at: 12) as Int32)
    guard count >= 0 else { throw DecodingFailure("an array of length \(count)") }
    var values: [T] = []
    values.reserveCapacity(min(count, bytes.count / 4))
    var offset = 20
    for _ in 0..<count {
        let length = try Int(bytes.bigEndian(at: offset) as Int32)
        offset += 4
        if length < 0 {
            values.append(try element(nil))
        } else {
            guard offset + length <= bytes.count else { throw .truncated }
            values.append(try element(bytes.extracting(offset..<offset + length)))
            offset += length
        }
    }
    return values
}

extension DecodingFailure {
    static var truncated: DecodingFailure { DecodingFailure("fewer bytes than announced") }
}

extension Span where Element == UInt8 {
    /// The big-endian integer at `offset`.
    func bigEndian<T: FixedWidthInteger>(at offset: Int) throws(DecodingFailure) -> T {
        guard offset >= 0, offset + T.bitWidth / 8 <= count else { throw .truncated }
        return unsafe withUnsafeBufferPointer { buffer in
            let raw = UnsafeRawBufferPointer(buffer)
            return unsafe T(bigEndian: raw.loadUnaligned(fromByteOffset: offset, as: T.self))
        }
    }

    /// The whole span as one integer; its length must be the integer's.
    func whole<T: FixedWidthInteger>(_ type: T.Type) throws(DecodingFailure) -> T {
        guard count == T.bitWidth / 8 else {
            throw DecodingFailure("expected \(T.bitWidth / 8) bytes, got \(count)")
        }
        return try bigEndian(at: 0)
    }

    /// A copy of a part.
    func array(_ range: Range<Int>) -> [UInt8] {
        unsafe extracting(range).withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }
}

// MARK: Text

extension String: PostgresDecodable {
    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> String
    {
        switch type {
        case .scalar(let scalar) where scalar.isText:
            return bytes.text(0..<bytes.count)
        case .scalar(.jsonb):
            return try JSON.decode(bytes, as: type).text
        default: throw .mismatch("String", type)
        }
    }
}

extension Span where Element == UInt8 {
    /// UTF-8 as the server sends it; it never sends anything else with `client_encoding` UTF8.
    func text(_ range: Range<Int>) -> String {
        unsafe extracting(range).withUnsafeBufferPointer {
            unsafe String(decoding: $0, as: UTF8.self)
        }
    }
}

// MARK: Numbers

extension Bool: PostgresDecodable {
    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> Bool
    {
        guard type == .scalar(.bool) else { throw .mismatch("Bool", type) }
        return try bytes.whole(UInt8.self) != 0
    }
}

extension PostgresDecodable where Self: FixedWidthInteger {
    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> Self
    {
        let value: Int64 =
            switch type {
            case .scalar(.int8): try bytes.whole(Int64.self)
            case .scalar(.int4): Int64(try bytes.whole(Int32.self))
            case .scalar(.int2): Int64(try bytes.whole(Int16.self))
            case .scalar(.oid): Int64(try bytes.whole(UInt32.self))
            default: throw .mismatch("\(Self.self)", type)
            }
        guard let result = Self(exactly: value) else {
            throw DecodingFailure("\(value) does not fit into \(Self.self)")
        }
        return result
    }
}

extension Int: PostgresDecodable {}
extension Int16: PostgresDecodable {}
extension Int32: PostgresDecodable {}
extension Int64: PostgresDecodable {}

extension Double: PostgresDecodable {
    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> Double
    {
        switch type {
        case .scalar(.float8): return Double(bitPattern: try bytes.whole(UInt64.self))
        case .scalar(.float4): return Double(Float(bitPattern: try bytes.whole(UInt32.self)))
        case .scalar(.numeric): return try Numeric.decode(bytes, as: type).doubleValue
        default: throw .mismatch("Double", type)
        }
    }
}

extension Float: PostgresDecodable {
    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> Float
    {
        // float8 is refused: it would lose digits in silence.
        guard type == .scalar(.float4) else { throw .mismatch("Float", type) }
        return Float(bitPattern: try bytes.whole(UInt32.self))
    }
}

// MARK: Bytes

extension UInt8: PostgresDecodable {
    package static func decode(array bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> [UInt8]
    {
        guard type == .scalar(.bytea) else { throw .mismatch("[UInt8]", type) }
        return bytes.array(0..<bytes.count)
    }
}
