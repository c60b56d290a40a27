// What is written as a string: texts, words of an enumeration, ids, dates, decimals, bytes.

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

extension Parameters {
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
