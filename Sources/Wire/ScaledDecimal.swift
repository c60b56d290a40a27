// Decimal numbers with a fixed count of decimals, as integers in units of the last one: money never
// passes through a binary fraction.

/// Text to scaled integer and back: with two decimals `1234.5` is 123450.
package enum ScaledDecimal {
    /// The number a text spells; nil when it spells none, or has more decimals.
    ///
    /// `-?digits(.digits)?`, at most 18 digits: no exponent, no separators, no leading plus.
    package static func value(_ text: some StringProtocol, decimals: Int) -> Int? {
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest = rest.dropFirst() }
        let parts = rest.split(
            separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty else { return nil }
        let fraction = parts.count > 1 ? parts[1] : []
        guard parts.count == 1 || (1...max(decimals, 1)).contains(fraction.count),
            fraction.count <= decimals, whole.count + decimals <= 18
        else { return nil }
        var value = 0
        for digit in whole + fraction {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
        for _ in fraction.count..<decimals { value *= 10 }
        return isNegative ? -value : value
    }

    /// The number with all its decimals: 123450 is `1234.50`.
    package static func text(_ value: Int, decimals: Int) -> String {
        let digits = String(value.magnitude)
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        let sign = value < 0 ? "-" : ""
        guard decimals > 0 else { return sign + padded }
        return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }
}
