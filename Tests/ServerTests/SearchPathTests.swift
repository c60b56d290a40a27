// Searches of sessions in memory: on the event loop, on a thread that computes, or by a task, the
// answer is one and the same.

import Accounts
import Embedding
import Foundation
import Library
import Postgres
import Retrieval
import Server
import TestSupport
import Testing
import Vectors
import Wire

@Suite("A search of a session in memory")
struct SearchPathTests {
    /// Where searches are answered, and what makes it so.
    enum Way: String, CaseIterable, Sendable {
        case onLoop, onPool

        var longestOnLoop: Duration { self == .onLoop ? .seconds(3600) : .zero }
    }

    @Test("Wherever it is answered it finds what PostgreSQL finds", arguments: Way.allCases)
    func sameAnswers(way: Way) async throws {
        try await withServer {
            $0.longestOnLoop = way.longestOnLoop
        } _: { test in
            var random = Seeded(state: 7)
            let session = try await test.filled(chunks: 150, &random)
            try await session.becomeResident(way.rawValue)
            let database = Searcher(
                pool: test.pool, embedders: EmbedderRegistry([SlowEmbedder()]))
            let id = try #require(UUID(uuidString: session.id))
            // On a machine so busy that a read is late, a search takes the long way: ask again.
            var answeredThere = 0
            let end = ContinuousClock.now.advanced(by: .seconds(30))
            while answeredThere < 12, ContinuousClock.now < end {
                let before = try await session.answered(way.rawValue)
                let vector = direction(&random)
                let answer = try await session.search(vector, "\"k\":7")
                let hits = try await database.search(
                    SearchRequest(
                        as: .service, session: id,
                        query: .vector(try UnitVector(normalizing: vector)), k: 7)
                ).hits
                let found = try #require(answer.at("result", "hits")?.array, "\(answer.text)")
                #expect(
                    found.map { $0.at("chunk")?.string }
                        == hits.map { $0.chunk.uuidString.lowercased() })
                #expect(found.map { $0.at("text")?.string } == hits.map(\.text.string))
                #expect(
                    found.map { $0.at("score")?.double.map { Float($0) } } == hits.map(\.score))
                #expect(answer.at("result", "meta", "plan")?.string == "scan")
                answeredThere += try await session.answered(way.rawValue) - before
            }
            #expect(answeredThere == 12)
        }
    }

    @Test("A burst is answered whole, each request once", arguments: Way.allCases)
    func burst(way: Way) async throws {
        try await withServer {
            $0.longestOnLoop = way.longestOnLoop
        } _: { test in
            var random = Seeded(state: 8)
            let session = try await test.filled(chunks: 40, &random)
            try await session.becomeResident(way.rawValue)
            for _ in 0..<5 {
                let lines = (100..<160).map { id in
                    id % 3 == 0
                        ? request(id, "ping")
                        : session.line(id, direction(&random), "\"k\":3")
                }
                try await session.client.send(lines.joined(separator: "\n"))
                var answered: [Int: Int] = [:]
                for _ in lines {
                    let answer = try await session.client.next()
                    #expect(answer.at("result") != nil, "\(answer.text)")
                    answered[answer.at("id")?.int ?? -1, default: 0] += 1
                }
                #expect(answered.count == lines.count)
            }
        }
    }

    @Test("A wrong field is refused by name, and the right searches around it are answered")
    func refusals() async throws {
        try await withServer { test in
            var random = Seeded(state: 9)
            let session = try await test.filled(chunks: 20, &random)
            try await session.becomeResident("onLoop")
            session.client.push(session.line(50, direction(&random), "\"k\":3"))
            session.client.push(session.line(51, direction(&random), "\"k\":0"))
            session.client.push(session.line(52, [1, 2], "\"k\":3"))
            session.client.push(session.line(53, direction(&random), "\"k\":3"))
            #expect(try await session.client.answer(50).at("result", "hits", "2") != nil)
            let wrong = try await session.client.answer(51)
            #expect(wrong.errorKind == "invalid_params")
            #expect(wrong.at("error", "data", "field")?.string == "k")
            #expect(try await session.client.answer(52).errorKind == "invalid_vector")
            #expect(try await session.client.answer(53).at("result", "hits", "2") != nil)
        }
    }

    @Test(
        "What ends a right to search ends it with the next search",
        arguments: ["key", "account", "session"], Way.allCases)
    func endedRights(what: String, way: Way) async throws {
        try await withServer {
            $0.longestOnLoop = way.longestOnLoop
        } _: { test in
            var random = Seeded(state: 10)
            let session = try await test.filled(chunks: 20, &random)
            try await session.becomeResident(way.rawValue)
            // Behind the server's back, as another process would.
            try await test.pool.withTransaction(as: .service) { db in
                let ada = try await KeyService.authenticate(test.key, on: db)
                switch what {
                case "key":
                    try await KeyService.revoke(
                        id: ada.credential.id, profileID: ada.profileID, on: db)
                case "account":
                    try await db.script("UPDATE carrel.profiles SET role = 'ADMIN'")
                    _ = try await Administration.deactivate(
                        ada.profileID, by: nil, Visit("account.deactivate"), on: db)
                default: try await db.script("DELETE FROM carrel.study_sessions")
                }
            }
            let refused = try await session.search(direction(&random), "\"k\":3")
            let expected = what == "session" ? "session_closed" : "unauthenticated"
            #expect(refused.errorKind == expected, "\(refused.text)")
        }
    }

    @Test("Losing the connections to the database costs no answer", arguments: Way.allCases)
    func lostConnections(way: Way) async throws {
        try await withServer {
            $0.longestOnLoop = way.longestOnLoop
        } _: { test in
            var random = Seeded(state: 11)
            let session = try await test.filled(chunks: 20, &random)
            try await session.becomeResident(way.rawValue)
            for _ in 0..<3 {
                try await test.pool.withConnection(as: .service) { db in
                    _ = try await db.query(
                        Statement(
                            "killValidity",
                            """
                            SELECT pg_terminate_backend(pid, 5000)
                            FROM pg_stat_activity
                            WHERE datname = current_database() AND query LIKE '%embedding_model_id, authority%'
                                AND pid <> pg_backend_pid()
                            """))
                }
                for _ in 0..<5 {
                    let answer = try await session.search(direction(&random), "\"k\":3")
                    #expect(answer.at("result", "hits", "2") != nil, "\(answer.text)")
                }
            }
            try await session.becomeResident(way.rawValue)
        }
    }

    private func direction(_ random: inout Seeded) -> [Float] {
        (0..<UnitVector.dimension).map { _ in Float.random(in: -1...1, using: &random) }
    }
}

/// A session with chunks in it, and a client that has it open.
private struct FilledSession {
    let client: LineClient
    let handle: String
    let id: String

    func line(_ id: Int, _ vector: [Float], _ options: String) -> String {
        request(
            id, "search", "{\"session\":\"\(handle)\",\(options),\"vector\":\(vector)}")
    }

    func search(_ vector: [Float], _ options: String) async throws -> JSONValue {
        try await client.send(line(99, vector, options))
        return try await client.answer(99)
    }

    /// How many searches the server has answered in a place.
    func answered(_ place: String) async throws -> Int {
        try await client.call(98, "server.status").at("result", "searches", place)?.int ?? 0
    }

    /// Searches until one is answered in this place: the session has to be read, and the worker's
    /// connection opened.
    func becomeResident(_ place: String) async throws {
        let before = try await answered(place)
        let vector = [1] + [Float](repeating: 0, count: UnitVector.dimension - 1)
        let end = ContinuousClock.now.advanced(by: .seconds(30))
        while ContinuousClock.now < end {
            for _ in 0..<4 { _ = try await search(vector, "\"k\":1") }
            if try await answered(place) > before { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("no search was answered \(place)")
    }
}

extension TestServer {
    fileprivate func filled(
        chunks count: Int, _ random: inout Seeded
    ) async throws -> FilledSession {
        let (client, handle, id) = try await session()
        var chunks: [String] = []
        for number in 0..<count {
            let vector = (0..<UnitVector.dimension).map { _ in
                Float.random(in: -1...1, using: &random)
            }
            chunks.append("{\"text\":\"Chunk \(number) \\\"é\\\"\",\"vector\":\(vector)}")
        }
        for (number, start) in stride(from: 0, to: count, by: 50).enumerated() {
            let part = chunks[start..<min(start + 50, count)].joined(separator: ",")
            let answer = try await client.call(
                10 + number, "chunk.import",
                "{\"session\":\"\(handle)\",\"document\":\"\(number)\",\"chunks\":[\(part)]}")
            _ = try #require(answer.at("result"), "\(answer.text)")
        }
        return FilledSession(client: client, handle: handle, id: id)
    }
}
