// What a person gives us to reach a cloud of theirs. All of it is sealed where it is kept.

/// Where somebody's objects are, and the credentials for it. Never described.
package enum CloudAccess: Sendable, Equatable, Codable, CustomStringConvertible {
    case s3(S3Bucket.Address, prefix: String)
    /// Google Cloud Storage speaks S3 to the holder of an HMAC key.
    case gcs(S3Bucket.Address, prefix: String)
    case http(WebAccess)

    package static let gcsEndpoint = "https://storage.googleapis.com"

    package var description: String { "cloud access" }

    /// Where, without credentials: `s3://bucket/prefix`, `https://host/folder/`.
    package var place: String {
        switch self {
        case .s3(let address, let prefix): "s3://\(address.bucket)/\(prefix)"
        case .gcs(let address, let prefix): "gs://\(address.bucket)/\(prefix)"
        case .http(let access): access.url
        }
    }
}

/// A folder on the web.
package struct WebAccess: Sendable, Equatable, Codable {
    /// Ends with a slash; objects are named from there.
    package var url: String
    /// The value of the `Authorization` header.
    package var authorization: String?

    package init(url: String, authorization: String? = nil) {
        self.url = url
        self.authorization = authorization
    }
}
