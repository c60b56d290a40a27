// One-time passwords by time (RFC 6238): SHA-1, six digits, thirty seconds, which every
// authenticator app understands; many ignore any other choice without saying so.

internal import Crypto
internal import FoundationEssentials

/// A shared secret, and the codes that it makes.
package struct TOTP: Sendable, Equatable {
    let secret: [UInt8]

    package static let period: Int64 = 30
    static let digits = 6

    /// RFC 4226, section 4, R6 recommends 160 bits.
    static let secretLength = 20

    package init(secret: [UInt8]) { self.secret = secret }

    package static func random() -> TOTP {
        var generator = SystemRandomNumberGenerator()
        return TOTP(
            secret: (0..<secretLength).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
    }

    /// The step that a time, in seconds since 1970, lies in.
    package static func step(at seconds: Int64) -> Int64 { seconds / period }

    /// The code of a step (RFC 4226, section 5.3).
    package func code(step: Int64, digits: Int = TOTP.digits) -> String {
        let counter = (0..<8).map { UInt8(truncatingIfNeeded: step >> (56 - 8 * Int64($0))) }
        let mac = Array(
            HMAC<Insecure.SHA1>.authenticationCode(
                for: counter, using: SymmetricKey(data: secret)))
        let offset = Int(mac[19] & 0xF)
        let truncated = mac[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } & 0x7FFF_FFFF
        let modulus = (0..<digits).reduce(1) { product, _ in product * 10 }
        let text = String(truncated % modulus)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    /// The latest step around `now` whose code this is: the clock of a phone may be one off. Takes the same
    /// time whatever the code.
    package func step(of code: String, around now: Int64) -> Int64? {
        var found: Int64?
        for step in (now - 1)...(now + 1) where isSame(self.code(step: step), code) {
            found = step
        }
        return found
    }

    private func isSame(_ one: String, _ other: String) -> Bool {
        let (one, other) = (Array(one.utf8), Array(other.utf8))
        guard one.count == other.count else { return false }
        return zip(one, other).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// The secret as it is typed where no picture can be taken: base32 (RFC 4648) without padding.
    package var base32: String { Base32.encode(secret) }

    /// What authenticator apps read from a picture.
    package func uri(account handle: String, issuer: String = "Carrel") -> String {
        "otpauth://totp/\(issuer):\(handle)?secret=\(base32)&issuer=\(issuer)"
            + "&algorithm=SHA1&digits=\(Self.digits)&period=\(Self.period)"
    }
}

enum Base32 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var (text, buffer, bits): ([UInt8], UInt32, Int) = ([], 0, 0)
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(alphabet[Int(buffer >> UInt32(bits)) & 31])
            }
            buffer &= 0xFF
        }
        if bits > 0 { text.append(alphabet[Int(buffer << UInt32(5 - bits)) & 31]) }
        return String(decoding: text, as: UTF8.self)
    }
}
