// Bytes of text to a string: UTF-8 if it is valid, UTF-16 if a byte order mark says so, and else
// Windows-1252, which is Latin-1 with the quotation marks people really typed (WHATWG Encoding §9.1
// reads Latin-1 that way too). Never fails on text; says when the bytes are not text at all.

import Documents

enum TextEncoding {
    static func decode(_ bytes: [UInt8]) throws(DocumentError) -> String {
        if bytes.starts(with: [0xff, 0xfe]) { return try utf16(bytes, lowFirst: true) }
        if bytes.starts(with: [0xfe, 0xff]) { return try utf16(bytes, lowFirst: false) }
        let body = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes[3...] : bytes[...]
        if let text = String(validating: body, as: UTF8.self) { return text }
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) {
            // Marked as UTF-8: keep what is valid rather than misread all of it.
            return String(decoding: body, as: UTF8.self)
        }
        return windows1252(body)
    }

    /// Whether this can be text: no NUL outside UTF-16, and hardly any control characters.
    static func isText(_ bytes: [UInt8]) -> Bool {
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) { return true }
        var controls = 0
        for byte in bytes {
            if byte == 0 { return false }
            if byte < 32 && !(9...13).contains(byte) && byte != 27 { controls += 1 }
        }
        return controls <= 1 + bytes.count / 100
    }

    private static func utf16(_ bytes: [UInt8], lowFirst: Bool) throws(DocumentError) -> String {
        guard bytes.count.isMultiple(of: 2) else {
            throw .damaged("half a character is missing at the end of its UTF-16 text")
        }
        let units = stride(from: 2, to: bytes.count, by: 2).map { index in
            lowFirst
                ? UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8
                : UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
        }
        // Lone surrogates become U+FFFD.
        return String(decoding: units, as: UTF16.self)
    }

    private static func windows1252(_ bytes: ArraySlice<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes {
            text.append(
                (0x80...0x9f).contains(byte) ? upperHalf[Int(byte) - 0x80] : Unicode.Scalar(byte))
        }
        return String(text)
    }

    /// 0x80 to 0x9F; the five holes stay the control characters they are in Latin-1.
    private static let upperHalf: [Unicode.Scalar] = [
        "\u{20ac}", "\u{81}", "\u{201a}", "\u{192}", "\u{201e}", "\u{2026}", "\u{2020}", "\u{2021}",
        "\u{2c6}", "\u{2030}", "\u{160}", "\u{2039}", "\u{152}", "\u{8d}", "\u{17d}", "\u{8f}",
        "\u{90}", "\u{2018}", "\u{2019}", "\u{201c}", "\u{201d}", "\u{2022}", "\u{2013}",
        "\u{2014}",
        "\u{2dc}", "\u{2122}", "\u{161}", "\u{203a}", "\u{153}", "\u{9d}", "\u{17e}", "\u{178}",
    ]
}
