// `numeric`: exact decimals of up to 131,072 digits before the point and 16,383 after.
//
// On the wire (numeric_recv in src/backend/utils/adt/numeric.c): the count of base-10000 digits, the
// weight of the first one, a sign word, the number of decimals shown, the digits.

/// A decimal number, kept as text.
///
/// `-12.50`, `1e-3`, `NaN`, `Infinity`. Its decimals are kept: 1.0 ≠ 1.00.
package struct Numeric: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    /// Takes text as it is; what is not a number is refused when it is sent.
    package init(_ text: String) { self.text = text }
    package init(_ value: some BinaryInteger) { text = String(value) }
    package init(_ value: Double) {
        text =
            value.isNaN
            ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : "\(value)"
    }

    package var description: String { text }
    package var doubleValue: Double { Double(text) ?? .nan }

    private enum Sign {
        static let positive: UInt16 = 0x0000
        static let negative: UInt16 = 0x4000
        static let nan: UInt16 = 0xC000
        static let infinity: UInt16 = 0xD000
        static let negativeInfinity: UInt16 = 0xF000
    }

    /// Base 10000, so four decimal digits a word.
    private static let digitsPerWord = 4
}

extension Numeric: PostgresEncodable {
    package func encode(as type: PostgresType, into buffer: inout WireBuffer)
        throws(EncodingFailure)
    {
        guard type == .scalar(.numeric) else { throw .mismatch("Numeric", type) }
        if let special = specialSign {
            for word in [0, 0, special, 0] as [UInt16] { buffer.append(word) }
            return
        }
        let decimal = try parse()
        // Padded with zeros on both sides so that the point falls between two words.
        let width = Numeric.digitsPerWord
        let integerCount = decimal.digits.count - decimal.scale
        let leading = (width - integerCount % width) % width
        var digits = [UInt8](repeating: 0, count: leading) + decimal.digits
        digits += [UInt8](repeating: 0, count: (width - digits.count % width) % width)
        var words = stride(from: 0, to: digits.count, by: width).map { start in
            digits[start..<start + width].reduce(into: UInt16(0)) { $0 = $0 * 10 + UInt16($1) }
        }
        var weight = (integerCount + leading) / width - 1
        while words.first == 0 {
            words.removeFirst()
            weight -= 1
        }
        while words.last == 0 { words.removeLast() }
        if words.isEmpty { weight = 0 }
        guard let weightWord = Int16(exactly: weight), words.count <= Int(Int16.max) else {
            throw EncodingFailure("the number is too large for numeric")
        }
        buffer.append(Int16(words.count))
        buffer.append(weightWord)
        buffer.append(decimal.isNegative && !words.isEmpty ? Sign.negative : Sign.positive)
        buffer.append(Int16(decimal.scale))
        for word in words { buffer.append(word) }
    }

    private var specialSign: UInt16? {
        switch text.lowercased() {
        case "nan": Sign.nan
        case "infinity", "+infinity", "inf", "+inf": Sign.infinity
        case "-infinity", "-inf": Sign.negativeInfinity
        default: nil
        }
    }

    /// Sign, digits, and how many of them stand after the point (never negative).
    private func parse() throws(EncodingFailure) -> (isNegative: Bool, digits: [UInt8], scale: Int)
    {
        func refuse() -> EncodingFailure { EncodingFailure("“\(text.prefix(64))” is not a number") }
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }

        var exponent = 0
        if let mark = rest.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            guard let value = Int(rest[rest.index(after: mark)...]), abs(value) <= 200_000 else {
                throw refuse()
            }
            exponent = value
            rest = rest[..<mark]
        }
        let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        var digits: [UInt8] = []
        for part in parts {
            for byte in part.utf8 {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { throw refuse() }
                digits.append(byte - UInt8(ascii: "0"))
            }
        }
        if digits.isEmpty { throw refuse() }
        var scale = (parts.count == 2 ? parts[1].utf8.count : 0) - exponent
        if scale < 0 {
            digits += [UInt8](repeating: 0, count: -scale)
            scale = 0
        }
        guard scale <= 16_383 else { throw EncodingFailure("more than 16383 decimals") }
        if digits.count < scale {
            digits = [UInt8](repeating: 0, count: scale - digits.count) + digits
        }
        return (isNegative, digits, scale)
    }
}

extension Numeric: PostgresDecodable {
    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> Numeric
    {
        guard type == .scalar(.numeric) else { throw .mismatch("Numeric", type) }
        let count = Int(try bytes.bigEndian(at: 0) as Int16)
        let weight = Int(try bytes.bigEndian(at: 2) as Int16)
        let sign: UInt16 = try bytes.bigEndian(at: 4)
        let scale = Int(try bytes.bigEndian(at: 6) as Int16)
        switch sign {
        case Sign.nan: return Numeric("NaN")
        case Sign.infinity: return Numeric("Infinity")
        case Sign.negativeInfinity: return Numeric("-Infinity")
        default: break
        }
        /// Word `position` counted from the point: 0 is the units' word, -1 the first decimals'.
        func word(_ position: Int) throws(DecodingFailure) -> String {
            let index = weight - position
            guard index >= 0, index < count else { return "0000" }
            let digits = String(try bytes.bigEndian(at: 8 + 2 * index) as Int16)
            return String(repeating: "0", count: max(0, digitsPerWord - digits.count)) + digits
        }
        var integer = ""
        for position in stride(from: max(weight, 0), through: 0, by: -1) {
            integer += try word(position)
        }
        var decimals = ""
        var position = -1
        while decimals.count < scale {
            decimals += try word(position)
            position -= 1
        }
        let trimmed = integer.drop { $0 == "0" }
        let text =
            (trimmed.isEmpty ? "0" : String(trimmed))
            + (scale > 0 ? ".\(decimals.prefix(scale))" : "")
        return Numeric(sign == Sign.negative ? "-\(text)" : text)
    }
}
