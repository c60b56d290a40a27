// The key that all others are derived from. It never leaves this type.

internal import Crypto
internal import FoundationEssentials

/// 256 bits and a number. Of several the one with the highest number seals; the others open.
package struct MasterKey: Sendable {
    package let number: UInt16
    private let key: SymmetricKey

    static let byteCount = 32

    /// A new one, from the system's random number generator.
    static func random(number: UInt16) -> MasterKey {
        MasterKey(number: number, key: SymmetricKey(size: .bits256))
    }

    private init(number: UInt16, key: SymmetricKey) {
        self.number = number
        self.key = key
    }

    /// Nil unless the text is exactly 32 bytes in base64 and the number is positive.
    init?(number: UInt16, base64 text: some StringProtocol) {
        guard number > 0, let bytes = Data(base64Encoded: String(text)),
            bytes.count == Self.byteCount
        else { return nil }
        self.init(number: number, key: SymmetricKey(data: bytes))
    }

    var base64: String { unsafe key.withUnsafeBytes { unsafe Data($0).base64EncodedString() } }

    /// The key of one account for one purpose (RFC 5869; salt the account, info the purpose).
    func derived(for place: SealedPlace) -> SymmetricKey {
        derived("seal", place.purpose.rawValue, of: place.profile)
    }

    /// HMAC-SHA256 with a key of its own, in lower hexadecimal.
    func hash(_ text: String, for purpose: HashPurpose, of profile: UUID) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array(text.utf8), using: derived("hash", purpose.rawValue, of: profile))
        return code.map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }

    private func derived(_ use: String, _ purpose: String, of profile: UUID) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, salt: profile.bytes,
            info: Array("carrel \(use) v1 \(purpose)".utf8), outputByteCount: Self.byteCount)
    }
}

extension MasterKey: CustomStringConvertible, CustomDebugStringConvertible {
    /// Never the key: descriptions end up in logs.
    package var description: String { "master key \(number)" }
    package var debugDescription: String { description }
}
