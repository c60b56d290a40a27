// Which text of a batch is it that the model refuses? Halves are tried until it stands alone.

import Embedding
import Foundation
import Library
import Postgres

struct PatientEmbedding {
    struct Answers {
        /// In the order of the texts; nil for a refused one.
        var vectors: [[Float]?]
        var known = 0
        /// By place, with the reason.
        var refused: [(Int, String)] = []
    }

    let own: SessionEmbedder
    let pool: Pool

    /// - Throws: `EmbeddingError` when it is not the texts: the model is away, or refuses whoever asks.
    func vectors(of texts: [String]) async throws -> Answers {
        var answers = Answers(vectors: Array(repeating: nil, count: texts.count))
        var stretches = [texts.indices]
        while let stretch = stretches.popLast() {
            do {
                let (vectors, known) = try await own.passages(Array(texts[stretch]), pool)
                for (place, vector) in zip(stretch, vectors) { answers.vectors[place] = vector }
                answers.known += known
            } catch let error as EmbeddingError where error.isOfATextPerhaps {
                if stretch.count == 1 {
                    answers.refused.append((stretch.lowerBound, error.description))
                } else {
                    let middle = stretch.lowerBound + stretch.count / 2
                    stretches += [middle..<stretch.upperBound, stretch.lowerBound..<middle]
                }
            }
        }
        return answers
    }
}

extension EmbeddingError {
    /// Whether another batch may do: the provider read what it was sent and did not like it.
    fileprivate var isOfATextPerhaps: Bool {
        switch self {
        case .rejected(let status, _): [400, 413, 422].contains(status)
        case .notFinite, .zeroVector: true
        default: false
        }
    }
}
