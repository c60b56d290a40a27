// What a search found, and what was done to find it.

package import Foundation
package import Library

/// Hits, best first, and the account of how they were found.
package struct SearchAnswer: Sendable {
    package var hits: [Hit]
    package var meta: SearchMeta
}

/// A chunk that answers, with the place it stands in.
package struct Hit: Sendable, Equatable {
    package var chunk: UUID
    package var type: ChunkType
    /// What it is ranked by, larger is better: cosine similarity, BM25, or both fused.
    package var score: Float
    package var scores: HitScores
    /// 1 for the best, without gaps.
    package var rank: Int
    package var text: HitText
    /// Unicode scalar offsets in the document's text.
    package var span: Range<Int>
    package var documentID: UUID
    package var fileName: String
    package var pages: ClosedRange<Int>
    /// The headings above the chunk, outermost first.
    package var section: [String]
    /// With expansion: what the chunk is part of. The hit then stands for all `children`.
    package var parent: ParentHit?

    package init(
        chunk: UUID, type: ChunkType, score: Float, rank: Int, text: HitText, span: Range<Int>,
        documentID: UUID, fileName: String, pages: ClosedRange<Int>, section: [String],
        parent: ParentHit? = nil, scores: HitScores? = nil
    ) {
        self.chunk = chunk
        self.type = type
        self.score = score
        self.scores = scores ?? HitScores(dense: score)
        self.rank = rank
        self.text = text
        self.span = span
        self.documentID = documentID
        self.fileName = fileName
        self.pages = pages
        self.section = section
        self.parent = parent
    }
}

/// A parent chunk, or a passage of the document, and all chunks in it that were hit, best first.
package struct ParentHit: Sendable, Equatable {
    /// Nil for a passage that is no chunk of its own.
    package var chunk: UUID?
    package var text: HitText
    package var span: Range<Int>
    package var children: [ChildHit]
}

/// A hit inside a parent.
package struct ChildHit: Sendable, Equatable {
    package var chunk: UUID
    package var score: Float
    package var span: Range<Int>

    package init(chunk: UUID, score: Float, span: Range<Int>) {
        self.chunk = chunk
        self.score = score
        self.span = span
    }
}

/// How an answer was found. It never claims more than was done.
package struct SearchMeta: Sendable {
    package var plan: PlanKind
    package var certificate: Certificate
    /// Rows whose distance was taken or bounded: all that match (scan, exact), or the candidates
    /// scored (HNSW).
    package var examined: Int
    /// Rows of the session, parents included.
    package var sessionChunks: Int
    /// The revision of the session that every part of the answer belongs to.
    package var revision: Int64
    /// Name of the model whose vectors were compared.
    package var model: String
    package var took: StageTimes
}

/// The plans by the names they have on the wire.
package enum PlanKind: String, Sendable {
    /// The session's snapshot in memory.
    case scan
    case exact = "sql-exact"
    case hnsw
}

/// What may be said about completeness.
package enum Certificate: Sendable, Equatable {
    /// Every matching row was compared; no nearer one exists at this revision.
    case proven
    /// A row was dropped when its estimate was more than six standard deviations too far. The chance
    /// that one of the answers is missing (`Vectors.Certificate`).
    case probable(missProbability: Double)
    /// A graph was walked; a nearer row may have been passed by.
    case approximate(efSearch: Int)
}

/// Microseconds by stage. `encode` belongs to whoever writes the answer out.
package struct StageTimes: Sendable, Equatable {
    /// Waiting for a database connection.
    package var queue = 0
    package var embed = 0
    /// Session row, plan, and the candidates with their vectors.
    package var candidates = 0
    package var rerank = 0
    package var expand = 0
    package var encode = 0

    package init() {}
}
