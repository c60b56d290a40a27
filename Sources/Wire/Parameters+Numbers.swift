// Numbers, flags and ranges.

extension Parameters {
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

    private static func integer(
        _ value: JSONValue, field: @autoclosure () -> String, in range: ClosedRange<Int>
    ) throws(WireError) -> Int {
        if let integer = value.int, range.contains(integer) { return integer }
        throw .invalid(
            field(), expected: "an integer from \(range.lowerBound) to \(range.upperBound)",
            got: value.int.map(String.init) ?? value.kind.rawValue)
    }
}
