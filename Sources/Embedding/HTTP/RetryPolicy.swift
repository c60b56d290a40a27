package import Foundation

/// How often and how soon to send a request again. A value without a clock.
package struct RetryPolicy: Sendable, Equatable {
    /// Requests in all, the first included.
    package var attempts = 5
    package var firstDelay = Duration.milliseconds(250)
    /// Neither we nor a server's `Retry-After` make a caller wait longer than this for one attempt.
    package var longestDelay = Duration.seconds(20)

    package init() {}

    /// How long to wait after the attempt of that number (from 1) failed.
    ///
    /// Doubles with each attempt; half of it is random, so that clients refused together do not come
    /// back together. What the server asked for counts, unless it is longer than we would wait: then
    /// the caller shall decide.
    ///
    /// `chance` is uniform in 0..<1.
    ///
    /// - Returns: nil to give up.
    package func delay(afterAttempt attempt: Int, asked: Duration?, chance: Double) -> Duration? {
        guard attempt < attempts else { return nil }
        if let asked { return asked <= longestDelay ? asked + firstDelay * chance : nil }
        let doubled = min(firstDelay * (1 << min(attempt - 1, 20)), longestDelay)
        return doubled * (0.5 + 0.5 * chance)
    }

    /// The value of a `Retry-After` header: seconds, or a date (RFC 9110, §10.2.3).
    package static func asked(_ header: String?, now: Date) -> Duration? {
        guard let header = header?.trimmingCharacters(in: .whitespaces) else { return nil }
        if let seconds = Double(header), seconds >= 0, seconds < 1e9 { return .seconds(seconds) }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        guard let date = format.date(from: header) else { return nil }
        return .seconds(max(0, date.timeIntervalSince(now)))
    }
}
