// Random values from a seed that a failing test prints.

import FoundationEssentials
import Postgres

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    mutating func uuid() -> UUID {
        let b = bytes(16)
        return UUID(
            uuid: (
                b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7],
                b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]
            ))
    }

    /// Any characters but NUL: quotes, backslashes, controls, other scripts, emoji.
    mutating func text(upTo length: Int) -> String {
        let alphabet: [Character] = [
            "a", "Z", "0", " ", "\"", "'", "\\", "{", "}", ",", "\n", "\t", "\u{1}", "é", "ß", "中",
            "ע", "🙂", "👩‍👩‍👧", "e\u{301}", "\r\n", "%", "$",
        ]
        let count = Int.random(in: 0...length, using: &self)
        return String((0..<count).map { _ in alphabet.randomElement(using: &self)! })
    }

    mutating func date() -> Date {
        // Whole microseconds within a century of 2001, where `Date` tells them apart.
        let microseconds = Int64.random(
            in: -3_155_760_000_000_000...3_155_760_000_000_000, using: &self)
        return Date(timeIntervalSinceReferenceDate: Double(microseconds) / 1e6)
    }

    mutating func numeric() -> Numeric {
        func digits(_ count: Int) -> String {
            String((0..<count).map { _ in "0123456789".randomElement(using: &self)! })
        }
        let integer = String(digits(Int.random(in: 0...30, using: &self)).drop { $0 == "0" })
        let decimals = digits(Int.random(in: 0...30, using: &self))
        let text = (integer.isEmpty ? "0" : integer) + (decimals.isEmpty ? "" : ".\(decimals)")
        let isZero = text.allSatisfy { $0 == "0" || $0 == "." }
        return Numeric(Bool.random(using: &self) && !isZero ? "-\(text)" : text)
    }

    mutating func inet() -> INET {
        let isV6 = Bool.random(using: &self)
        let address: String
        if isV6 {
            address = (0..<8).map { _ in
                String(UInt16.random(in: 0...0xFFFF, using: &self), radix: 16)
            }
            .joined(separator: ":")
        } else {
            address = bytes(4).map(String.init).joined(separator: ".")
        }
        return INET("\(address)/\(Int.random(in: 0...(isV6 ? 128 : 32), using: &self))")!
    }

    mutating func vector(_ dimension: Int) -> PostgresVector {
        PostgresVector((0..<dimension).map { _ in Float.random(in: -1...1, using: &self) })
    }
}
