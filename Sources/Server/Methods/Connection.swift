import Accounts
import Postgres
import Wire

extension Method {
    /// Who is there, and on what terms.
    static let connection = [
        open(
            "initialize", needs: .greeting,
            "Agrees on a version of the protocol and takes the client's key.",
            [
                .strings("protocolVersions", maximumCount: 32),
                .optionalObject("client", [.optionalString("name"), .optionalString("version")]),
                .optionalObject(
                    "auth", [.optionalString("apiKey"), .optionalString("accessToken")]),
            ]
        ) { call, result in
            let request = try InitializeRequest(&call.params)
            let principal = try await authenticate(request, call)
            call.peer.introduce(
                principal, isStrict: request.isStrict, client: request.client)
            request.write(for: principal, call.limits, &result)
        },
        prompt("ping", "Answers.") { call, result in
            try call.params.finish()
        },
        account("rpc.discover", .read, "Describes every method: OpenRPC.") { call, _, result in
            try call.params.finish()
            result.describe()
        },
    ]

    private static func authenticate(
        _ request: InitializeRequest, _ call: Call
    ) async throws -> Principal? {
        let gatekeeper = call.services.gatekeeper
        do {
            if let key = request.apiKey { return try await gatekeeper.enter(apiKey: key) }
            if let token = request.accessToken {
                return try await gatekeeper.enter(accessToken: token)
            }
            return nil
        } catch let error where WireError(translating: error).kind == .unauthenticated {
            try await call.recordFailedAuthentication(
                way: request.apiKey == nil ? "accessToken" : "apiKey")
            throw error
        }
    }
}

private struct InitializeRequest {
    let version: String
    let apiKey: String?
    let accessToken: String?
    /// Name and version, as the client gives them.
    let client: String?
    let isStrict: Bool

    init(_ params: inout Parameters) throws(WireError) {
        let offered = try params.optionalStrings("protocolVersions", maximumCount: 32)
        guard let offered else { throw .missing("protocolVersions") }
        guard let version = Identity.protocolVersions.first(where: offered.contains) else {
            throw .invalid(
                "protocolVersions",
                expected: "one of " + Identity.protocolVersions.joined(separator: ", "),
                got: offered.joined(separator: ", "))
        }
        self.version = version
        var name: String?
        if var client = try params.optionalObject("client") {
            let parts = [
                try client.optionalString("name"), try client.optionalString("version"),
            ].compactMap(\.self)
            name = parts.isEmpty ? nil : parts.joined(separator: " ")
            try client.finish()
        }
        client = name
        var (apiKey, accessToken): (String?, String?) = (nil, nil)
        if var auth = try params.optionalObject("auth") {
            apiKey = try auth.optionalString("apiKey")
            accessToken = try auth.optionalString("accessToken")
            try auth.finish()
            guard (apiKey == nil) != (accessToken == nil) else {
                throw .invalid(
                    "auth", expected: "apiKey or accessToken, one of them",
                    got: apiKey == nil ? "neither" : "both")
            }
        }
        self.apiKey = apiKey
        self.accessToken = accessToken
        isStrict = try params.optionalFlag("strict") ?? false
        try params.finish()
    }

    func write(for principal: Principal?, _ limits: Limits, _ result: inout JSONWriter) {
        result.member("protocolVersion", version)
        result.object("server") {
            $0.member("name", Identity.name)
            $0.member("version", Identity.version)
        }
        result.object("limits") { $0.members(of: limits) }
        result.member("features", Identity.features)
        guard let principal else { return }
        result.object("profile") {
            $0.member("id", principal.profileID)
            $0.member("handle", principal.handle)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func members(of limits: Limits) {
        member("lineBytes", limits.lineBytes)
        member("unauthenticatedLineBytes", limits.unauthenticatedLineBytes)
        member("nesting", limits.nesting)
        member("maxInflight", limits.maximumInFlight)
        member("k", limits.k)
        member("batch", limits.batch)
        member("textBytes", limits.textBytes)
        member("idleSeconds", Int(limits.idle.components.seconds))
        member("unauthenticatedSeconds", Int(limits.unauthenticated.components.seconds))
        member("importChunks", limits.importChunks)
        member("uploadChunkBytes", limits.uploadChunkBytes)
        member("documentBytes", limits.documentBytes)
    }
}
