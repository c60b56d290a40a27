// Somebody who searches over the socket, whatever is killed meanwhile.

import CarrelClient
import Embedding
import Foundation
import Synchronization
import Testing
import Vectors

struct SteadfastSearcher: Sendable {
    /// How the searches ended.
    struct Tally: Sendable {
        /// By the model that answered.
        var answers: [String: Int] = [:]
        /// Refused because the database was away.
        var unavailable = 0
        /// Without an answer because the server was away.
        var broken = 0

        static func + (a: Self, b: Self) -> Self {
            Self(
                answers: a.answers.merging(b.answers) { $0 + $1 },
                unavailable: a.unavailable + b.unavailable, broken: a.broken + b.broken)
        }
    }

    let port: Int
    let key: String
    let session: UUID
    let models: [any Embedder]
    let number: Int
    let end: End

    /// Asks until the end, and compares every answer with the model it names.
    ///
    /// - Throws: every refusal but that the database is away.
    func search() async throws -> Tally {
        var tally = Tally()
        var asking = ""
        while !end.hasCome {
            do {
                asking = "initialize"
                let client = try await CarrelClient.connect(
                    host: "127.0.0.1", port: port, apiKey: key)
                let talk: Result<Void, any Error>
                do { talk = .success(try await converse(client, &tally, &asking)) } catch {
                    talk = .failure(error)
                }
                await client.close()
                try talk.get()
            } catch let error as ClientError {
                switch error {
                case .cannotConnect, .disconnected: tally.broken += 1
                case .refused(let refusal) where refusal.kind == "unavailable":
                    tally.unavailable += 1
                default: throw Failure(asking: asking, error: error)
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        return tally
    }

    private struct Failure: Error {
        let asking: String
        let error: ClientError
    }

    private struct Opened: Decodable { let handle: String }

    private struct Question: Encodable {
        let session: String
        let text: String
        let k: Int
        let consistency: String
    }

    private struct Answer: Decodable {
        struct Hit: Decodable {
            let text: String
            let score: Float
        }
        struct Meta: Decodable { let model: String }
        let hits: [Hit]
        let meta: Meta
    }

    /// With one handle as long as the connection lasts: it outlives every switch, and every crash of the
    /// database.
    private func converse(
        _ client: CarrelClient, _ tally: inout Tally, _ asking: inout String
    ) async throws {
        asking = "session.open"
        let opened: Opened = try await client.call(
            "session.open", ["session": session.uuidString.lowercased()])
        asking = "search"
        var count = 0
        while !end.hasCome {
            let text = "Passage \((count + number) % 50) tells of matter"
            let answer: Answer
            do throws(ClientError) {
                answer = try await client.call(
                    "search",
                    Question(
                        session: opened.handle, text: text, k: 5,
                        consistency: ["strong", "session", "cached"][(count / 7 + number) % 3]),
                    timeout: .seconds(120))
            } catch {
                guard case .refused(let refusal) = error, refusal.kind == "unavailable" else {
                    throw error
                }
                tally.unavailable += 1
                try await Task.sleep(for: .milliseconds(20))
                continue
            }
            try await compare(answer, to: text)
            tally.answers[answer.meta.model, default: 0] += 1
            count += 1
        }
    }

    private func compare(_ answer: Answer, to text: String) async throws {
        let name = answer.meta.model
        let model = try #require(models.first { $0.identity.name == name }, "\(name)")
        #expect(answer.hits.count == 5)
        let asked = try await model.embed([text], as: .query).row(0)
        let found = try await model.embed(answer.hits.map(\.text), as: .passage)
        for (place, hit) in answer.hits.enumerated() {
            let own = zip(asked, found.row(place)).reduce(Float(0)) { $0 + $1.0 * $1.1 }
            #expect(abs(own - hit.score) < 1e-3, "\(name): \(hit.score), not \(own)")
        }
    }
}

/// Tells who goes on that it is enough.
final class End: Sendable {
    private let isHere = Atomic(false)

    var hasCome: Bool { isHere.load(ordering: .relaxed) }
    func come() { isHere.store(true, ordering: .relaxed) }
}
