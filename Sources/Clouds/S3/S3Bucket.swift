// A bucket of S3, or of what speaks like it (GCS with HMAC keys, MinIO, Ceph): four requests.

internal import Crypto
internal import Foundation

package struct S3Bucket: Sendable {
    /// Where a bucket is, and who asks.
    package struct Address: Sendable, Equatable, Codable {
        /// `https://s3.eu-central-1.amazonaws.com`: the bucket's name is added to its path.
        package var endpoint: String
        package var region: String
        package var bucket: String
        package var credentials: S3Credentials

        package init(
            endpoint: String, region: String, bucket: String, credentials: S3Credentials
        ) {
            self.endpoint = endpoint
            self.region = region
            self.bucket = bucket
            self.credentials = credentials
        }

        package static func amazon(region: String) -> String {
            "https://s3.\(region).amazonaws.com"
        }
    }

    private let address: Address
    private let place: WebAddress
    private let client: HTTPClient
    private let backoff: Backoff

    /// Checks the address; nothing is sent yet.
    ///
    /// - Throws: `invalid`, naming `endpoint`, `bucket`, `region`, `accessKey` or `secretKey`.
    package init(
        _ address: Address, client: HTTPClient, backoff: Backoff = Backoff()
    ) throws(CloudError) {
        guard let place = WebAddress(address.endpoint), place.path.isEmpty || place.path == "/",
            !address.endpoint.contains("?")
        else {
            throw .invalid(field: "endpoint", reason: "expected http(s)://host, without a path")
        }
        func isWord(_ text: String, _ lengths: ClosedRange<Int>, besides: String) -> Bool {
            lengths.contains(text.utf8.count)
                && text.allSatisfy {
                    $0.isASCII && ($0.isLetter || $0.isNumber || besides.contains($0))
                }
        }
        guard isWord(address.bucket, 3...255, besides: "-._"), !address.bucket.hasPrefix(".") else {
            throw .invalid(field: "bucket", reason: "expected 3 to 255 letters, digits, - . _")
        }
        guard isWord(address.region, 1...64, besides: "-") else {
            throw .invalid(field: "region", reason: "expected letters, digits and -")
        }
        guard isWord(address.credentials.accessKey, 1...256, besides: "-_=+/.") else {
            throw .invalid(field: "accessKey", reason: "is not one")
        }
        let secret = address.credentials.secretKey
        guard (1...1024).contains(secret.utf8.count), secret.allSatisfy(\.isASCII) else {
            throw .invalid(field: "secretKey", reason: "is not one")
        }
        self.address = address
        self.place = place
        self.client = client
        self.backoff = backoff
    }

    /// One page of the objects whose keys begin with `prefix`.
    package func list(
        prefix: String = "", after next: String? = nil, limit: Int = 1000
    ) async throws(CloudError) -> S3Listing {
        var query = [
            (name: "list-type", value: "2"), (name: "encoding-type", value: "url"),
            (name: "max-keys", value: "\(limit)"), (name: "prefix", value: prefix),
        ]
        if let next { query.append((name: "continuation-token", value: next)) }
        let request = query
        return try await backoff.retrying { () async throws(CloudError) in
            let answer = try await send("GET", key: nil, query: request, limit: 8 << 20)
            return try S3Answer.listing(answer.body)
        }
    }

    /// Reads an object from its beginning. Not repeated: the sink has pieces already.
    ///
    /// `etag` is that of the object it must still be; nil takes any.
    ///
    /// - Returns: its size.
    /// - Throws: `notFound` also when it is another object by now.
    @discardableResult
    package func get(
        _ key: String, ifMatch etag: String? = nil, limit: Int,
        sink: @escaping @Sendable ([UInt8]) throws -> Void
    ) async throws(CloudError) -> Int {
        let headers = etag.map { [(name: "if-match", value: "\"\($0)\"")] } ?? []
        let counter = Counter()
        _ = try await send("GET", key: key, headers: headers, limit: limit) { piece in
            counter.add(piece.count)
            try sink(piece)
        }
        return counter.value
    }

    /// Stores an object; `sha256` (lower hexadecimal) is of the whole body, and the store checks it.
    package func put(_ key: String, _ body: HTTPBody, sha256: String) async throws(CloudError) {
        try await backoff.retrying { () async throws(CloudError) in
            _ = try await send("PUT", key: key, body: body, payloadHash: sha256, limit: 1 << 16)
        }
    }

    /// The same for bytes in memory.
    package func put(_ key: String, _ bytes: [UInt8]) async throws(CloudError) {
        try await put(key, HTTPBody(bytes), sha256: SHA256.hash(data: bytes).hexadecimal)
    }

    /// Removes an object; one that is not there is no error.
    package func delete(_ key: String) async throws(CloudError) {
        try await backoff.retrying { () async throws(CloudError) in
            do throws(CloudError) {
                _ = try await send("DELETE", key: key, limit: 1 << 16)
            } catch .notFound {}
        }
    }

    /// Makes the bucket.
    package func create() async throws(CloudError) {
        _ = try await send("PUT", key: nil, limit: 1 << 16)
    }

    /// Signs and sends one request, and says what a refusal means.
    private func send(
        _ method: String, key: String?, query: [(name: String, value: String)] = [],
        headers extra: [(name: String, value: String)] = [], body: HTTPBody? = nil,
        payloadHash: String = SHA256.hash(data: [UInt8]()).hexadecimal, limit: Int,
        sink: (@Sendable ([UInt8]) throws -> Void)? = nil
    ) async throws(CloudError) -> HTTPResponse {
        let date = Date()
        var path = "/\(address.bucket)"
        if let key { path += "/" + SignatureV4.encoded(key, keepingSlashes: true) }
        var headers = extra
        headers.append((name: "host", value: place.authority))
        headers.append((name: "x-amz-content-sha256", value: payloadHash))
        headers.append((name: "x-amz-date", value: SignatureV4.time(date)))
        if let token = address.credentials.sessionToken {
            headers.append((name: "x-amz-security-token", value: token))
        }
        let authorization = SignatureV4(address.credentials, region: address.region).authorization(
            method: method, path: path, query: query, headers: headers, payloadHash: payloadHash,
            date: date)
        headers.append((name: "authorization", value: authorization))
        let url = place.origin + path + (query.isEmpty ? "" : "?" + SignatureV4.canonical(query))
        let answer = try await client.send(
            HTTPRequest(method, url, headers: headers, body: body), limit: limit, sink: sink)
        if let error = answer.refusal(S3Answer.errorCode) { throw error }
        return answer
    }
}

extension HTTPResponse {
    /// What a status that is no success means; `code` reads the reason out of the body.
    func refusal(_ code: ([UInt8]) -> String) -> CloudError? {
        switch status {
        case 200..<300: nil
        case 300..<400: .redirected(status: status)
        case 401, 403: .denied(code: code(body))
        case 404, 410, 412: .notFound
        case 408, 425, 429, 500..<600: .unavailable(reason: "it answered \(status)")
        default: .rejected(status: status, code: code(body))
        }
    }
}
