// Vectors on the wire: JSON numbers, or base64 of little-endian floats of 32 or 16 bits.

/// How the floats behind `vectorB64` are written.
package enum VectorType: String, CaseIterable, Sendable {
    case f32, f16
}

extension Parameters {
    /// The vector of an object: `vector`, or `vectorB64` with `dtype`; `nil` when it has neither.
    ///
    /// - Returns: `dimension` finite floats, not all zero, not normalised.
    /// - Throws: `invalid_vector` naming the element that is wrong; `invalid_params` when both
    ///   forms are given or `dtype` is unknown.
    package mutating func optionalVector(dimension: Int = 768) throws(WireError) -> [Float]? {
        try optionalVector(dimensions: dimension...dimension)
    }

    /// The same, as wide as may be.
    package mutating func optionalVector(
        dimensions: ClosedRange<Int>
    ) throws(WireError) -> [Float]? {
        let numbers = value("vector")
        let encoded = value("vectorB64")
        let type = try optionalChoice("dtype", of: VectorType.self)
        if numbers != nil, encoded != nil {
            throw .invalid(field("vectorB64"), expected: "`vector` or this, not both", got: "both")
        }
        if let numbers {
            return try Vector.read(numbers, field: field("vector"), dimensions)
        }
        if let encoded {
            return try Vector.decode(
                encoded, type ?? .f32, field: field("vectorB64"), dimensions)
        }
        return nil
    }
}

/// Floats to text and back.
package enum Vector {
    /// Floats as base64 of little-endian binary32.
    package static func encode(_ floats: [Float]) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(floats.count * 4)
        for float in floats {
            let bits = float.bitPattern
            for shift in [UInt32(0), 8, 16, 24] {
                bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
            }
        }
        return Base64.encode(bytes)
    }

    static func read(
        _ value: JSONValue, field: @autoclosure () -> String, _ dimensions: ClosedRange<Int>
    ) throws(WireError) -> [Float] {
        guard let array = value.array else {
            throw invalid(
                field(), expected: "\(text(dimensions)) numbers", got: value.kind.rawValue)
        }
        switch array.floats(limit: dimensions.upperBound) {
        case .floats(let floats): return try checked(floats, field: field(), dimensions)
        case .tooMany(let count):
            throw invalid(field(), expected: "\(text(dimensions)) numbers", got: "\(count)")
        case .notANumber(let element):
            throw invalid("\(field())[\(element)]", expected: "a number", got: "something else")
        }
    }

    static func decode(
        _ value: JSONValue, _ type: VectorType, field: @autoclosure () -> String,
        _ dimensions: ClosedRange<Int>
    ) throws(WireError) -> [Float] {
        let width = type == .f32 ? 4 : 2
        let sizes = dimensions.lowerBound * width...dimensions.upperBound * width
        guard let encoded = value.utf8, encoded.count <= (sizes.upperBound + 2) / 3 * 4 + 1024,
            let bytes = Base64.decode(encoded)
        else {
            throw invalid(
                field(), expected: "base64 of \(text(sizes)) bytes",
                got: value.kind == .string ? "another string" : value.kind.rawValue)
        }
        guard sizes.contains(bytes.count), bytes.count.isMultiple(of: width) else {
            throw invalid(
                field(), expected: "\(text(sizes)) bytes (\(text(dimensions)) × \(type.rawValue))",
                got: "\(bytes.count)")
        }
        let floats = (0..<bytes.count / width).map { index -> Float in
            let at = index * width
            let low = UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8
            guard type == .f32 else { return Float(Float16(bitPattern: low)) }
            let high = UInt16(bytes[at + 2]) | UInt16(bytes[at + 3]) << 8
            return Float(bitPattern: UInt32(low) | UInt32(high) << 16)
        }
        return try checked(floats, field: field(), dimensions)
    }

    private static func checked(
        _ floats: [Float], field: @autoclosure () -> String, _ dimensions: ClosedRange<Int>
    ) throws(WireError) -> [Float] {
        guard dimensions.contains(floats.count) else {
            throw invalid(
                field(), expected: "\(text(dimensions)) numbers", got: "\(floats.count)")
        }
        if let element = floats.firstIndex(where: { !$0.isFinite }) {
            throw invalid(
                "\(field())[\(element)]", expected: "a finite 32-bit float",
                got: "\(floats[element])")
        }
        guard floats.contains(where: { $0 != 0 }) else {
            throw invalid(field(), expected: "a direction", got: "the zero vector")
        }
        return floats
    }

    private static func text(_ count: ClosedRange<Int>) -> String {
        count.count == 1 ? "\(count.lowerBound)" : "\(count.lowerBound) to \(count.upperBound)"
    }

    private static func invalid(_ field: String, expected: String, got: String) -> WireError {
        var error = WireError.invalid(field, expected: expected, got: got)
        error.kind = .invalidVector
        return error
    }
}
