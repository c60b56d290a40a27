package import Foundation

/// Why a chunk is, or is not, among the hits of a search.
package struct Explanation: Sendable, Equatable {
    /// What keeps a chunk out: the first thing that would have to change. There may be another behind it.
    package enum Cause: Sendable, Equatable {
        /// These fields of the filter do not let it through; taking out fewer changes nothing.
        case filtered([FilterField])
        /// It has no vector yet.
        case notEmbedded
        /// A lexical search, and none of the query's words stands in it.
        case noWord
        /// A hybrid search, and neither score has it among its best `depth`.
        case pool(denseRank: Int, lexicalRank: Int?, depth: Int)
        /// More than k chunks are better.
        case rank
        /// Its score is below `minScore`.
        case threshold
        /// It was left out for being like a hit before it.
        case diversity
        /// There was no room for its tokens.
        case tokenBudget(tokens: Int)
    }

    /// Fields of the filter by the names they have on the wire.
    package enum FilterField: String, Sendable, CaseIterable {
        case documents, topics, pages, types, createdFrom, createdBefore
    }

    package var chunk: UUID
    /// Its place among the hits; nil when it is not there, and `cause` says why.
    package var hit: Int?
    package var cause: Cause?
    package var scores: HitScores
    /// From 1, by the score that decides, among the `count` chunks that pass the filter; nil where it has no rank among them.
    package var rank: Int?
    package var count: Int
    /// By how much its score is below that of the k-th; negative when it is above.
    package var gap: Float?
}
