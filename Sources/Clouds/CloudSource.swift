/// Somebody's cloud, ready to be asked: the same four questions whichever it is.
package struct CloudSource: Sendable {
    private enum Kind: Sendable {
        case bucket(S3Bucket, scheme: String, name: String, prefix: String)
        case web(WebFolder)
    }

    private let kind: Kind

    /// Checks what was given; nothing is sent yet.
    ///
    /// - Throws: `invalid`, naming the field.
    package init(_ access: CloudAccess, client: HTTPClient) throws(CloudError) {
        kind =
            switch access {
            case .s3(let address, let prefix):
                .bucket(
                    try S3Bucket(address, client: client), scheme: "s3", name: address.bucket,
                    prefix: prefix)
            case .gcs(let address, let prefix):
                .bucket(
                    try S3Bucket(address, client: client), scheme: "gs", name: address.bucket,
                    prefix: prefix)
            case .http(let access): .web(try WebFolder(access, client: client))
            }
    }

    /// Whether it answers to these credentials.
    package func probe() async throws(CloudError) {
        switch kind {
        case .bucket(let bucket, _, _, let prefix):
            _ = try await bucket.list(prefix: prefix, limit: 1)
        case .web(let folder): try await folder.probe()
        }
    }

    /// One page of the objects whose names begin with `prefix`, which is added to the connection's
    /// own; names are whole.
    ///
    /// - Throws: `invalid` for the web, which has no listing.
    package func list(
        prefix: String, after next: String?, limit: Int
    ) async throws(CloudError) -> S3Listing {
        guard case .bucket(let bucket, _, _, let own) = kind else {
            throw .invalid(
                field: "connection", reason: "a web server has no listing: name the objects")
        }
        return try await bucket.list(prefix: own + prefix, after: next, limit: limit)
    }

    /// Reads an object in pieces; `etag` as for `S3Bucket.get`.
    ///
    /// - Throws: `notFound` also for a name outside the connection's prefix.
    package func get(
        _ name: String, ifMatch etag: String?, limit: Int,
        sink: @escaping @Sendable ([UInt8]) throws -> Void
    ) async throws(CloudError) {
        switch kind {
        case .bucket(let bucket, _, _, let prefix):
            guard name.hasPrefix(prefix) else { throw .notFound }
            try await bucket.get(name, ifMatch: etag, limit: limit, sink: sink)
        case .web(let folder): try await folder.get(name, limit: limit, sink: sink)
        }
    }

    /// What a document remembers of where it came from.
    package func uri(of name: String) -> String {
        switch kind {
        case .bucket(_, let scheme, let bucket, _): "\(scheme)://\(bucket)/\(name)"
        case .web(let folder): (try? folder.url(of: name)) ?? ""
        }
    }
}
