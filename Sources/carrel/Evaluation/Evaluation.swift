// A judged collection, asked over the socket.

import Foundation

/// What an evaluation found out.
struct EvaluationReport: Encodable, Sendable {
    struct Times: Encodable, Sendable {
        let p50Milliseconds: Double
        let p99Milliseconds: Double

        init(milliseconds sample: [Double]) {
            let percentiles = Percentiles(sample)
            p50Milliseconds = percentiles.at(0.50)
            p99Milliseconds = percentiles.at(0.99)
        }
    }

    let collection: String
    let model: String
    let sessions: Int
    let passages: Int
    let emptyPassages: Int
    let plans: [String: Int]
    let ranking: RankingShape
    let quality: Quality
    let server: Times
    let roundTrip: Times
}

struct Evaluation {
    /// As deep as the deepest measure looks.
    private static let depth = 100

    let server: Remote
    let collection: Collection
    let model: String?
    var ranking = RankingShape()
    let quiet: Bool

    /// Loads what is not there yet, asks every judged question once, one after the other, and rates
    /// the rankings.
    ///
    /// With `bySession`, a question is asked in its own session of the collection.
    func run(bySession: Bool) async throws -> EvaluationReport {
        var parts: [(questions: [Collection.Question], loaded: CorpusLoad.Loaded)] = []
        for part in try self.parts(bySession: bySession) {
            let loaded = try await CorpusLoad(server: server, model: model)
                .session(titled: part.title, part.passages, quiet: quiet)
            parts.append((part.questions, loaded))
        }

        var rankings: [String: [String]] = [:]
        var answers: [TimedAnswer] = []
        let total = parts.reduce(0) { $0 + $1.questions.count }
        let progress = Progress("ask", unit: "questions", quiet: quiet)
        for (questions, loaded) in parts {
            for question in questions {
                let answer = try await server.timedSearch(
                    session: loaded.handle, text: question.text, k: Self.depth,
                    ranking: ranking)
                answers.append(answer)
                rankings[question.id] = answer.chunks.compactMap { loaded.corpusIDs[$0] }
                progress.update(done: answers.count, total: total)
            }
        }
        progress.finish()
        return EvaluationReport(
            collection: collection.name,
            model: Set(parts.map(\.loaded.model)).sorted().joined(separator: ", "),
            sessions: parts.count, passages: parts.reduce(0) { $0 + $1.loaded.corpusIDs.count },
            emptyPassages: collection.emptyPassages,
            plans: Dictionary(answers.map { ($0.plan, 1) }, uniquingKeysWith: +),
            ranking: ranking, quality: Quality(of: rankings, collection.judgements),
            server: .init(milliseconds: answers.map(\.serverMilliseconds)),
            roundTrip: .init(milliseconds: answers.map(\.roundTripMilliseconds)))
    }

    private struct Part {
        let title: String
        let passages: [Collection.Passage]
        let questions: [Collection.Question]
    }

    private func parts(bySession: Bool) throws -> [Part] {
        let title = "evaluate \(collection.name) \(collection.fingerprint)"
        let judged = collection.questions.filter { collection.judgements.isJudged($0.id) }
        guard bySession else {
            return [Part(title: title, passages: collection.passages, questions: judged)]
        }
        guard !collection.sessions.isEmpty else {
            throw Failure("\(collection.name) has no sessions.tsv, so it cannot go by session")
        }
        return collection.sessions.map { session in
            Part(
                title: "\(title) \(session.name)",
                passages: collection.passages.filter { session.groups.contains($0.group ?? "") },
                questions: judged.filter { session.groups.contains($0.group ?? "") })
        }
    }
}
