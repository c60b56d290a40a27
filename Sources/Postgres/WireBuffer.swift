// Bytes on their way to the server: parameters of a statement, rows of a COPY.

internal import Glibc

/// Why a value cannot become a parameter; its owner adds which one it was.
package struct EncodingFailure: Error, Sendable, Equatable {
    package let reason: String
    package init(_ reason: String) { self.reason = reason }

    static func mismatch(_ swiftType: String, _ type: PostgresType) -> EncodingFailure {
        EncodingFailure("expected \(type), got \(swiftType)")
    }
}

/// A growing buffer of big-endian values.
package struct WireBuffer: Sendable {
    /// PostgreSQL's two representations of a value.
    package enum Format: Int32, Sendable { case text = 0, binary = 1 }

    package internal(set) var bytes: [UInt8] = []

    /// The format of the value being written; an encoder that writes text says so here.
    var format = Format.binary

    /// COPY BINARY knows no text format; parameters of statements do.
    let acceptsText: Bool

    package mutating func append<T: FixedWidthInteger>(_ value: T) {
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    package mutating func append(_ value: Float) { append(value.bitPattern) }
    package mutating func append(_ value: Double) { append(value.bitPattern) }

    package mutating func append(_ values: some Sequence<UInt8>) {
        bytes.append(contentsOf: values)
    }

    /// Many floats at once, the payload of a vector.
    ///
    /// One growth and one loop over raw memory, not a float at a time.
    package mutating func append(_ values: [Float]) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: 4 * values.count))
        unsafe bytes.withUnsafeMutableBytes { raw in
            for index in values.indices {
                unsafe raw.storeBytes(
                    of: values[index].bitPattern.bigEndian, toByteOffset: start + 4 * index,
                    as: UInt32.self)
            }
        }
    }

    /// UTF-8 without a NUL: text parameters are C strings to libpq, which would cut there silently,
    /// and PostgreSQL's text cannot hold one at all.
    package mutating func append(text: String) throws(EncodingFailure) {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        let count = bytes.count - start
        let hasNUL = unsafe bytes.withUnsafeBufferPointer { buffer in
            guard count > 0, let base = buffer.baseAddress else { return false }
            return unsafe memchr(base + start, 0, count) != nil
        }
        if hasNUL { throw EncodingFailure("text must not contain a NUL character (U+0000)") }
    }

    /// Reserves a length word, writes what follows, and fills the length in.
    package mutating func appendCounted<E: Error>(
        _ body: (inout WireBuffer) throws(E) -> Void
    ) throws(E) {
        let start = bytes.count
        append(Int32(0))
        try body(&self)
        let count = UInt32(bytes.count - start - 4)
        for offset in 0..<4 {
            bytes[start + offset] = UInt8(truncatingIfNeeded: count >> UInt32(24 - 8 * offset))
        }
    }

    /// Marks the current value as text, for types only the server can parse.
    package mutating func useText(_ swiftType: String, for type: PostgresType)
        throws(EncodingFailure)
    {
        guard acceptsText else { throw .mismatch(swiftType, type) }
        format = .text
    }
}
