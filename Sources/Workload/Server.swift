// The server as a benchmark sees it: a host, a port, a key, and methods called by name.

internal import Foundation

/// Where a server listens, and the key to show it: what `client.json` holds.
public struct ServerAddress: Codable, Sendable {
    /// Its name or address.
    public var host: String
    /// Its port.
    public var port: Int
    /// `ck_…`.
    public var apiKey: String

    /// An address.
    ///
    /// - Parameters:
    ///   - host: the server's name or address.
    ///   - port: its port.
    ///   - apiKey: the key.
    public init(host: String, port: Int, apiKey: String) {
        self.host = host
        self.port = port
        self.apiKey = apiKey
    }
}

/// One connection, one call at a time: for everything whose time is not measured here.
public final class ServerConnection {
    let socket: LineSocket
    private var lastID = 0
    private var account: String?

    /// Connects and shows the key.
    ///
    /// - Parameter address: the server's.
    /// - Throws: when nobody answers, or the key is refused.
    public init(_ address: ServerAddress) throws(WorkloadError) {
        struct Greeting: Encodable {
            struct Key: Encodable { let apiKey: String }
            var protocolVersions = ["2026-11-01"]
            let auth: Key
        }
        socket = try LineSocket(host: address.host, port: address.port)
        struct Welcome: Decodable {
            struct Profile: Decodable { let id: String }
            let profile: Profile?
        }
        let welcome = try call(
            "initialize", Greeting(auth: .init(apiKey: address.apiKey)), as: Welcome.self)
        account = welcome.profile?.id
    }

    /// Sees to it that the key's account may keep so much more than it keeps now. What a benchmark stores is
    /// counted like anybody's.
    ///
    /// - Throws: the server's refusal, where there is no room and the key is no administrator's.
    func makeRoom(forBytes bytes: Int) throws(WorkloadError) {
        struct Quota: Decodable {
            let limitBytes: Int
            let usedBytes: Int
        }
        struct Change: Encodable {
            let account: String
            let limitBytes: Int
        }
        let quota: Quota = try call("quota.get")
        guard let account, quota.usedBytes + bytes > quota.limitBytes else { return }
        let _: Quota = try call(
            "quota.set", Change(account: account, limitBytes: quota.usedBytes + bytes))
    }

    /// A result of which nothing is wanted.
    public struct Nothing: Codable, Sendable {
        /// No parameters, too.
        public init() {}
    }

    /// Calls a method and waits for its answer.
    ///
    /// - Parameters:
    ///   - method: its name.
    ///   - params: encodes as an object.
    ///   - as: the shape of the result.
    /// - Returns: the decoded result.
    /// - Throws: the server's refusal in its own words.
    public func call<Result: Decodable>(
        _ method: String, _ params: some Encodable = Nothing(), as: Result.Type = Result.self
    ) throws(WorkloadError) -> Result {
        lastID -= 1
        let id = lastID
        do {
            let body = String(decoding: try JSONEncoder().encode(params), as: UTF8.self)
            try socket.send(
                Array(
                    #"{"jsonrpc":"2.0","method":"\#(method)","params":\#(body),"id":\#(id)}"#.utf8)
                    + [0x0A])
            while true {
                while let line = socket.nextLine() {
                    let answer = try JSONDecoder().decode(Answer<Result>.self, from: Data(line))
                    guard answer.id == id else { continue }
                    if let result = answer.result { return result }
                    throw WorkloadError("\(method): \(answer.error?.message ?? "no result")")
                }
                try socket.receive()
            }
        } catch let error as WorkloadError {
            throw error
        } catch {
            throw WorkloadError("\(method): \(error)")
        }
    }

    private struct Answer<Result: Decodable>: Decodable {
        struct Refusal: Decodable { let message: String }
        let id: Int?
        let result: Result?
        let error: Refusal?
    }
}
