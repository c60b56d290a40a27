// What tests of logins say over the socket.

import Accounts
import Foundation
import Library
import Postgres
import Wire

/// The two tokens of an answer; empty where it was refused.
struct Tokens: Sendable {
    let access: String
    let refresh: String

    init(_ answer: JSONValue) {
        access = answer.at("result", "accessToken")?.string ?? ""
        refresh = answer.at("result", "refreshToken")?.string ?? ""
    }
}

extension LineClient {
    func register(
        _ handle: String, password: String = "long enough"
    ) async throws -> (answer: JSONValue, tokens: Tokens) {
        let answer = try await call(
            900, "auth.register",
            """
            {"handle":"\(handle)","email":"\(handle)@example.org","password":"\(password)"}
            """)
        return (answer, Tokens(answer))
    }

    func login(
        _ name: String, _ password: String = "long enough", code: String? = nil
    ) async throws -> (answer: JSONValue, tokens: Tokens) {
        let code = code.map { ",\"code\":\"\($0)\"" } ?? ""
        let answer = try await call(
            901, "auth.login", "{\"login\":\"\(name)\",\"password\":\"\(password)\"\(code)}")
        return (answer, Tokens(answer))
    }

    func refresh(_ tokens: Tokens) async throws -> (answer: JSONValue, tokens: Tokens) {
        let answer = try await call(
            902, "auth.refresh", "{\"refreshToken\":\"\(tokens.refresh)\"}")
        return (answer, Tokens(answer))
    }

    func openSession() async throws -> (id: String, handle: String) {
        let id =
            try await call(903, "session.create", "{\"title\":\"A\"}")
            .at("result", "session", "id")?.string ?? ""
        let handle =
            try await call(904, "session.open", "{\"session\":\"\(id)\"}")
            .at("result", "handle")?.string ?? ""
        return (id, handle)
    }
}

extension TestServer {
    /// A connection on which nobody is in, or who has this token.
    func stranger(accessToken: String? = nil) async throws -> LineClient {
        let client = try await LineClient.connect(port)
        let answer = try await initialize(client, accessToken)
        guard answer.at("result") != nil else { throw LineClient.Failure.noAnswer(answer.text) }
        return client
    }

    /// Whether a new connection is not let in with this token.
    func isRefused(accessToken: String) async throws -> Bool {
        let client = try await LineClient.connect(port)
        return try await initialize(client, accessToken).errorKind == "unauthenticated"
    }

    private func initialize(
        _ client: LineClient, _ accessToken: String?
    ) async throws -> JSONValue {
        let auth = accessToken.map { ",\"auth\":{\"accessToken\":\"\($0)\"}" } ?? ""
        return try await client.call(
            0, "initialize",
            """
            {"protocolVersions":["2026-11-01"],"client":{"name":"test","version":"1"}\(auth)}
            """)
    }

    func sql(_ text: String) async throws {
        try await pool.withConnection(as: .service) { try await $0.script(text) }
    }

    /// What the audit log says was done, newest first.
    func actions() async throws -> [String] {
        try await pool.withConnection(as: .service) { db in
            try await AuditRepository.list(actor: nil, limit: 500, on: db).map(\.action)
        }
    }
}

extension TOTP {
    /// As an authenticator app is given the secret.
    init?(base32 text: String) {
        var (bytes, buffer, bits): ([UInt8], UInt32, Int) = ([], 0, 0)
        for character in text.utf8 {
            guard
                let value = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8).firstIndex(of: character)
            else { return nil }
            buffer = (buffer << 5 | UInt32(value)) & 0xFFFF
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        self.init(secret: bytes)
    }
}
