// What proves who asks: API keys and tokens. A prefix that says which, and 256 random bits, 46
// characters in all.
//
// The prefix lets people and scanners of leaked secrets recognise it. 256 bits cannot be guessed,
// so a fast hash is enough: the slow ones exist for passwords, which can.

internal import Crypto
internal import FoundationEssentials

/// A secret as it is shown once, to the one who asked for it.
package struct Secret: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case key = "ck_"
        case accessToken = "ca_"
        case refreshToken = "cr_"
    }

    package let text: String
    private let kind: Kind

    /// Three for the prefix, and 32 bytes in base64url without padding.
    private static let length = 3 + 43

    /// A new one, from the system's random number generator.
    package static func random(_ kind: Kind = .key) -> Secret {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<4).flatMap { _ in
            let word = generator.next()
            return (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
        }
        let digits = Data(bytes).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        return Secret(unchecked: kind.rawValue + digits, kind)
    }

    /// What somebody presents; nil when it cannot be one of this kind, whoever made it.
    package init?(_ text: String, _ kind: Kind = .key) {
        guard text.utf8.count == Self.length, text.hasPrefix(kind.rawValue) else { return nil }
        self.init(unchecked: text, kind)
    }

    private init(unchecked text: String, _ kind: Kind) {
        self.text = text
        self.kind = kind
    }

    /// SHA-256, 32 bytes: what is stored, and what is looked for.
    ///
    /// An index on hashes tells an attacker who measures time nothing: to come nearer to a stored
    /// hash, character by character, one would have to invert SHA-256.
    package var hash: [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible {
    /// Never the secret: descriptions end up in logs.
    package var description: String { kind.rawValue + "…" }
    package var debugDescription: String { description }
}
