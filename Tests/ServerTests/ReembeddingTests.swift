// Another model, over the socket: asked for, watched, searched through, taken back.

import Embedding
import Foundation
import Synchronization
import TestSupport
import Testing
import Vectors
import Wire

@Suite("Re-embedding over the socket")
struct ReembeddingTests {
    fileprivate static let queries = (0..<8).map { "passage about matter \($0 * 5)" }

    private static func texts(_ count: Int) -> [String] {
        (0..<count).map {
            "Passage \($0) about matter \($0 % 41) and subject \($0 % 13), told at some length."
        }
    }

    private static func state(_ desk: StudyDesk) async throws -> String {
        let answer = try await desk.client.call(
            5, "reembed.status", "{\"session\":\"\(desk.id)\"}")
        return try #require(answer.at("result", "runs", "0", "state")?.string, "\(answer.text)")
    }

    private static func wait(_ desk: StudyDesk, for wanted: String) async throws {
        for _ in 0..<3_000 {
            if try await state(desk) == wanted { return }
            try await Task.sleep(for: .milliseconds(30))
        }
        Issue.record("it is \(try await state(desk)), not \(wanted)")
    }

    @Test("Planned, stopped by its gate, forced, searched by the handle from before, taken back")
    func wholeStory() async throws {
        try await StudyDesk.with { desk in
            _ = try await desk.store(Self.texts(120))
            let all = "{\"model\":\"noise\",\"session\":\"\(desk.id)\",\"pricePerMillionTokens\":2}"
            let plan = try await desk.client.call(10, "reembed.plan", all)
            let row = plan.at("result", "sessions", "0")
            #expect(row?.at("textsToEmbed")?.int == 120, "\(plan.text)")
            #expect(row?.at("cost")?.double ?? 0 > 0)
            #expect(row?.at("obstacle") == nil)

            let started = try await desk.client.call(
                11, "reembed.start", "{\"model\":\"noise\",\"session\":\"\(desk.id)\"}")
            #expect(started.at("result", "runs", "0", "toModel")?.string == "noise")
            let again = try await desk.client.call(
                12, "reembed.start", "{\"model\":\"noise\",\"session\":\"\(desk.id)\"}")
            #expect(again.errorKind == "conflict", "\(again.text)")
            try await Self.wait(desk, for: "STOPPED")
            let stopped = try await desk.client.call(13, "reembed.status")
            let reason = stopped.at("result", "runs", "0", "stoppedBecause")?.string
            #expect(reason?.hasPrefix("gate: overlap@10") == true, "\(stopped.text)")
            let before = try await desk.call("search", "\"text\":\"\(Self.queries[0])\"")
            #expect(before.at("result", "meta", "model")?.string == "hashing-lexical")

            let job = try #require(stopped.at("result", "runs", "0", "job")?.string)
            try await desk.client.send(
                request(14, "job.subscribe", "{\"job\":\"\(job)\"}"))
            _ = try await desk.client.answer(14)
            let resumed = try await desk.client.call(
                15, "reembed.resume", "{\"session\":\"\(desk.id)\",\"force\":true}")
            #expect(resumed.at("result", "runs", "0", "job")?.string == job, "\(resumed.text)")
            _ = try await desk.client.next("its end") {
                $0.at("method")?.string == "$/progress"
                    && $0.at("params", "state")?.string == "SUCCEEDED"
            }
            let after = try await desk.call("search", "\"text\":\"\(Self.queries[0])\"")
            #expect(after.at("result", "meta", "model")?.string == "noise", "\(after.text)")
            let vector = Array(repeating: "0.1", count: 768).joined(separator: ",")
            let given = try await desk.call("search", "\"vector\":[\(vector)]")
            #expect(given.errorKind == "model_changed", "\(given.text)")
            let opened = try await desk.client.call(
                16, "session.open", "{\"session\":\"\(desk.id)\"}")
            let handle = try #require(opened.at("result", "handle")?.string)
            let anew = try await desk.client.call(
                17, "search", "{\"session\":\"\(handle)\",\"vector\":[\(vector)]}")
            #expect(anew.at("result", "hits") != nil, "\(anew.text)")
            let near = try await desk.call(
                "chunk.neighbors",
                "\"chunk\":\"\(after.at("result", "hits", "0", "chunk")?.string ?? "")\"")
            #expect(near.at("result", "meta", "model")?.string == "noise", "\(near.text)")

            let back = try await desk.client.call(
                18, "reembed.rollback", "{\"session\":\"\(desk.id)\"}")
            #expect(back.at("result", "runs", "0", "toModel")?.string == "hashing-lexical")
            try await Self.wait(desk, for: "SWITCHED")
            let restored = try await desk.call("search", "\"text\":\"\(Self.queries[0])\"")
            #expect(
                restored.at("result", "hits")?.text == before.at("result", "hits")?.text)
        }
    }

    @Test("Another account's session cannot be planned, begun, paused or taken back")
    func strangers() async throws {
        try await StudyDesk.with { desk in
            _ = try await desk.store(["one text"])
            let stranger = try await desk.test.client(key: desk.test.otherKey)
            let session = "\"session\":\"\(desk.id)\""
            for (method, params) in [
                ("plan", "{\"model\":\"noise\",\(session)}"),
                ("start", "{\"model\":\"noise\",\(session)}"), ("status", "{\(session)}"),
                ("pause", "{\(session)}"), ("resume", "{\(session)}"),
                ("cancel", "{\(session)}"), ("rollback", "{\(session)}"),
            ] {
                let answer = try await stranger.call(20, "reembed.\(method)", params)
                #expect(answer.errorKind == "not_found", "\(method): \(answer.text)")
            }
            let all = try await stranger.call(21, "reembed.start", "{\"model\":\"noise\"}")
            #expect(all.at("result", "runs")?.array.map { Array($0).count } == 0, "\(all.text)")
            let none = try await desk.client.call(22, "reembed.start", "{\"model\":\"nobody\"}")
            #expect(none.errorKind == "invalid_params")
        }
    }

    @Test("Sixteen clients search throughout two switches: none fails, and no answer mixes models")
    func underLoad() async throws {
        try await StudyDesk.with { desk in
            let texts = Self.texts(400)
            var ids: [String] = []
            for start in stride(from: 0, to: texts.count, by: 200) {
                ids += try await desk.store(
                    Array(texts[start..<start + 200]), in: "notes \(start)")
            }
            let expected = [
                "hashing-lexical": try await Self.scores(of: texts, by: HashingEmbedder()),
                "noise": try await Self.scores(of: texts, by: NoiseEmbedder()),
            ]
            let place = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
            let end = End()
            var searchers: [Searcher] = []
            for number in 0..<16 {
                let client = try await desk.test.client()
                let opened = try await client.call(
                    1, "session.open", "{\"session\":\"\(desk.id)\"}")
                let handle = try #require(opened.at("result", "handle")?.string)
                searchers.append(
                    Searcher(
                        client: client, handle: handle, number: number, expected: expected,
                        place: place, end: end))
            }
            let told = try await withThrowingTaskGroup(of: [String: Int].self) { group in
                for searcher in searchers { group.addTask { try await searcher.search() } }
                let force = "{\"model\":\"noise\",\"session\":\"\(desk.id)\",\"force\":true}"
                _ = try await desk.client.call(30, "reembed.start", force)
                try await Self.wait(desk, for: "SWITCHED")
                try await Task.sleep(for: .milliseconds(300))
                _ = try await desk.client.call(
                    31, "reembed.rollback", "{\"session\":\"\(desk.id)\"}")
                try await Self.wait(desk, for: "SWITCHED")
                try await Task.sleep(for: .milliseconds(300))
                end.come()
                var told: [String: Int] = [:]
                for try await counts in group { told.merge(counts) { $0 + $1 } }
                return told
            }
            #expect(told["hashing-lexical", default: 0] > 16 && told["noise", default: 0] > 16)
        }
    }

    /// By query, the cosine of every text.
    private static func scores(
        of texts: [String], by model: some Embedder
    ) async throws -> [[Float]] {
        let rows = try await model.embed(texts, as: .passage)
        let asked = try await model.embed(queries, as: .query)
        return queries.indices.map { query in
            let vector = asked.row(query)
            return texts.indices.map { text in
                zip(vector, rows.row(text)).reduce(0) { $0 + $1.0 * $1.1 }
            }
        }
    }
}

/// Tells those who go on that it is enough.
private final class End: Sendable {
    private let isHere = Atomic(false)

    var hasCome: Bool { isHere.load(ordering: .relaxed) }
    func come() { isHere.store(true, ordering: .relaxed) }
}

/// A client that compares every answer with the model it names.
private struct Searcher: Sendable {
    let client: LineClient
    let handle: String
    let number: Int
    /// By model and query, the score of every text.
    let expected: [String: [[Float]]]
    /// Which text a chunk is.
    let place: [String: Int]
    let end: End

    /// Searches until the end; how many answers each model gave.
    func search() async throws -> [String: Int] {
        var told: [String: Int] = [:]
        var calls = 10
        while !end.hasCome {
            calls += 1
            let query = (calls + number) % ReembeddingTests.queries.count
            let consistency = ["strong", "session", "cached"][(calls / 7 + number) % 3]
            let answer = try await client.call(
                calls, "search",
                """
                {"session":"\(handle)","text":"\(ReembeddingTests.queries[query])","k":5,\
                "consistency":"\(consistency)"}
                """)
            let model = try #require(
                answer.at("result", "meta", "model")?.string, "\(answer.text)")
            told[model, default: 0] += 1
            let scores = try #require(expected[model]?[query])
            let best = scores.sorted(by: >).prefix(5)
            let hits = try #require(answer.at("result", "hits")?.array).map { $0 }
            #expect(hits.count == 5)
            for (hit, wanted) in zip(hits, best) {
                let score = Float(hit.at("score")?.double ?? -2)
                let own = try #require(place[hit.at("chunk")?.string ?? ""])
                #expect(
                    abs(score - wanted) < 1e-4 && abs(score - scores[own]) < 1e-4,
                    "\(model): \(score), its own \(scores[own]), wanted \(wanted)")
            }
        }
        return told
    }
}
