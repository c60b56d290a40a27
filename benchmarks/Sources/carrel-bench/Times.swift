import Foundation
import Histogram

/// Latencies as percentiles, in microseconds; HdrHistogram holds them to three digits.
struct Times: Encodable {
    let count: UInt64
    let p50: Double
    let p90: Double
    let p99: Double
    let p999: Double
    let max: Double

    init(nanoseconds: [Int64]) {
        var histogram = Histogram<UInt64>(
            lowestDiscernibleValue: 100, highestTrackableValue: 600_000_000_000,
            numberOfSignificantValueDigits: .three)
        for time in nanoseconds { histogram.record(UInt64(Swift.max(time, 0))) }
        func at(_ percentile: Double) -> Double {
            Double(histogram.valueAtPercentile(percentile)) / 1000
        }
        count = histogram.totalCount
        (p50, p90, p99, p999) = (at(50), at(90), at(99), at(99.9))
        max = Double(histogram.maxRecorded) / 1000
    }

    /// Milliseconds with three digits, for people.
    static func text(_ microseconds: Double) -> String {
        let milliseconds = microseconds / 1000
        let digits = milliseconds < 1 ? 3 : milliseconds < 10 ? 2 : 1
        return String(format: "%.\(digits)f ms", milliseconds)
    }
}
