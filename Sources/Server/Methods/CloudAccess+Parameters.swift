// What `cloud.connect` takes for each provider.

import Clouds
import Library
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension CloudAccess {
    /// `endpoint` is a server, for HTTP the folder itself. A bucket takes `bucket`, `region`, `prefix`
    /// and its key; a folder a `token`, or `user` and `password`, or nothing.
    static let parameters: [Parameter] =
        [.optionalString("endpoint", maximumBytes: 2048)]
        + words.map { .optionalString("\($0)") }
        + tokens.map { .optionalString("\($0)", maximumBytes: 8192) }

    private static let words: [StaticString] = [
        "region", "bucket", "prefix", "accessKey", "secretKey", "user", "password",
    ]

    private static let tokens: [StaticString] = ["sessionToken", "token"]

    init(_ provider: CloudProvider, _ params: inout Parameters) throws(WireError) {
        let endpoint = try params.optionalString("endpoint", maximumBytes: 2048)
        var given: [String: String] = [:]
        for name in Self.words { given["\(name)"] = try params.optionalString(name) }
        for name in Self.tokens {
            given["\(name)"] = try params.optionalString(name, maximumBytes: 8192)
        }
        try params.finish()
        func take(_ name: String) throws(WireError) -> String {
            guard let value = given.removeValue(forKey: name) else {
                throw .invalid(name, expected: "a value for \(provider.rawValue)", got: "none")
            }
            return value
        }
        switch provider {
        case .s3, .gcs:
            let region =
                given.removeValue(forKey: "region")
                ?? (provider == .s3 ? "us-east-1" : "auto")
            let usual =
                provider == .s3 ? S3Bucket.Address.amazon(region: region) : Self.gcsEndpoint
            let address = S3Bucket.Address(
                endpoint: endpoint ?? usual, region: region, bucket: try take("bucket"),
                credentials: S3Credentials(
                    accessKey: try take("accessKey"), secretKey: try take("secretKey"),
                    sessionToken: given.removeValue(forKey: "sessionToken")))
            let prefix = given.removeValue(forKey: "prefix") ?? ""
            self = provider == .s3 ? .s3(address, prefix: prefix) : .gcs(address, prefix: prefix)
        case .http:
            guard let endpoint else {
                throw .invalid("endpoint", expected: "http(s)://host/folder/", got: "none")
            }
            self = .http(
                WebAccess(url: endpoint, authorization: Self.authorization(&given)))
        }
        if let name = given.keys.min() {
            throw .invalid(name, expected: "nothing: not for \(provider.rawValue)", got: "a value")
        }
    }

    private static func authorization(_ given: inout [String: String]) -> String? {
        if let token = given.removeValue(forKey: "token") { return "Bearer \(token)" }
        guard let user = given["user"], let password = given["password"] else { return nil }
        given["user"] = nil
        given["password"] = nil
        return "Basic " + Base64.encode(Array("\(user):\(password)".utf8))
    }
}
