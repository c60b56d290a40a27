// What a caller asks of one session. Everything in it was checked at the edge, except what only the
// database can know.

package import Foundation
import Lexical
package import Library
package import Postgres
package import Vectors

/// One question to one session.
package struct SearchRequest: Sendable {
    /// Whose search it is: what it reads of the database is read on their behalf.
    package var asker: Asker
    /// The wall. It comes from the caller's handle; the filter has no field for it.
    package var session: UUID
    package var query: SearchQuery
    /// How many hits at most, 1 to 1,000.
    package var k: Int
    /// Applied before the cut to k. Without types, CHILD rows are searched.
    package var filter: SearchFilter
    /// Hits with a smaller score, of whatever kind the mode ranks by, are left out.
    package var minScore: Float?
    package var expansion: Expansion
    /// The most tokens of text that the answer may hold.
    package var tokenBudget: Int?
    /// Checked between stages; past it the search throws `deadlineExceeded`.
    package var deadline: ContinuousClock.Instant?
    /// The model that a vector in `query` is of: the one the caller's handle was opened with. A session
    /// that has moved on throws `modelChanged`, because a vector of another model would be compared
    /// without meaning. A text is embedded with whatever model the session has.
    package var model: UUID?
    /// The key or login that asks: a search refuses when it was revoked. Nil asks without one.
    package var credential: UUID?
    /// What is to be sure of completeness, where there is a choice.
    package var exactness: Exactness
    package var consistency: Consistency
    /// By vectors unless it says otherwise.
    package var ranking = RankingRequest()
    /// What the asker may see of the session. Not a filter of his: it cannot be widened, and nothing
    /// outside of it is told of.
    package var visibility = Visibility.everything
    /// How many chunks on either side `Expansion.siblings` brings.
    package var siblings = 1

    /// The model that the session must have; nil when any will do.
    var expectedModel: UUID? {
        if case .text = query { nil } else { model }
    }

    /// Whether the nearest k vectors and the texts of chunks are all it takes.
    package var isPlain: Bool { ranking.isPlain && expansion.isOfChunks }

    package init(
        as asker: Asker, session: UUID, query: SearchQuery, k: Int = 10,
        filter: SearchFilter = SearchFilter(),
        minScore: Float? = nil, expansion: Expansion = .none, tokenBudget: Int? = nil,
        deadline: ContinuousClock.Instant? = nil, model: UUID? = nil, credential: UUID? = nil,
        exactness: Exactness = .probable, consistency: Consistency = .strong
    ) {
        self.asker = asker
        self.session = session
        self.query = query
        self.k = k
        self.filter = filter
        self.minScore = minScore
        self.expansion = expansion
        self.tokenBudget = tokenBudget
        self.deadline = deadline
        self.model = model
        self.credential = credential
        self.exactness = exactness
        self.consistency = consistency
    }

    /// What the types let through and no search can answer.
    func check() throws(RetrievalError) {
        guard (1...1_000).contains(k) else {
            throw .invalid(field: "k", reason: "expected 1 to 1,000, got \(k)")
        }
        if let tokenBudget, tokenBudget < 1 {
            throw .invalid(field: "tokenBudget", reason: "expected at least 1, got \(tokenBudget)")
        }
        if let minScore, !minScore.isFinite {
            throw .invalid(field: "minScore", reason: "expected a finite number")
        }
        if case .vector = query, ranking.mode != .dense {
            throw .invalid(field: "text", reason: "a \(ranking.mode.rawValue) search needs words")
        }
        if case .vectorAndText = query, ranking.mode != .hybrid {
            throw .invalid(field: "text", reason: "only a hybrid search takes a vector and a text")
        }
        guard ranking.mode == .dense || ranking.language.isAvailable else {
            throw .invalid(
                field: "language",
                reason: "the libraries of this server do not know \(ranking.language.rawValue)")
        }
        guard (0...1).contains(ranking.diversity) else {
            throw .invalid(
                field: "diversity", reason: "expected 0 to 1, got \(ranking.diversity)")
        }
    }
}

/// A vector given, or a text still to be embedded with the session's model.
package enum SearchQuery: Sendable {
    case vector(UnitVector)
    case text(String)
    /// For a hybrid search by whoever embeds: the vector for meaning, the text for its words.
    case vectorAndText(UnitVector, String)
}

/// How new an answer has to be.
package enum Consistency: String, Sendable, CaseIterable {
    /// Everything that was committed before the search began, by anyone. One primary-key read.
    case strong
    /// At least what this process has acknowledged. No read while the session is in memory.
    case session
    /// What this process knows: others' changes as soon as their notification has come. No read.
    case cached
}

/// How much around a hit comes back with it.
package enum Expansion: String, Sendable, CaseIterable {
    /// The chunk itself.
    case none
    /// The parent chunk, once, with every child of it that was hit.
    case parent
    /// Some chunks before and after it in its parent (`SearchRequest.siblings`).
    case siblings
    /// The section it starts in.
    case section
    /// The pages it stands on.
    case page

    /// Whether the texts around a hit are chunks themselves, or passages of the document.
    package var isOfChunks: Bool { self == .none || self == .parent }
}
