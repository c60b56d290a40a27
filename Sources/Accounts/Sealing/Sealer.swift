// What is stored so that the database alone does not give it away: TOTP secrets, credentials of
// clouds, account numbers.
//
//     version (1) ‖ key number (2, big-endian) ‖ nonce (12) ‖ ciphertext ‖ tag (16)
//
// AES-256-GCM under a key that HKDF-SHA256 derives for one account and one purpose. The header, the
// purpose and the row are associated data, so a ciphertext put into another row, another column or
// another account does not open. Nonces are random: with a key per account and purpose the 2³²
// seals after which a collision becomes thinkable (NIST SP 800-38D, 8.3) are out of reach.

internal import Crypto
package import FoundationEssentials

/// Seals and opens. Costs some microseconds; touches the disk only to look for a new key.
package struct Sealer: Sendable {
    private let ring: KeyRing

    package init(_ ring: KeyRing) { self.ring = ring }

    /// Seals bytes for one place, under the newest key. Two seals of the same bytes differ.
    package func seal(_ plain: [UInt8], at place: SealedPlace) throws(SealingError) -> [UInt8] {
        let key = ring.newest
        let header = Self.header(key.number)
        do {
            let box = try AES.GCM.seal(
                plain, using: key.derived(for: place),
                authenticating: header + place.associatedData)
            return header + Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
        } catch {
            throw .notSealed
        }
    }

    /// What `seal` was given.
    ///
    /// - Throws: `unknownKey` when its key is not in the ring; `notOpened` when a bit was changed or
    ///   it was sealed for another place.
    package func open(_ sealed: [UInt8], at place: SealedPlace) throws(SealingError) -> [UInt8] {
        let number = try Self.keyNumber(of: sealed)
        guard let key = ring.key(number) else { throw .unknownKey(number) }
        do {
            let box = try AES.GCM.SealedBox(combined: sealed[Self.headerLength...])
            return Array(
                try AES.GCM.open(
                    box, using: key.derived(for: place),
                    authenticating: sealed[..<Self.headerLength] + place.associatedData))
        } catch {
            throw .notOpened
        }
    }

    /// The same bytes under the newest key; nil when they are sealed with it already.
    package func reseal(
        _ sealed: [UInt8], at place: SealedPlace
    ) throws(SealingError) -> [UInt8]? {
        guard try Self.keyNumber(of: sealed) != ring.newest.number else { return nil }
        return try seal(try open(sealed, at: place), at: place)
    }

    /// What every value under the newest key begins with, for a statement that looks for the others.
    package var newestHeader: [UInt8] { Self.header(ring.newest.number) }

    /// A hash that only the holder of the keys can compute, 64 lower hexadecimal digits: for numbers so
    /// few that a plain hash could be tried out, as social security numbers are.
    ///
    /// It differs from account to account, so it tells nobody that two of them know one person.
    package func keyedHash(_ text: String, for purpose: HashPurpose, of profile: UUID) -> String {
        ring.newest.hash(text, for: purpose, of: profile)
    }

    /// What `keyedHash` gives and gave, one for each key in the ring: look for all of them. A hash
    /// cannot be made anew without its number, so a key that hashes were made with is kept.
    package func keyedHashes(_ text: String, for purpose: HashPurpose, of profile: UUID) -> [String]
    {
        ring.all.map { $0.hash(text, for: purpose, of: profile) }
    }
}

extension Sealer {
    private static let version: UInt8 = 1
    private static let headerLength = 3

    private static func header(_ number: UInt16) -> [UInt8] {
        [version, UInt8(number >> 8), UInt8(number & 0xFF)]
    }

    private static func keyNumber(of sealed: [UInt8]) throws(SealingError) -> UInt16 {
        guard sealed.count >= headerLength, sealed[0] == version else { throw .notOpened }
        return UInt16(sealed[1]) << 8 | UInt16(sealed[2])
    }
}

/// Why a value could not be sealed or opened. None of it is the client's fault.
package enum SealingError: Error, Sendable, Equatable {
    case notSealed
    case notOpened
    case unknownKey(UInt16)
}

extension SealingError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notSealed: "a value could not be sealed"
        case .notOpened: "a sealed value does not open: it was changed, or belongs elsewhere"
        case .unknownKey(let number):
            "a value is sealed with master key \(number), which this server does not have"
        }
    }
}
