// Somebody who embeds elsewhere, for the tests of that: asks for texts and gives vectors.

import Embedding
import Foundation
import TestSupport
import Testing
import Vectors
import Wire

/// A text as it was given out.
struct WantedText {
    let chunk: String
    let md5: String
    let text: String
}

enum Embeddery {
    static func sentences(_ count: Int) -> [String] {
        (0..<count).map { "Sentence \($0) is told of matter \($0 % 7)." }
    }

    /// A paused run of the session to the model "noise"; its job.
    static func pausedRun(_ desk: StudyDesk) async throws -> String {
        let started = try await desk.client.call(
            10, "reembed.start",
            "{\"model\":\"noise\",\"session\":\"\(desk.id)\",\"paused\":true,\"force\":true}")
        return try #require(started.at("result", "runs", "0", "job")?.string, "\(started.text)")
    }

    /// All that is left, in pages of `limit`.
    static func texts(
        _ desk: StudyDesk, _ job: String, limit: Int = 500
    ) async throws -> [WantedText] {
        var texts: [WantedText] = []
        var cursor = ""
        while true {
            let answer = try await desk.client.call(
                11, "reembed.texts", "{\"job\":\"\(job)\",\"limit\":\(limit)\(cursor)}")
            let page = try #require(answer.at("result", "texts")?.array, "\(answer.text)")
            texts += try page.map {
                WantedText(
                    chunk: try #require($0.at("chunk")?.string),
                    md5: try #require($0.at("md5")?.string),
                    text: try #require($0.at("text")?.string))
            }
            #expect((answer.at("result", "left") != nil) == cursor.isEmpty)
            guard let next = answer.at("result", "next")?.string else { return texts }
            cursor = ",\"cursor\":\"\(next)\""
        }
    }

    static func given(_ text: WantedText, _ vector: [Float]) -> String {
        """
        {"chunk":"\(text.chunk)","md5":"\(text.md5)","vectorB64":"\(Vector.encode(vector))"}
        """
    }

    static func stage(
        _ desk: StudyDesk, _ job: String, _ vectors: [String], skipping: Bool = false
    ) async throws -> JSONValue {
        try await desk.client.call(
            12, "reembed.stage",
            """
            {"job":"\(job)","vectors":[\(vectors.joined(separator: ","))],"skipOutdated":\(skipping)}
            """)
    }

    /// What the model makes of a text.
    static func vector(of text: WantedText) async throws -> [Float] {
        Array(try await NoiseEmbedder().embed([text.text], as: .passage).row(0))
    }

    static func left(_ desk: StudyDesk, _ job: String) async throws -> Int? {
        try await desk.client.call(13, "reembed.texts", "{\"job\":\"\(job)\",\"limit\":1}")
            .at("result", "left")?.int
    }

    static func run(_ desk: StudyDesk) async throws -> JSONValue {
        let answer = try await desk.client.call(
            14, "reembed.status", "{\"session\":\"\(desk.id)\"}")
        return try #require(answer.at("result", "runs", "0"), "\(answer.text)")
    }

    static func finish(_ desk: StudyDesk) async throws -> JSONValue {
        let resumed = try await desk.client.call(
            15, "reembed.resume", "{\"session\":\"\(desk.id)\"}")
        try #require(resumed.at("result") != nil, "\(resumed.text)")
        for _ in 0..<3_000 {
            let run = try await run(desk)
            if run.at("state")?.string == "SWITCHED" { return run }
            try await Task.sleep(for: .milliseconds(30))
        }
        Issue.record("it did not get to the switch: \(try await run(desk).text)")
        throw CancellationError()
    }
}

extension JSONValue {
    var errorField: String? { at("error", "data", "field")?.string }
}
