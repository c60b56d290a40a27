// What a re-embedding was asked for, and what its gate found: JSON beside the job.

package import Foundation

/// What must be so before a session's model is switched.
package struct ReembeddingTerms: Sendable, Equatable, Codable {
    /// A question with what answers it: chunks by relevance, larger is better.
    package struct Judgement: Sendable, Equatable, Codable {
        package var query: String
        package var relevant: [UUID: Int]

        package init(query: String, relevant: [UUID: Int]) {
            self.query = query
            self.relevant = relevant
        }
    }

    /// The least part of the first ten hits that both models must agree on, averaged over the queries.
    ///
    /// Two good models of English agree on about half; one that is broken, or was asked for passages
    /// with the wrong prefix, on a tenth.
    package var minimumOverlap = 0.2
    /// By how much nDCG@10 may fall where there are judgements.
    package var largestLoss = 0.02
    /// How many queries are drawn from the session.
    package var queries = 24
    package var judgements: [Judgement] = []
    /// Whether a switch goes on whatever the gate finds.
    package var isForced = false
    /// For how long the vectors before are kept.
    package var retentionSeconds: Int64 = 7 * 86_400

    package init() {}
}

/// What the gate found.
package struct ReembeddingVerdict: Sendable, Equatable, Codable {
    /// Queries that were run against both models.
    package var queries = 0
    /// The part of the first ten hits that both have, averaged; nil when there was nothing to ask.
    package var overlap: Double?
    /// nDCG@10 before and after, where there were judgements.
    package var before: Double?
    package var after: Double?
    /// Why the switch should not be made; nil when it may.
    package var objection: String?
    /// Whether it was made, or is to be made, all the same.
    package var isForced = false

    package init() {}
}

extension ReembeddingTerms {
    package init(json: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(json.utf8))
    }

    package func json() throws -> String {
        String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
    }
}

extension ReembeddingVerdict {
    package init(json: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(json.utf8))
    }

    package func json() throws -> String {
        String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
    }
}
