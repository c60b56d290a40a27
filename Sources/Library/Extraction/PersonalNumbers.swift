// Numbers of people that are never stored as they are. Their descriptions show nothing, so that no log
// line can.

/// A social security number, valid as far as its form says.
///
/// Areas 000, 666 and 900 to 999, group 00 and serial 0000 were never given out
/// (https://www.ssa.gov/employer/randomization.html).
package struct SocialSecurityNumber: Sendable, CustomStringConvertible {
    /// Nine digits: what is hashed, however it was written.
    package let digits: String

    package static let form = "nine digits such as 123-45-6789, of a number that can exist"

    /// Reads `123-45-6789`, `123 45 6789` and `123456789`.
    package init?(_ text: String) {
        let digits =
            text.wholeMatch(of: /([0-9]{3})([- ]?)([0-9]{2})\2([0-9]{4})/)
            .map { (String($0.1), String($0.3), String($0.4)) }
        guard let (area, group, serial) = digits, area != "000", area != "666",
            !area.hasPrefix("9"), group != "00", serial != "0000"
        else { return nil }
        self.digits = area + group + serial
    }

    package var description: String { "•••-••-••••" }
}

/// The number of an account at a bank, or of a loan.
package struct PlainAccountNumber: Sendable, CustomStringConvertible {
    /// Letters in upper case and digits, without what separated them.
    package let text: String

    package static let form = "5 to 34 letters and digits, spaces and hyphens aside"

    /// At least five, so that the last four are not all of it; at most the 34 of an IBAN.
    package init?(_ text: String) {
        let text = text.filter { $0 != " " && $0 != "-" }.uppercased()
        guard text.wholeMatch(of: /[0-9A-Z]{5,34}/) != nil else { return nil }
        self.text = text
    }

    package var lastFour: String { String(text.suffix(4)) }

    package var description: String { "••••\(lastFour)" }
}
