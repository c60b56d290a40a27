// A server and a session that is to have another model, embedded by somebody else.

import CarrelClient
import Foundation
import TestSupport
import Testing
import Wire

/// A server whose own model cannot be reached, and a session with vectors that were given, on its way
/// to the hashing model: whatever the server embeds there is by that.
struct ShardDesk {
    let home: String
    let session: String
    let job: String
    let client: CarrelClient

    var shards: String { home + "/shards" }

    func carrel(_ arguments: String...) async throws -> Outcome {
        try await CarrelProcess.run(arguments, home: home)
    }

    func export(_ shardSize: Int = 40) async throws -> Outcome {
        try await carrel(
            "reembed", "export", "--job", job, "--out", shards, "--shard-size", "\(shardSize)")
    }

    func load() async throws -> Outcome {
        try await carrel("reembed", "load", "--job", job, shards)
    }

    func left() async throws -> Int? {
        try await client.request("reembed.texts") {
            $0.member("job", job)
            $0.member("limit", 1)
        }["left"]?.int
    }

    func run() async throws -> JSONObject {
        let answer = try await client.request("reembed.status") {
            $0.member("session", session)
        }
        return try #require(answer["runs"]?.array?.map { $0 }.first?.object)
    }

    static let count = 150

    static func text(_ number: Int) -> String {
        "Passage \(number) on matter \(number % 7) says \"more\", \\ and äöü \(number % 3)."
    }

    /// Serves for one test; `text` is what each passage says.
    static func with(
        saying text: (Int) -> String = text, _ body: (ShardDesk) async throws -> Void
    ) async throws {
        let home = try TestDirectory.make("shards-\(UUID().uuidString.prefix(8))")
        let server = try Running(
            [
                "serve", "--port", "0", "--embedding-url", "http://127.0.0.1:1/v1",
                "--embedding-model", "elsewhere",
            ], home: home)
        defer { server.kill() }
        _ = try await server.line(holding: "carrel: listening on 127.0.0.1:")
        func carrel(_ arguments: String...) async throws -> Outcome {
            let outcome = try await CarrelProcess.run(arguments, home: home)
            try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
            return outcome
        }
        let session = try await carrel("session", "create", "Far").output
            .trimmingCharacters(in: .newlines).lowercased()
        let lines = try (0..<count).map { number in
            let vector = (0..<768).map { $0 == number % 768 ? Float(1) : 0 }
            return String(
                decoding: try JSONSerialization.data(withJSONObject: [
                    "text": text(number), "vectorB64": Vector.encode(vector),
                ]), as: UTF8.self)
        }
        let file = home + "/passages.jsonl"
        try lines.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
        _ = try await carrel("import", file, "--session", session)
        // Without queries there is nothing to ask the unreachable model.
        let started = try await carrel(
            "reembed", "start", "--model", "hashing-lexical", "--session", session, "--queries",
            "0", "--paused")
        let job = try #require(
            started.output.split(separator: "\n").first { $0.contains("as job ") }?
                .split(separator: " ").last.map(String.init), "\(started.output)")
        let address = try JSONDecoder().decode(
            Address.self, from: try Data(contentsOf: URL(filePath: home + "/client.json")))
        let client = try await CarrelClient.connect(
            host: address.host, port: address.port, apiKey: address.apiKey)
        try await body(ShardDesk(home: home, session: session, job: job, client: client))
        await client.close()
        server.terminate()
        #expect(await server.ended().status == 0)
    }

    private struct Address: Decodable {
        let host: String
        let port: Int
        let apiKey: String
    }
}
