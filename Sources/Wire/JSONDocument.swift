// A parsed JSON text and the values in it.
//
// The tape is simdjson's (doc/tape.md in its repository): one 64-bit word per value, the kind in
// the top byte. A number takes a second word with its bits. An opening bracket says where its
// partner's successor stands, so skipping a value costs one read.

/// A JSON text, parsed: immutable, checked, free to travel between tasks.
package struct JSONDocument: Sendable {
    fileprivate let tape: [UInt64]
    fileprivate let strings: [UInt8]

    /// - Precondition: the arrays are a view filled by `carrel_json_parse`.
    init(tape: [UInt64], strings: [UInt8]) {
        self.tape = tape
        self.strings = strings
    }

    /// The value the whole text spells.
    package var root: JSONValue { JSONValue(document: self, index: 1) }
}

/// One value inside a document.
package struct JSONValue: Sendable {
    fileprivate let document: JSONDocument
    fileprivate let index: Int

    /// What kinds of value there are; `integer` is a number written without fraction or exponent
    /// that fits 64 bits.
    package enum Kind: String, Sendable {
        case null, boolean, integer, number, string, array, object
    }

    /// What kind of value this is.
    package var kind: Kind {
        switch tag {
        case .null: .null
        case .true, .false: .boolean
        case .signed, .unsigned: .integer
        case .double: .number
        case .string: .string
        case .openArray: .array
        default: .object
        }
    }

    /// Whether this is `null`.
    package var isNull: Bool { tag == .null }

    /// The boolean, if this is one.
    package var bool: Bool? {
        switch tag {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// The integer, if this is one written as such and within `Int`.
    package var int: Int? {
        switch tag {
        case .signed: Int(Int64(bitPattern: document.tape[index + 1]))
        case .unsigned: Int(exactly: document.tape[index + 1])
        default: nil
        }
    }

    /// The number, if this is one; always finite.
    package var double: Double? {
        switch tag {
        case .signed: Double(Int64(bitPattern: document.tape[index + 1]))
        case .unsigned: Double(document.tape[index + 1])
        case .double: Double(bitPattern: document.tape[index + 1])
        default: nil
        }
    }

    /// The string, if this is one. Copies.
    package var string: String? {
        utf8.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes of the string, if this is one, without a copy.
    package var utf8: ArraySlice<UInt8>? {
        tag == .string ? document.string(at: index) : nil
    }

    /// The elements, if this is an array.
    package var array: JSONArray? { tag == .openArray ? JSONArray(value: self) : nil }

    /// The members, if this is an object.
    package var object: JSONObject? { tag == .openObject ? JSONObject(value: self) : nil }

    fileprivate var tag: Tag { document.tag(at: index) }

    /// The index of the value after this one.
    fileprivate var next: Int { document.index(after: index) }
}

/// The elements of an array, in order. Reaching the n-th costs n steps.
package struct JSONArray: Sendable, Sequence {
    fileprivate let value: JSONValue

    /// How many elements there are. O(count).
    package var count: Int {
        var count = 0
        for _ in self { count += 1 }
        return count
    }

    package struct Iterator: IteratorProtocol {
        fileprivate let document: JSONDocument
        fileprivate var index: Int

        package mutating func next() -> JSONValue? {
            guard document.tag(at: index) != .closeArray else { return nil }
            defer { index = document.index(after: index) }
            return JSONValue(document: document, index: index)
        }
    }

    package func makeIterator() -> Iterator {
        Iterator(document: value.document, index: value.index + 1)
    }

    /// What reading an array of floats came to.
    enum Floats {
        case floats([Float])
        /// The element that is not a number.
        case notANumber(element: Int)
        /// More elements than asked for; how many there are.
        case tooMany(count: Int)
    }

    /// The elements as floats, read in one pass over the tape.
    ///
    /// - Parameter limit: how many elements are wanted at most; sets the allocation.
    /// - Returns: the floats, or what is wrong with the array.
    func floats(limit: Int) -> Floats {
        let tape = value.document.tape
        var index = value.index + 1
        var (element, byte) = (0, UInt8(0))
        let floats = unsafe [Float](unsafeUninitializedCapacity: limit) { floats, count in
            while true {
                // A number is the frequent case; its tag and bits lie side by side.
                byte = UInt8(truncatingIfNeeded: tape[index] >> 56)
                let float: Float
                if byte == Tag.double.rawValue {
                    float = Float(Double(bitPattern: tape[index + 1]))
                } else if byte == Tag.signed.rawValue {
                    float = Float(Int64(bitPattern: tape[index + 1]))
                } else if byte == Tag.unsigned.rawValue {
                    float = Float(tape[index + 1])
                } else {
                    break
                }
                if element < limit { unsafe floats[element] = float }
                element += 1
                if element > limit { break }
                index += 2
            }
            count = element < limit ? element : limit
        }
        if element > limit { return .tooMany(count: count) }
        return byte == Tag.closeArray.rawValue ? .floats(floats) : .notANumber(element: element)
    }
}

/// The members of an object, in the order of the text. Keys are distinct.
package struct JSONObject: Sendable, Sequence {
    fileprivate let value: JSONValue

    /// The value of a member, `nil` when there is none. O(members).
    package subscript(_ name: StaticString) -> JSONValue? { member(name)?.value }

    /// The value and position of a member.
    func member(_ name: StaticString) -> (value: JSONValue, position: Int)? {
        name.withUTF8Buffer { wanted in
            var position = 0
            var index = value.index + 1
            while value.document.tag(at: index) == .string {
                if unsafe value.document.string(at: index).elementsEqual(wanted) {
                    return (JSONValue(document: value.document, index: index + 1), position)
                }
                index = value.document.index(after: index + 1)
                position += 1
            }
            return nil
        }
    }

    package struct Iterator: IteratorProtocol {
        fileprivate let document: JSONDocument
        fileprivate var index: Int

        package mutating func next() -> (key: String, value: JSONValue)? {
            guard document.tag(at: index) == .string else { return nil }
            let key = String(decoding: document.string(at: index), as: UTF8.self)
            let value = JSONValue(document: document, index: index + 1)
            index = value.next
            return (key, value)
        }
    }

    package func makeIterator() -> Iterator {
        Iterator(document: value.document, index: value.index + 1)
    }
}

/// The top byte of a tape word.
private enum Tag: UInt8 {
    case openObject = 0x7B
    case closeObject = 0x7D
    case openArray = 0x5B
    case closeArray = 0x5D
    case string = 0x22
    case signed = 0x6C
    case unsigned = 0x75
    case double = 0x64
    case `true` = 0x74
    case `false` = 0x66
    case null = 0x6E
    case root = 0x72

    init(word: UInt64) {
        // The view comes from simdjson, which writes no other byte.
        self = Tag(rawValue: UInt8(word >> 56))!
    }
}

extension JSONDocument {
    fileprivate func tag(at index: Int) -> Tag { Tag(word: tape[index]) }

    fileprivate func index(after index: Int) -> Int {
        switch tag(at: index) {
        case .openObject, .openArray: Int(UInt32(truncatingIfNeeded: tape[index]))
        case .signed, .unsigned, .double: index + 2
        default: index + 1
        }
    }

    fileprivate func string(at index: Int) -> ArraySlice<UInt8> {
        let start = Int(tape[index] & 0x00FF_FFFF_FFFF_FFFF)
        let count =
            Int(strings[start]) | Int(strings[start + 1]) << 8
            | Int(strings[start + 2]) << 16 | Int(strings[start + 3]) << 24
        return strings[start + 4..<start + 4 + count]
    }
}
