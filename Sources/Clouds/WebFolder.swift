/// Files below an address of the web, each asked for by name: HTTP has no listing.
struct WebFolder: Sendable {
    private let access: WebAccess
    private let client: HTTPClient

    /// - Throws: `invalid`, naming `endpoint` or `token`.
    init(_ access: WebAccess, client: HTTPClient) throws(CloudError) {
        guard let place = WebAddress(access.url), place.path.hasSuffix("/"),
            !access.url.contains("?")
        else {
            throw .invalid(field: "endpoint", reason: "expected http(s)://host/folder/")
        }
        guard access.authorization?.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) ?? true else {
            throw .invalid(field: "token", reason: "holds what no header may hold")
        }
        self.access = access
        self.client = client
    }

    /// Asks for the folder's head; whatever it answers, it is there.
    func probe() async throws(CloudError) {
        let answer = try await client.send(HTTPRequest("HEAD", access.url, headers: headers))
        if answer.status == 401 { throw .denied(code: "401") }
    }

    func get(
        _ name: String, limit: Int, sink: @escaping @Sendable ([UInt8]) throws -> Void
    ) async throws(CloudError) {
        let url = try self.url(of: name)
        let answer = try await client.send(
            HTTPRequest("GET", url, headers: headers), limit: limit, sink: sink)
        if let error = answer.refusal({ _ in "\(answer.status)" }) { throw error }
        guard answer.status == 200 else { throw .rejected(status: answer.status, code: "no body") }
    }

    /// - Throws: `invalid` for a name that would lead out of the folder.
    func url(of name: String) throws(CloudError) -> String {
        let steps = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.isEmpty, !name.hasPrefix("/"), !steps.contains(".."), !steps.contains(".")
        else { throw .invalid(field: "objects", reason: "expected names within the folder") }
        return access.url + SignatureV4.encoded(name, keepingSlashes: true)
    }

    private var headers: [(name: String, value: String)] {
        access.authorization.map { [(name: "authorization", value: $0)] } ?? []
    }
}
