// JSON written straight into the buffer that goes to the socket. No tree in between:
// `JSONEncoder` takes 940 µs for an answer that this writes in a few.

package import NIOCore

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// Writes one JSON text into a buffer.
///
/// The caller opens and closes containers through closures, so brackets always match; the writer
/// puts the commas. A key outside an object is the caller's mistake and is not checked.
package struct JSONWriter {
    /// What has been written, after whatever the buffer held before.
    package private(set) var buffer: ByteBuffer
    private var needsComma = false

    /// A writer that appends to a buffer.
    package init(_ buffer: ByteBuffer = ByteBuffer()) { self.buffer = buffer }

    // MARK: Containers

    /// `{ … }`
    package mutating func object<E: Error>(
        _ members: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        open(0x7B)
        try members(&self)
        close(0x7D)
    }

    /// `[ … ]`
    package mutating func array<E: Error>(
        _ elements: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        open(0x5B)
        try elements(&self)
        close(0x5D)
    }

    /// `"name":{ … }`
    package mutating func object<E: Error>(
        _ name: StaticString, _ members: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        key(name)
        try object(members)
    }

    /// `"name":[ … ]`
    package mutating func array<E: Error>(
        _ name: StaticString, _ elements: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        key(name)
        try array(elements)
    }

    /// `"name":[ … ]`, one element for each of a sequence.
    package mutating func array<S: Sequence, E: Error>(
        _ name: StaticString, of items: S,
        _ write: (inout JSONWriter, S.Element) throws(E) -> Void
    ) throws(E) {
        key(name)
        open(0x5B)
        for item in items { try write(&self, item) }
        close(0x5D)
    }

    /// `"name":`
    ///
    /// - Precondition: the name needs no escaping: it is written in this program.
    package mutating func key(_ name: StaticString) {
        comma()
        buffer.writeInteger(UInt8(0x22))
        buffer.writeStaticString(name)
        buffer.writeStaticString("\":")
        needsComma = false
    }

    /// `"name":` for a name that comes from elsewhere.
    package mutating func key(_ name: String) {
        value(name)
        buffer.writeInteger(UInt8(0x3A))
        needsComma = false
    }

    // MARK: Values

    /// A string, escaped where JSON asks for it: quotes, backslash, control characters.
    package mutating func value(_ string: String) {
        comma()
        buffer.writeInteger(UInt8(0x22))
        var string = string
        string.withUTF8 { utf8 in
            var start = 0
            for index in utf8.indices {
                let byte = unsafe utf8[index]
                guard byte < 0x20 || byte == 0x22 || byte == 0x5C else { continue }
                unsafe buffer.writeBytes(
                    UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: utf8[start..<index])))
                escape(byte)
                start = index + 1
            }
            unsafe buffer.writeBytes(
                UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: utf8[start...])))
        }
        buffer.writeInteger(UInt8(0x22))
        needsComma = true
    }

    /// An integer.
    package mutating func value(_ integer: Int) { literal(String(integer)) }

    /// A 64-bit integer.
    package mutating func value(_ integer: Int64) { literal(String(integer)) }

    /// The shortest decimal that reads back as the same float; `null` for NaN and infinities,
    /// which JSON cannot say.
    package mutating func value(_ number: Float) {
        number.isFinite ? literal(number.description) : null()
    }

    /// The shortest decimal that reads back as the same double; `null` for NaN and infinities.
    package mutating func value(_ number: Double) {
        number.isFinite ? literal(number.description) : null()
    }

    /// `true` or `false`.
    package mutating func value(_ flag: Bool) { literal(flag ? "true" : "false") }

    /// A UUID, in the lower case that PostgreSQL writes.
    package mutating func value(_ id: UUID) {
        value(id.uuidString.lowercased())
    }

    /// A point in time, ISO 8601 in UTC with microseconds, PostgreSQL's resolution.
    package mutating func value(_ date: Date) { value(WireDate.string(date)) }

    /// `null`.
    package mutating func null() { literal("null") }

    /// A parsed value, written out again.
    package mutating func value(_ json: JSONValue) {
        switch json.kind {
        case .null: null()
        case .boolean: value(json.bool ?? false)
        case .integer: json.int.map { value($0) } ?? value(json.double ?? 0)
        case .number: value(json.double ?? 0)
        case .string: value(json.string ?? "")
        case .array:
            array { (writer: inout JSONWriter) in
                for element in json.array! { writer.value(element) }
            }
        case .object:
            object { (writer: inout JSONWriter) in
                for (key, member) in json.object! {
                    writer.key(key)
                    writer.value(member)
                }
            }
        }
    }

    /// A text that is JSON already, for instance an answer kept for a repeated request.
    package mutating func raw(_ json: String) { literal(json) }

    // MARK: Members

    /// `"name":"…"`
    package mutating func member(_ name: StaticString, _ string: String) {
        key(name)
        value(string)
    }

    /// `"name":n`
    package mutating func member(_ name: StaticString, _ integer: Int) {
        key(name)
        value(integer)
    }

    /// `"name":n`
    package mutating func member(_ name: StaticString, _ integer: Int64) {
        key(name)
        value(integer)
    }

    /// `"name":x`
    package mutating func member(_ name: StaticString, _ number: Float) {
        key(name)
        value(number)
    }

    /// `"name":x`
    package mutating func member(_ name: StaticString, _ number: Double) {
        key(name)
        value(number)
    }

    /// `"name":true`
    package mutating func member(_ name: StaticString, _ flag: Bool) {
        key(name)
        value(flag)
    }

    /// `"name":"uuid"`
    package mutating func member(_ name: StaticString, _ id: UUID) {
        key(name)
        value(id)
    }

    /// `"name":"2026-11-01T…Z"`
    package mutating func member(_ name: StaticString, _ date: Date) {
        key(name)
        value(date)
    }

    /// `"name":[lower,upper]`: a span with its end left out, or a range of pages with both ends.
    package mutating func member(_ name: StaticString, pair lower: Int, _ upper: Int) {
        array(name) { (writer: inout JSONWriter) in
            writer.value(lower)
            writer.value(upper)
        }
    }

    /// `"name":["…", …]`
    package mutating func member(_ name: StaticString, _ strings: [String]) {
        array(name, of: strings) { $0.value($1) }
    }

    /// `"name":["uuid", …]`
    package mutating func member(_ name: StaticString, _ ids: [UUID]) {
        array(name, of: ids) { $0.value($1) }
    }

    /// `"name":null`
    package mutating func null(_ name: StaticString) {
        key(name)
        null()
    }

    // MARK: Bytes

    /// Opens an object that `end` closes: for the two ends of an answer, between which a method
    /// waits for the database and may fail.
    package mutating func begin() { open(0x7B) }
    /// Closes what `begin` opened.
    package mutating func end() { close(0x7D) }

    /// Ends the line that the text stands on.
    mutating func endLine() { buffer.writeInteger(UInt8(0x0A)) }

    private mutating func open(_ bracket: UInt8) {
        comma()
        buffer.writeInteger(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        buffer.writeInteger(bracket)
        needsComma = true
    }

    private mutating func literal(_ text: String) {
        comma()
        buffer.writeString(text)
        needsComma = true
    }

    private mutating func comma() {
        if needsComma { buffer.writeInteger(UInt8(0x2C)) }
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x22: buffer.writeStaticString("\\\"")
        case 0x5C: buffer.writeStaticString("\\\\")
        case 0x0A: buffer.writeStaticString("\\n")
        case 0x0D: buffer.writeStaticString("\\r")
        case 0x09: buffer.writeStaticString("\\t")
        default:
            buffer.writeStaticString("\\u00")
            for nibble in [byte >> 4, byte & 0xF] {
                buffer.writeInteger(nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
            }
        }
    }

    /// The text written so far, for logs, tests and the database.
    package var text: String { String(buffer: buffer) }
}
