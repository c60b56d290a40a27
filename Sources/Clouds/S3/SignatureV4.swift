// AWS Signature Version 4, which S3, GCS (with HMAC keys) and every S3-compatible store read.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

internal import Crypto
package import Foundation

/// Who signs. Never described: descriptions end up in logs.
package struct S3Credentials: Sendable, Equatable, Codable, CustomStringConvertible {
    package var accessKey: String
    package var secretKey: String
    package var sessionToken: String?

    package init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }

    package var description: String { "credentials" }
}

/// Signs requests for one region of one service.
package struct SignatureV4: Sendable {
    package var credentials: S3Credentials
    package var region: String
    package var service: String

    package init(_ credentials: S3Credentials, region: String, service: String = "s3") {
        self.credentials = credentials
        self.region = region
        self.service = service
    }

    /// The value of the `Authorization` header.
    ///
    /// `path` is encoded as it is sent. `query` is decoded. `headers` are all that shall be signed,
    /// `host` and `x-amz-date` among them.
    ///
    /// `payloadHash` is the lower hexadecimal SHA-256 of the body.
    package func authorization(
        method: String, path: String, query: [(name: String, value: String)],
        headers: [(name: String, value: String)], payloadHash: String, date: Date
    ) -> String {
        let signed = headers.map { ($0.name.lowercased(), Self.folded($0.value)) }
            .sorted { $0.0 < $1.0 }
        let names = signed.map(\.0).joined(separator: ";")
        let request = [
            method, path.isEmpty ? "/" : path, Self.canonical(query),
            signed.map { "\($0.0):\($0.1)\n" }.joined(), names, payloadHash,
        ].joined(separator: "\n")
        let time = Self.time(date)
        let scope = "\(time.prefix(8))/\(region)/\(service)/aws4_request"
        let text = ["AWS4-HMAC-SHA256", time, scope, Self.sha256(request)].joined(separator: "\n")
        let signature = Self.hmac(key(for: String(time.prefix(8))), text).hexadecimal
        return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), "
            + "SignedHeaders=\(names), Signature=\(signature)"
    }

    /// Names and values encoded and in order, as they are signed and sent.
    package static func canonical(_ query: [(name: String, value: String)]) -> String {
        var pairs: [(String, String)] = query.map { (encoded($0.name), encoded($0.value)) }
        pairs.sort { one, other in
            one.0 == other.0 ? one.1 < other.1 : one.0 < other.0
        }
        return pairs.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// Every byte but A–Z a–z 0–9 - . _ ~ as %XY; in a path the slashes stay.
    package static func encoded(_ text: String, keepingSlashes: Bool = false) -> String {
        var result = ""
        for byte in text.utf8 {
            if unreserved.contains(byte) || keepingSlashes && byte == UInt8(ascii: "/") {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + CollectionOfOne(byte).hexadecimal.uppercased()
            }
        }
        return result
    }

    private static let unreserved = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)

    /// `20130524T000000Z`.
    package static func time(_ date: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents(
            [.year, .month, .day, .hour, .minute, .second], from: date)
        func two(_ number: Int?) -> String {
            let digits = String(number ?? 0)
            return digits.count < 2 ? "0" + digits : digits
        }
        return "\(parts.year ?? 0)\(two(parts.month))\(two(parts.day))"
            + "T\(two(parts.hour))\(two(parts.minute))\(two(parts.second))Z"
    }

    private func key(for day: String) -> [UInt8] {
        [day, region, service, "aws4_request"]
            .reduce(Array("AWS4\(credentials.secretKey)".utf8)) { Self.hmac($0, $1) }
    }

    /// Ends trimmed, runs of spaces one space.
    private static func folded(_ value: String) -> String {
        value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }

    private static func sha256(_ text: String) -> String {
        SHA256.hash(data: Array(text.utf8)).hexadecimal
    }

    private static func hmac(_ key: [UInt8], _ text: String) -> [UInt8] {
        Array(
            HMAC<SHA256>.authenticationCode(
                for: Array(text.utf8), using: SymmetricKey(data: key)))
    }
}

extension Sequence<UInt8> {
    var hexadecimal: String {
        let digits = Array("0123456789abcdef")
        return reduce(into: "") { text, byte in
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
    }
}
