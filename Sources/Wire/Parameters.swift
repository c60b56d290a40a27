// Typed reading of `params`. Each reader checks one field and names it when it is wrong, so a
// method's parameters read as a list, and no method invents its own message.

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// The members of an object, read one by one; what nobody read is unknown.
///
/// `null` stands for absent. Strings hold no NUL: PostgreSQL cannot store it, and libpq would
/// cut there in silence.
package struct Parameters: Sendable {
    private let object: JSONObject?
    private let path: String
    private let isStrict: Bool
    /// What the method says it takes; nil when nobody said.
    private let declared: [Parameter]?
    /// One bit per member that was asked for; members past the 64th are never known.
    private var read: UInt64 = 0

    /// The members of `params`, all of them absent when it is.
    ///
    /// - Parameters:
    ///   - object: what `params` holds, `nil` when the request has none.
    ///   - isStrict: whether ``finish()`` refuses members that were not read.
    ///   - declared: what may be read; `nil` for anything.
    package init(
        _ object: JSONObject?, isStrict: Bool = false, declared: [Parameter]? = nil
    ) {
        self.init(object, path: "", isStrict: isStrict, declared: declared)
    }

    private init(_ object: JSONObject?, path: String, isStrict: Bool, declared: [Parameter]?) {
        self.object = object
        self.path = path
        self.isStrict = isStrict
        self.declared = declared
    }

    /// Refuses members that no reader asked for, if the client is strict.
    ///
    /// Where it is known what was declared, it also refuses, as our own mistake, members that were read
    /// without being declared: the description of the protocol would not know them.
    package func finish() throws(WireError) {
        guard let object else { return }
        if let declared { try check(object, declared) }
        guard isStrict else { return }
        for (position, member) in object.enumerated()
        where position >= 64 || read & (1 << UInt64(position)) == 0 {
            let field = path + member.key
            throw WireError(
                .invalidParams, "`\(field)` is not a field of this request.", field: field)
        }
    }

    private func check(_ object: JSONObject, _ declared: [Parameter]) throws(WireError) {
        for (position, member) in object.enumerated().prefix(64)
        where read & (1 << UInt64(position)) != 0 {
            guard !declared.contains(where: { $0.name == member.key }) else { continue }
            throw WireError(
                .internal, "`\(path)\(member.key)` is read but not declared.",
                field: path + member.key)
        }
    }

    /// The path of a member, as error messages name it.
    package func field(_ name: StaticString) -> String { "\(path)\(name)" }

    // MARK: Strings

    /// A string that may be absent, of at most so many bytes.
    package mutating func optionalString(
        _ name: StaticString, maximumBytes: Int = 1024
    ) throws(WireError) -> String? {
        guard let value = value(name) else { return nil }
        return try Parameters.string(value, field: field(name), maximumBytes: maximumBytes)
    }

    /// A string that must be there.
    package mutating func string(
        _ name: StaticString, maximumBytes: Int = 1024, allowsEmpty: Bool = false
    ) throws(WireError) -> String {
        let string = try required(
            name, try optionalString(name, maximumBytes: maximumBytes))
        if string.isEmpty && !allowsEmpty {
            throw .invalid(field(name), expected: "a string that is not empty", got: "\"\"")
        }
        return string
    }

    /// Strings, absent or a list of at most so many.
    package mutating func optionalStrings(
        _ name: StaticString, maximumCount: Int = 256
    ) throws(WireError) -> [String]? {
        try elements(name, maximumCount: maximumCount) { (value, field) throws(WireError) in
            try Parameters.string(value, field: field, maximumBytes: 1024)
        }
    }

    /// One of the words of an enumeration.
    package mutating func optionalChoice<Choice: RawRepresentable & CaseIterable>(
        _ name: StaticString, of type: Choice.Type = Choice.self
    ) throws(WireError) -> Choice? where Choice.RawValue == String {
        guard let value = value(name) else { return nil }
        return try Parameters.choice(value, field: field(name))
    }

    /// One of the words of an enumeration that must be there.
    package mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: StaticString, of type: Choice.Type = Choice.self
    ) throws(WireError) -> Choice where Choice.RawValue == String {
        try required(name, try optionalChoice(name, of: type))
    }

    /// A list of words of an enumeration.
    package mutating func optionalChoices<Choice: RawRepresentable & CaseIterable>(
        _ name: StaticString, of type: Choice.Type = Choice.self
    ) throws(WireError) -> [Choice]? where Choice.RawValue == String {
        try elements(name, maximumCount: 64) { (value, field) throws(WireError) in
            try Parameters.choice(value, field: field)
        }
    }

    /// A UUID that may be absent.
    package mutating func optionalID(_ name: StaticString) throws(WireError) -> UUID? {
        guard let value = value(name) else { return nil }
        return try Parameters.id(value, field: field(name))
    }

    /// A UUID that must be there.
    package mutating func id(_ name: StaticString) throws(WireError) -> UUID {
        try required(name, try optionalID(name))
    }

    /// UUIDs, absent or a list of at most so many.
    package mutating func optionalIDs(
        _ name: StaticString, maximumCount: Int = 1024
    ) throws(WireError) -> [UUID]? {
        try elements(name, maximumCount: maximumCount) { (value, field) throws(WireError) in
            try Parameters.id(value, field: field)
        }
    }

    /// A date that may be absent: ISO 8601 in UTC.
    package mutating func optionalDate(_ name: StaticString) throws(WireError) -> Date? {
        guard let value = value(name) else { return nil }
        guard let date = value.string.flatMap({ WireDate.date($0) }) else {
            throw .invalid(
                field(name), expected: "a date such as 2026-11-01T09:30:00Z",
                got: value.kind == .string ? "another string" : value.kind.rawValue)
        }
        return date
    }

    /// A decimal number in a string, in units of the last of its decimals, that must be there.
    ///
    /// A string, because JSON's numbers pass through binary fractions in most readers.
    package mutating func decimal(
        _ name: StaticString, in range: ClosedRange<Int>, decimals: Int = 2
    ) throws(WireError) -> Int {
        let value = try required(name, value(name))
        let text = value.string
        if let number = text.flatMap({ ScaledDecimal.value($0, decimals: decimals) }),
            range.contains(number)
        {
            return number
        }
        let (lower, upper) = (
            ScaledDecimal.text(range.lowerBound, decimals: decimals),
            ScaledDecimal.text(range.upperBound, decimals: decimals)
        )
        throw .invalid(
            field(name),
            expected: "a string with a decimal number from \(lower) to \(upper)",
            got: text.map { $0.utf8.count <= 32 ? "\"\($0)\"" : "a longer string" }
                ?? value.kind.rawValue)
    }

    /// Bytes in base64 that must be there, at most so many after decoding.
    package mutating func base64(
        _ name: StaticString, maximumBytes: Int
    ) throws(WireError) -> [UInt8] {
        let value = try required(name, value(name))
        guard let text = value.utf8 else {
            throw .invalid(field(name), expected: "base64", got: value.kind.rawValue)
        }
        guard text.count <= (maximumBytes + 2) / 3 * 4 else {
            throw tooMany(field(name), "at most \(maximumBytes) bytes", limit: maximumBytes)
        }
        guard let bytes = Base64.decode(text) else {
            throw .invalid(field(name), expected: "base64", got: "another string")
        }
        guard bytes.count <= maximumBytes else {
            throw tooMany(field(name), "at most \(maximumBytes) bytes", limit: maximumBytes)
        }
        return bytes
    }

    // MARK: Numbers and flags

    /// An integer within a range that may be absent.
    package mutating func optionalInteger(
        _ name: StaticString, in range: ClosedRange<Int>
    ) throws(WireError) -> Int? {
        guard let value = value(name) else { return nil }
        return try Parameters.integer(value, field: field(name), in: range)
    }

    /// An integer within a range that must be there.
    package mutating func integer(
        _ name: StaticString, in range: ClosedRange<Int>
    ) throws(WireError) -> Int {
        try required(name, try optionalInteger(name, in: range))
    }

    /// A number within a range that may be absent.
    package mutating func optionalNumber(
        _ name: StaticString, in range: ClosedRange<Double>
    ) throws(WireError) -> Double? {
        guard let value = value(name) else { return nil }
        let expected = "a number from \(range.lowerBound) to \(range.upperBound)"
        guard let number = value.double else {
            throw .invalid(field(name), expected: expected, got: value.kind.rawValue)
        }
        guard range.contains(number) else {
            throw .invalid(field(name), expected: expected, got: "\(number)")
        }
        return number
    }

    /// A flag that may be absent.
    package mutating func optionalFlag(_ name: StaticString) throws(WireError) -> Bool? {
        guard let value = value(name) else { return nil }
        guard let flag = value.bool else {
            throw .invalid(field(name), expected: "true or false", got: value.kind.rawValue)
        }
        return flag
    }

    /// `[from, to]`, both included, that may be absent.
    package mutating func optionalRange(
        _ name: StaticString, in bounds: ClosedRange<Int>
    ) throws(WireError) -> ClosedRange<Int>? {
        let ends = try elements(name, maximumCount: 2) { (value, field) throws(WireError) in
            try Parameters.integer(value, field: field, in: bounds)
        }
        guard let ends else { return nil }
        guard ends.count == 2, ends[0] <= ends[1] else {
            throw .invalid(
                field(name), expected: "two integers, the smaller first",
                got: ends.count == 2 ? "[\(ends[0]),\(ends[1])]" : "\(ends.count) elements")
        }
        return ends[0]...ends[1]
    }

    // MARK: Objects

    /// An object that may be absent, to be read and finished in turn.
    package mutating func optionalObject(_ name: StaticString) throws(WireError) -> Parameters? {
        guard let value = value(name) else { return nil }
        return try Parameters.nested(
            value, field: field(name), isStrict: isStrict, declared: members(of: name))
    }

    /// An object that must be there.
    package mutating func object(_ name: StaticString) throws(WireError) -> Parameters {
        try required(name, try optionalObject(name))
    }

    /// A list of objects that must be there and is not empty.
    package mutating func objects(
        _ name: StaticString, maximumCount: Int
    ) throws(WireError) -> [Parameters] {
        let present = try required(name, optionalObjects(name, maximumCount: maximumCount))
        if present.isEmpty {
            throw .invalid(field(name), expected: "at least one element", got: "none")
        }
        return present
    }

    /// Objects, absent or a list of at most so many.
    package mutating func optionalObjects(
        _ name: StaticString, maximumCount: Int
    ) throws(WireError) -> [Parameters]? {
        let (isStrict, declared) = (isStrict, members(of: name))
        return try elements(name, maximumCount: maximumCount) { (value, field) throws(WireError) in
            try Parameters.nested(value, field: field, isStrict: isStrict, declared: declared)
        }
    }

    // MARK: One value

    /// A member, marked as read; `nil` when it is absent or null.
    package mutating func value(_ name: StaticString) -> JSONValue? {
        guard let (value, position) = object?.member(name) else { return nil }
        if position < 64 { read |= 1 << UInt64(position) }
        return value.isNull ? nil : value
    }

    private func required<Value>(
        _ name: StaticString, _ value: Value?
    ) throws(WireError) -> Value {
        guard let value else { throw .missing(field(name)) }
        return value
    }

    /// What a member that holds objects is declared to hold.
    private func members(of name: StaticString) -> [Parameter]? {
        let name = "\(name)"
        return declared?.first { $0.name == name }?.shape.members
    }

    private static func nested(
        _ value: JSONValue, field: String, isStrict: Bool, declared: [Parameter]?
    ) throws(WireError) -> Parameters {
        guard let object = value.object else {
            throw .invalid(field, expected: "an object", got: value.kind.rawValue)
        }
        return Parameters(object, path: field + ".", isStrict: isStrict, declared: declared)
    }

    private mutating func elements<Element>(
        _ name: StaticString, maximumCount: Int,
        _ read: (JSONValue, _ field: String) throws(WireError) -> Element
    ) throws(WireError) -> [Element]? {
        guard let value = value(name) else { return nil }
        guard let array = value.array else {
            throw .invalid(field(name), expected: "an array", got: value.kind.rawValue)
        }
        var elements: [Element] = []
        for value in array {
            guard elements.count < maximumCount else {
                throw tooMany(
                    field(name), "at most \(maximumCount) elements", limit: maximumCount)
            }
            elements.append(try read(value, "\(field(name))[\(elements.count)]"))
        }
        return elements
    }

    private func tooMany(_ field: String, _ expected: String, limit: Int) -> WireError {
        var error = WireError.invalid(field, expected: expected, got: "more")
        error.limit = limit
        return error
    }

    private static func string(
        _ value: JSONValue, field: @autoclosure () -> String, maximumBytes: Int
    ) throws(WireError) -> String {
        guard let utf8 = value.utf8 else {
            throw .invalid(field(), expected: "a string", got: value.kind.rawValue)
        }
        guard utf8.count <= maximumBytes else {
            var error = WireError.invalid(
                field(), expected: "at most \(maximumBytes) bytes", got: "\(utf8.count)")
            error.limit = maximumBytes
            throw error
        }
        guard !utf8.contains(0) else {
            throw .invalid(field(), expected: "a string without NUL", got: "one with NUL")
        }
        return String(decoding: utf8, as: UTF8.self)
    }

    private static func integer(
        _ value: JSONValue, field: @autoclosure () -> String, in range: ClosedRange<Int>
    ) throws(WireError) -> Int {
        if let integer = value.int, range.contains(integer) { return integer }
        throw .invalid(
            field(), expected: "an integer from \(range.lowerBound) to \(range.upperBound)",
            got: value.int.map(String.init) ?? value.kind.rawValue)
    }

    private static func id(
        _ value: JSONValue, field: @autoclosure () -> String
    ) throws(WireError) -> UUID {
        guard let id = value.string.flatMap(UUID.init(uuidString:)) else {
            throw .invalid(
                field(), expected: "a UUID",
                got: value.kind == .string ? "another string" : value.kind.rawValue)
        }
        return id
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ value: JSONValue, field: @autoclosure () -> String
    ) throws(WireError) -> Choice where Choice.RawValue == String {
        guard let choice = value.string.flatMap(Choice.init(rawValue:)) else {
            throw .invalid(
                field(),
                expected: Choice.allCases.map(\.rawValue).joined(separator: " or "),
                got: value.kind == .string ? "another string" : value.kind.rawValue)
        }
        return choice
    }
}
