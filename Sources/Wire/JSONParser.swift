// The one Swift file that calls simdjson. Everything after this line works on `JSONDocument`,
// a value of Swift arrays whose every access is checked.
//
// Measured on the reference machine: `JSONDecoder` takes 820 µs for a request with a 768-number
// vector, simdjson and this copy of its tape together a fiftieth of that (Tests/WireTests prints
// the figure of the day).

internal import CSimdJSON
package import NIOCore

/// Reads JSON texts, one after another, reusing its memory.
///
/// Belongs to one connection: it is not `Sendable`, while the documents it returns are.
@safe package final class JSONParser {
    private let parser: OpaquePointer
    /// How deep arrays and objects may nest.
    package let maximumDepth: Int

    /// A parser with nothing read yet.
    ///
    /// - Parameter maximumDepth: how deep arrays and objects may nest; deeper is refused.
    package init(maximumDepth: Int = Limits.standard.nesting) {
        guard let parser = unsafe carrel_json_parser_create(maximumDepth) else {
            preconditionFailure("no memory for a JSON parser of 16 KiB")
        }
        unsafe self.parser = parser
        self.maximumDepth = maximumDepth
    }

    deinit { unsafe carrel_json_parser_destroy(parser) }

    /// The document a text spells.
    ///
    /// - Parameter text: one JSON text, without the LF that ended its line.
    /// - Returns: a copy that stays valid after the next parse.
    /// - Throws: `parse_error` for what is not JSON, and for what Carrel's JSON leaves out:
    ///   duplicate keys, a byte order mark, nesting beyond ``maximumDepth``.
    /// - Complexity: O(bytes); about 15 µs for a search with 768 numbers.
    package func parse(_ text: ByteBuffer) throws(WireError) -> JSONDocument {
        try unsafe text.withUnsafeReadableBytes { bytes throws(WireError) in
            var view = unsafe carrel_json_view()
            let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let code = unsafe base.map { unsafe carrel_json_parse(parser, $0, bytes.count, &view) }
            if let refusal = refusal(Int(code ?? Int32(CARREL_JSON_EMPTY))) { throw refusal }
            return unsafe JSONDocument(
                tape: [UInt64](
                    unsafe UnsafeBufferPointer(start: view.tape, count: view.tape_count)),
                strings: [UInt8](
                    unsafe UnsafeBufferPointer(start: view.strings, count: view.string_bytes)))
        }
    }

    /// The same of bytes that come from elsewhere than the network.
    package func parse(_ text: [UInt8]) throws(WireError) -> JSONDocument {
        try parse(ByteBuffer(bytes: text))
    }

    private func refusal(_ code: Int) -> WireError? {
        switch code {
        case Int(CARREL_JSON_OK): nil
        case Int(CARREL_JSON_EMPTY): .parse("The line is empty.")
        case Int(CARREL_JSON_DEPTH):
            WireError(
                .parseError, "Arrays and objects nest deeper than \(maximumDepth).",
                limit: maximumDepth)
        case Int(CARREL_JSON_UTF8): .parse("The line is not valid UTF-8.")
        case Int(CARREL_JSON_BOM): .parse("The line begins with a byte order mark.")
        case Int(CARREL_JSON_DUPLICATE_KEY): .parse("An object holds the same key twice.")
        case Int(CARREL_JSON_NOT_FINITE): .parse("NaN and Infinity are not JSON numbers.")
        case Int(CARREL_JSON_NUMBER):
            .parse("A number is malformed, or too large for a 64-bit float.")
        case Int(CARREL_JSON_STRING):
            .parse("A string is not closed, or holds a bad escape or a raw control character.")
        case Int(CARREL_JSON_MEMORY), Int(CARREL_JSON_TOO_LARGE):
            WireError(.busy, "No memory to read this line.", retryAfterMilliseconds: 1000)
        default: .parse("The line is not JSON.")
        }
    }
}

/// Where the first LF of `buffer` stands, counted from its reader index plus `offset`.
func lineEnd(of buffer: ByteBuffer, from offset: Int) -> Int? {
    unsafe buffer.withUnsafeReadableBytes { bytes in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset...])
        guard let base = unsafe rest.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            return nil
        }
        let found = unsafe carrel_json_line_end(base, rest.count)
        return found == rest.count ? nil : offset + found
    }
}

/// How many of the first bytes need no escape in a JSON string.
func plainPrefix(of bytes: UnsafeBufferPointer<UInt8>) -> Int {
    guard let base = bytes.baseAddress else { return 0 }
    return unsafe carrel_json_plain(base, bytes.count)
}
