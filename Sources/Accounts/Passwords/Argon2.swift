// Argon2id (RFC 9106) by the reference implementation. The one file that calls it.

internal import CArgon2
internal import FoundationEssentials

/// A password's hash as it is stored: `$argon2id$v=19$m=65536,t=3,p=1$salt$hash`.
package enum Argon2 {
    /// What one hash costs.
    package struct Cost: Sendable, Equatable {
        package let kibibytes: Int
        package let passes: Int
        package let lanes: Int

        package init(kibibytes: Int, passes: Int, lanes: Int = 1) {
            self.kibibytes = kibibytes
            self.passes = passes
            self.lanes = lanes
        }

        /// The second recommended choice of RFC 9106 (64 MiB, three passes), with one lane: a hash takes
        /// one core, and the other stays with the searches.
        package static let standard = Cost(kibibytes: 64 << 10, passes: 3)

        fileprivate var prefix: String { "$argon2id$v=19$m=\(kibibytes),t=\(passes),p=\(lanes)$" }
    }

    private static let saltLength = 16
    private static let hashLength = 32
    /// More than the longest has: 128 at the standard price.
    private static let encodedLength = 256

    /// The hash of a password under a new salt. Takes about a tenth of a second and its memory.
    ///
    /// Nil when there was no memory for it.
    static func hash(_ password: [UInt8], _ cost: Cost) -> String? {
        var salt = [UInt8](repeating: 0, count: saltLength)
        var generator = SystemRandomNumberGenerator()
        for index in salt.indices { salt[index] = UInt8(truncatingIfNeeded: generator.next()) }
        var encoded = [CChar](repeating: 0, count: encodedLength)
        let status = unsafe password.withUnsafeBytes { password in
            unsafe argon2id_hash_encoded(
                UInt32(cost.passes), UInt32(cost.kibibytes), UInt32(cost.lanes),
                password.baseAddress, password.count, salt, saltLength, hashLength,
                &encoded, encodedLength)
        }
        guard status == ARGON2_OK.rawValue else { return nil }
        return String(
            decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether a password is the one that was hashed; nil when that could not be found out. Takes as
    /// long as the hash took, right or wrong.
    static func verify(_ password: [UInt8], against encoded: String) -> Bool? {
        let status = unsafe password.withUnsafeBytes { password in
            unsafe argon2id_verify(encoded, password.baseAddress, password.count)
        }
        switch status {
        case ARGON2_OK.rawValue: return true
        case ARGON2_VERIFY_MISMATCH.rawValue: return false
        default: return nil
        }
    }

    /// Whether a hash was made at this cost; another is replaced when its password is next seen.
    static func isCurrent(_ encoded: String, _ cost: Cost) -> Bool {
        encoded.hasPrefix(cost.prefix)
    }

    /// A hash of no known password: to spend on a name that nobody has what a real one costs.
    static func decoy(_ cost: Cost) -> String {
        cost.prefix + "Y2FycmVsLWRlY295LXNhbA$"
            + "bm9ib2R5IGtub3dzIGEgcGFzc3dvcmQgb2YgdGhpcyE"
    }
}
