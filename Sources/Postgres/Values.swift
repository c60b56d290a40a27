// UUID, time and JSON in PostgreSQL's binary form.

package import FoundationEssentials

extension UUID: PostgresEncodable, PostgresDecodable {
    package func encode(as type: PostgresType, into buffer: inout WireBuffer)
        throws(EncodingFailure)
    {
        switch type {
        case .scalar(.uuid):
            let b = uuid
            buffer.append([
                b.0, b.1, b.2, b.3, b.4, b.5, b.6, b.7,
                b.8, b.9, b.10, b.11, b.12, b.13, b.14, b.15,
            ])
        case .scalar(let scalar) where scalar.isText:
            try buffer.append(text: uuidString.lowercased())
        default: throw .mismatch("UUID", type)
        }
    }

    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> UUID
    {
        guard type == .scalar(.uuid) else { throw .mismatch("UUID", type) }
        guard bytes.count == 16 else {
            throw DecodingFailure("expected 16 bytes, got \(bytes.count)")
        }
        return UUID(
            uuid: (
                bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
                bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
            ))
    }
}

/// `timestamptz` (and `timestamp`, read as UTC): microseconds since 2000-01-01, with the extremes
/// of Int64 for ±infinity. A `Date` counts seconds from 2001 in a `Double`, which still tells
/// microseconds apart for two centuries around it; values are rounded to the nearest one.
extension Date: PostgresEncodable, PostgresDecodable {
    /// Seconds from 2000-01-01 to `Date`'s reference, 2001-01-01.
    private static let epochOffset = 31_622_400.0

    package func encode(as type: PostgresType, into buffer: inout WireBuffer)
        throws(EncodingFailure)
    {
        guard type == .scalar(.timestamptz) || type == .scalar(.timestamp) else {
            throw .mismatch("Date", type)
        }
        guard let microseconds = microsecondsFrom2000 else {
            throw EncodingFailure(
                "\(timeIntervalSinceReferenceDate) s from 2001 is outside PostgreSQL's timestamps")
        }
        buffer.append(microseconds)
    }

    /// As PostgreSQL keeps it: microseconds since 2000-01-01 UTC, the infinities at either end; nil
    /// when it lies outside.
    package var microsecondsFrom2000: Int64? {
        let seconds = timeIntervalSinceReferenceDate
        if seconds == .infinity { return Int64.max }
        if seconds == -.infinity { return Int64.min }
        // Whole seconds first: multiplying the sum would round twice.
        let whole = seconds.rounded(.down)
        let microseconds = ((seconds - whole) * 1e6).rounded()
        guard let fromEpoch = Int64(exactly: whole + Date.epochOffset),
            case let (scaled, overflow) = fromEpoch.multipliedReportingOverflow(by: 1_000_000),
            !overflow, scaled < Int64.max - 1_000_000
        else { return nil }
        return scaled + Int64(microseconds)
    }

    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> Date
    {
        guard type == .scalar(.timestamptz) || type == .scalar(.timestamp) else {
            throw .mismatch("Date", type)
        }
        let microseconds = try bytes.whole(Int64.self)
        switch microseconds {
        case .max: return Date(timeIntervalSinceReferenceDate: .infinity)
        case .min: return Date(timeIntervalSinceReferenceDate: -.infinity)
        default:
            // Shifted as an integer and divided once, so the result is the nearest `Double`.
            let fromReference = microseconds - Int64(epochOffset) * 1_000_000
            return Date(timeIntervalSinceReferenceDate: Double(fromReference) / 1e6)
        }
    }
}

/// JSON text, unparsed, for `json` and `jsonb`.
package struct JSON: Sendable, Hashable, PostgresEncodable, PostgresDecodable {
    package let text: String

    package init(_ text: String) { self.text = text }

    static let jsonbVersion: UInt8 = 1

    package func encode(as type: PostgresType, into buffer: inout WireBuffer)
        throws(EncodingFailure)
    {
        switch type {
        case .scalar(.jsonb): buffer.append(JSON.jsonbVersion)
        case .scalar(.json), .scalar(.text): break
        default: throw .mismatch("JSON", type)
        }
        try buffer.append(text: text)
    }

    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> JSON
    {
        switch type {
        case .scalar(.json): return JSON(bytes.text(0..<bytes.count))
        case .scalar(.jsonb):
            guard bytes.count > 0, bytes[0] == jsonbVersion else {
                throw DecodingFailure("unknown version of jsonb")
            }
            return JSON(bytes.text(1..<bytes.count))
        default: throw .mismatch("JSON", type)
        }
    }
}
