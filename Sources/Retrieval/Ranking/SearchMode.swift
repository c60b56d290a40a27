package import Lexical

/// What a search goes by.
package enum SearchMode: String, Sendable, CaseIterable {
    /// The vectors: cosine similarity.
    case dense
    /// The words: BM25.
    case lexical
    /// Both, fused.
    case hybrid
}

/// How the rows of an answer are to be ranked.
package struct RankingRequest: Sendable, Equatable {
    package var mode = SearchMode.dense
    package var fusion = Fusion.minMax
    /// 0 ranks by score alone, 1 by unlikeness to the hits before.
    package var diversity: Float = 0
    /// Whose stop words and stems; one index is made and kept for each that is asked for.
    package var language = Language.english

    package init() {}

    /// Whether it takes more than the nearest k vectors.
    package var isPlain: Bool { mode == .dense && diversity == 0 }

    /// How many rows each score brings into the pool for k hits. On the judged collections fifty and
    /// a hundred did as well within 0.005; a thousand lost on one, where scaling lost its hold.
    package static func depth(for k: Int) -> Int { max(k, 200) }
}

/// What is known of a hit's scores; nil is what was not asked for.
package struct HitScores: Sendable, Equatable {
    /// Cosine similarity.
    package var dense: Float?
    /// BM25; 0 where no word of the query stands.
    package var lexical: Float?
    package var fused: Float?

    package init(dense: Float? = nil, lexical: Float? = nil, fused: Float? = nil) {
        self.dense = dense
        self.lexical = lexical
        self.fused = fused
    }
}
