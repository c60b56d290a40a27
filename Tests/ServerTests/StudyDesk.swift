// A session on the socket with a few passages in it, for tests of topics, plans and chats.

import Foundation
import Ingestion
import Testing
import Wire

struct StudyDesk {
    let test: TestServer
    let client: LineClient
    let handle: String
    let id: String

    /// A server whose worker runs, and an open session without content.
    static func with(_ body: (StudyDesk) async throws -> Void) async throws {
        try await withServer { test in
            let worker = Task { await test.ingestor.run() }
            defer { worker.cancel() }
            let (client, handle, id) = try await test.session()
            try await body(StudyDesk(test: test, client: client, handle: handle, id: id))
        }
    }

    /// Calls a method of the session; `members` follow the handle.
    @discardableResult
    func call(_ method: String, _ members: String = "") async throws -> JSONValue {
        let rest = members.isEmpty ? "" : "," + members
        return try await client.call(
            Int.random(in: 1000..<1_000_000_000), method, "{\"session\":\"\(handle)\"\(rest)}")
    }

    /// Imports passages and returns their chunk ids.
    func store(_ texts: [String], in document: String = "notes") async throws -> [String] {
        let chunks = texts.map { "{\"text\":\"\($0)\"}" }.joined(separator: ",")
        let answer = try await call(
            "chunk.import", "\"document\":\"\(document)\",\"chunks\":[\(chunks)]")
        let ids = try #require(answer.at("result", "chunks")?.array, "\(answer.text)")
        return ids.compactMap(\.string)
    }

    /// Makes a topic and waits until chunks are related to it; its id.
    func topic(_ title: String, _ subtopics: [String] = []) async throws -> String {
        let list = subtopics.map { "\"\($0)\"" }.joined(separator: ",")
        let made = try await call(
            "topic.create", "\"title\":\"\(title)\",\"subtopics\":[\(list)]")
        try await finish(made)
        return try #require(made.at("result", "topic", "id")?.string, "\(made.text)")
    }

    /// Waits for the job that an answer names.
    func finish(_ answer: JSONValue) async throws {
        let job = try #require(answer.at("result", "job", "id")?.string, "\(answer.text)")
        let end = ContinuousClock.now.advanced(by: .seconds(180))
        while ContinuousClock.now < end {
            let now = try await client.call(999, "job.get", "{\"job\":\"\(job)\"}")
            let state = now.at("result", "job", "state")?.string ?? ""
            if state == "SUCCEEDED" { return }
            try #require(["QUEUED", "RUNNING"].contains(state), "\(now.text)")
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("the job did not end: \(answer.text)")
    }

    /// The chunks that a search with this filter of topics finds, in no order.
    func found(topics: [String], plan: String? = nil) async throws -> Set<String> {
        let list = topics.map { "\"\($0)\"" }.joined(separator: ",")
        let answer = try await call(
            "search", "\"text\":\"anything\",\"k\":1000,\"filter\":{\"topics\":[\(list)]}")
        let hits = try #require(answer.at("result", "hits")?.array, "\(answer.text)")
        if let plan { #expect(answer.at("result", "meta", "plan")?.string == plan) }
        return Set(hits.compactMap { $0.at("chunk")?.string })
    }

    func status() async throws -> String {
        let answer = try await client.call(998, "session.get", "{\"session\":\"\(id)\"}")
        return answer.at("result", "session", "status")?.string ?? answer.text
    }

    func move(to status: String) async throws -> JSONValue {
        try await client.call(
            997, "session.update", "{\"session\":\"\(id)\",\"status\":\"\(status)\"}")
    }
}
