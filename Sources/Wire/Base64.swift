// Base64 (RFC 4648 §4) between arrays of bytes, without Foundation's `Data` in between.

/// Bytes to text and back; padding is required, nothing but the alphabet is accepted.
package enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Six bits per character; 0xFF where there is no such character.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    /// The text of some bytes.
    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        let alphabet = alphabet
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            let group =
                UInt32(bytes[start]) << 16
                | (count > 1 ? UInt32(bytes[start + 1]) << 8 : 0)
                | (count > 2 ? UInt32(bytes[start + 2]) : 0)
            text.append(alphabet[Int(group >> 18 & 63)])
            text.append(alphabet[Int(group >> 12 & 63)])
            text.append(count > 1 ? alphabet[Int(group >> 6 & 63)] : 0x3D)
            text.append(count > 2 ? alphabet[Int(group & 63)] : 0x3D)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of a text, `nil` when it is not base64 in its one canonical form.
    package static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == 0x3D }.count
        let digits = text.dropLast(padding)
        let whole = digits.count / 4
        var bytes = [UInt8](repeating: 0, count: whole * 3)
        let values = values
        // Four digits at a time, which is all but the last few: values are below 64, so one look
        // at the top bit of the four together finds a character that is none.
        var (at, to) = (digits.startIndex, 0)
        for _ in 0..<whole {
            let a = UInt32(values[Int(digits[at])])
            let b = UInt32(values[Int(digits[at + 1])])
            let c = UInt32(values[Int(digits[at + 2])])
            let d = UInt32(values[Int(digits[at + 3])])
            guard (a | b | c | d) & 0x80 == 0 else { return nil }
            let group = a << 18 | b << 12 | c << 6 | d
            bytes[to] = UInt8(truncatingIfNeeded: group >> 16)
            bytes[to + 1] = UInt8(truncatingIfNeeded: group >> 8)
            bytes[to + 2] = UInt8(truncatingIfNeeded: group)
            (at, to) = (at + 4, to + 3)
        }
        var (group, filled) = (UInt32(0), 0)
        for digit in digits[at...] {
            let value = values[Int(digit)]
            guard value != 0xFF else { return nil }
            (group, filled) = (group << 6 | UInt32(value), filled + 1)
        }
        // The bits that padding leaves over must be zero, or two texts would mean the same.
        switch filled {
        case 2:
            guard group & 0xF == 0 else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: group >> 4))
        case 3:
            guard group & 0x3 == 0 else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: group >> 10))
            bytes.append(UInt8(truncatingIfNeeded: group >> 2))
        default: break
        }
        return bytes
    }
}
