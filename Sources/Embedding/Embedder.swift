package import Vectors

/// Which side of a search a text stands on; some models prefix the two differently.
package enum TextKind: Sendable {
    case query
    case passage
}

/// Turns texts into unit vectors of 768 floats.
///
/// Every implementation keeps the same promise, whatever its model's width: rows are finite, of
/// unit length within 1e-3, zero-padded to 768 (padding keeps every inner product) and in the
/// order of the texts. A batch succeeds as a whole or throws as a whole.
package protocol Embedder: Sendable {
    /// What a session must agree with before vectors of this embedder may be compared in it.
    var identity: ModelIdentity { get }

    /// One unit row per text, `[texts.count × 768]`.
    ///
    /// Cancelling the task stops the work between batches and throws `cancelled`.
    func embed(_ texts: [String], as kind: TextKind) async throws(EmbeddingError) -> Block

    /// Tokens of a text as the model would count them, without special tokens or truncation.
    ///
    /// For models whose tokenizer is out of reach, an estimate.
    func countTokens(_ text: String) -> Int

    /// The same model, for work that nobody waits for: slower, where that leaves more to others.
    var inBackground: any Embedder { get }
}

extension Embedder {
    package var inBackground: any Embedder { self }
}
