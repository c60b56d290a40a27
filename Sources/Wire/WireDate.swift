// Dates on the wire: ISO 8601, UTC, microseconds. Written by hand because a formatter costs
// microseconds a date and a list has hundreds; the calendar arithmetic is Howard Hinnant's
// days_from_civil (https://howardhinnant.github.io/date_algorithms.html).

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// Text and date, both ways.
package enum WireDate {
    /// `2026-11-21T01:45:00.123456Z`; the fraction is left out when it is zero.
    package static func string(_ date: Date) -> String {
        // Far outside any calendar a date is clamped rather than trapped on.
        let limit = 253_402_300_799.0
        let seconds = max(-limit, min(limit, date.timeIntervalSince1970))
        let microseconds = Int((seconds * 1_000_000).rounded())
        let (second, fraction) = microseconds.quotientAndRemainder(floored: 1_000_000)
        let (day, secondOfDay) = second.quotientAndRemainder(floored: 86_400)
        let (year, month, dayOfMonth) = civil(day)
        let clock = [secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60]
        let whole =
            "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))T"
            + clock.map { padded($0, 2) }.joined(separator: ":")
        return fraction == 0 ? whole + "Z" : whole + ".\(padded(fraction, 6))Z"
    }

    /// The date that a text of that form spells, `nil` for any other text.
    ///
    /// A fraction of one to nine digits is read; the time zone must be `Z`.
    package static func date(_ text: some StringProtocol) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == 0x5A,
            [4, 7].allSatisfy({ bytes[$0] == 0x2D }), bytes[10] == 0x54,
            [13, 16].allSatisfy({ bytes[$0] == 0x3A }),
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]),
            let day = number(bytes[8..<10]), let hour = number(bytes[11..<13]),
            let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
            (1...12).contains(month), (1...31).contains(day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let days = daysSince1970(year, month, day)
        guard civil(days) == (year, month, day) else { return nil }
        var fraction = 0.0
        if bytes.count > 20 {
            let digits = bytes[20..<bytes.count - 1]
            guard bytes[19] == 0x2E, (1...9).contains(digits.count), let value = number(digits)
            else { return nil }
            fraction = Double(value)
            for _ in digits { fraction /= 10 }
        }
        let whole = days * 86_400 + hour * 3600 + minute * 60 + second
        return Date(timeIntervalSince1970: Double(whole) + fraction)
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 0x30)
        }
        return value
    }

    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = y.quotientAndRemainder(floored: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            - 719_468
    }

    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(floored: 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted + (shifted < 10 ? 3 : -9)
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
            dayOfYear - (153 * shifted + 2) / 5 + 1
        )
    }
}

extension Int {
    fileprivate func quotientAndRemainder(floored divisor: Int) -> (Int, Int) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
