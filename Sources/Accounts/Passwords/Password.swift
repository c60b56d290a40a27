// What may be a password.

internal import Foundation

/// A password on its way to be hashed.
///
/// Any characters, 8 to 1,024 bytes as sent, all of which count. It is hashed in Unicode's form NFKC
/// (NIST SP 800-63B, 5.1.1.2), so that a keyboard that writes ü in two parts opens what one that
/// writes it in one has closed.
package struct Password: Sendable {
    package static let lengths = 8...1024

    let bytes: [UInt8]

    /// One to be checked. Of any length: what is too short is wrong, and nothing else is told.
    package init(_ text: String) {
        bytes = Array(text.precomposedStringWithCompatibilityMapping.utf8)
    }

    /// One to be kept.
    ///
    /// - Throws: `AccountError.invalid` with the field when it is too short or too long.
    package init(new text: String, field: String = "password") throws(AccountError) {
        guard Self.lengths.contains(text.utf8.count) else {
            throw .invalid(
                field: field,
                reason: "expected \(Self.lengths.lowerBound) to \(Self.lengths.upperBound) bytes, "
                    + "got \(text.utf8.count)")
        }
        self.init(text)
    }
}
