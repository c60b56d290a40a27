// Re-embeddings, as the commands ask for them.

import CarrelClient
import Foundation

struct ReembedPlanShape: Codable, Sendable {
    var session: UUID
    var title: String
    var fromModel: String
    var chunks: Int
    var texts: Int
    var tokens: Int
    var textsToEmbed: Int
    var tokensToEmbed: Int
    var seconds: Double?
    var cost: Double?
    var obstacle: String?
}

struct ReembedRunShape: Codable, Sendable {
    struct Gate: Codable, Sendable {
        var queries: Int
        var overlapAt10: Double?
        var ndcgAt10Before: Double?
        var ndcgAt10After: Double?
        var objection: String?
        var forced: Bool
    }
    struct Refusal: Codable, Sendable {
        var chunk: UUID
        var reason: String
    }

    var session: UUID
    var job: UUID
    var state: String
    var stage: String?
    var fromModel: String
    var toModel: String
    var done: Int
    var total: Int
    var embedded: Int
    var reused: Int
    var textsPerSecond: Double?
    var secondsLeft: Double?
    var stoppedBecause: String?
    var refused: [Refusal]?
    var gate: Gate?
    var switchMs: Double?
    var switchedAt: String?
    var retainedUntil: String?

    var isWaiting: Bool { state == "WAITING" || state == "RUNNING" }
}

/// What `reembed.start` takes besides the session.
struct ReembedTermsShape: Encodable, Sendable {
    struct Judgement: Codable, Sendable {
        struct Relevant: Codable, Sendable {
            var chunk: UUID
            var grade: Int
        }
        var query: String
        var relevant: [Relevant]
    }

    var model: String
    var session: UUID?
    var force: Bool?
    var minOverlap: Double?
    var maxLoss: Double?
    var queries: Int?
    var retainSeconds: Int?
    var paused: Bool?
    var judgements: [Judgement]?
}

extension Remote {
    struct ReembedRuns: Codable, Sendable {
        struct Skipped: Codable, Sendable {
            var session: UUID
            var reason: String
        }
        var runs: [ReembedRunShape]
        var skipped: [Skipped]?
    }

    private struct Which: Encodable {
        var session: UUID?
        var force: Bool?
    }

    func planReembedding(
        model: String, session: UUID?, price: Double?
    ) async throws -> [ReembedPlanShape] {
        struct Parameters: Encodable {
            var model: String
            var session: UUID?
            var pricePerMillionTokens: Double?
        }
        struct Answer: Decodable { let sessions: [ReembedPlanShape] }
        let answer: Answer = try await call(
            "reembed.plan",
            Parameters(model: model, session: session, pricePerMillionTokens: price))
        return answer.sessions
    }

    func startReembedding(_ terms: ReembedTermsShape) async throws -> ReembedRuns {
        try await call("reembed.start", terms)
    }

    func reembeddings(of session: UUID?) async throws -> [ReembedRunShape] {
        let answer: ReembedRuns = try await call("reembed.status", Which(session: session))
        return answer.runs
    }

    /// `verb` is pause, cancel or rollback.
    func reembeddings(_ verb: String, of session: UUID?) async throws -> ReembedRuns {
        try await call("reembed.\(verb)", Which(session: session))
    }

    func resumeReembeddings(of session: UUID?, isForced: Bool) async throws -> ReembedRuns {
        try await call("reembed.resume", Which(session: session, force: isForced))
    }

    /// Shows how far these are until none of them waits or runs; how they stand then.
    func follow(_ runs: [ReembedRunShape], quiet: Bool) async throws -> [ReembedRunShape] {
        let jobs = Set(runs.map(\.job))
        let one = runs.count == 1 ? runs[0].session : nil
        let progress = Progress("re-embedding", unit: "chunks", quiet: quiet)
        while true {
            let now = try await reembeddings(of: one).filter { jobs.contains($0.job) }
            progress.update(
                done: now.reduce(0) { $0 + $1.done }, total: now.reduce(0) { $0 + $1.total })
            if !now.contains(where: \.isWaiting) {
                progress.finish()
                return now
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
