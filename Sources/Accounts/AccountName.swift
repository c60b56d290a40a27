// What an account may be called, and how it is named when somebody logs in.

internal import Crypto

/// A handle and an email address that were looked at.
package struct AccountName: Sendable, Equatable {
    package let handle: String
    package let email: String

    /// - Throws: `AccountError.invalid`, naming the field.
    package init(handle: String, email: String) throws(AccountError) {
        guard handle.wholeMatch(of: /[a-z0-9][a-z0-9._-]{1,31}/) != nil else {
            throw .invalid(
                field: "handle",
                reason:
                    "expected 2 to 32 of a-z, 0-9, dot, hyphen and underscore, the first a letter "
                    + "or digit")
        }
        guard Self.isAddress(email) else {
            throw .invalid(field: "email", reason: "expected an email address, at most 254 bytes")
        }
        self.handle = handle
        self.email = email
    }

    /// What mail systems in use accept of RFC 5321: no quoted names, no bare addresses of machines, and
    /// ASCII, in which everybody agrees what the other case of a letter is.
    private static func isAddress(_ text: String) -> Bool {
        let label = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
        guard text.utf8.count <= 254, text.utf8.allSatisfy({ $0 < 0x80 }),
            let address = try? Regex(
                "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
                    + "@\(label)(\\.\(label))*")
        else { return false }
        return text.wholeMatch(of: address) != nil
            && text.prefix { $0 != "@" }.utf8.count <= 64
    }
}

/// What is typed where a login asks for a name: a handle, or an email address, in any case.
struct LoginName {
    let handle: String?
    let email: String?
    /// Under which its attempts are counted, whether or not there is such an account.
    let hash: [UInt8]

    init(_ text: String) {
        let text = text.lowercased()
        let isEmail = text.utf8.contains(0x40)
        handle = isEmail ? nil : text
        email = isEmail ? text : nil
        hash = Array(SHA256.hash(data: Array(text.utf8)))
    }
}
