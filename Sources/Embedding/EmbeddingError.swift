/// Why a text did not become a vector.
///
/// Descriptions can be shown to anyone: they name counts and reasons, never a text or a key.
package enum EmbeddingError: Error, Sendable, Equatable {
    /// No model directory, or a file of it is not there.
    case modelMissing(path: String)
    /// The model's files contradict themselves, the expected hash, or what this encoder can run.
    case modelDamaged(reason: String)
    /// The provider's options make no sense together.
    case misconfigured(reason: String)
    /// The provider could not answer, after every retry. Trying later may help.
    case unavailable(reason: String, retryAfter: Duration?)
    /// The provider understood and refused. Trying again will not help.
    case rejected(status: Int, reason: String)
    /// The provider answered something that is not an embedding response.
    case malformedAnswer(reason: String)
    /// The provider answered with another number of vectors than texts asked for.
    case wrongCount(expected: Int, got: Int)
    /// A vector is wider than 768, or not as wide as the model says.
    case wrongDimension(expected: Int, got: Int)
    /// The vector of this text (index in the call) has a NaN or an infinity.
    case notFinite(text: Int)
    /// The vector of this text (index in the call) has no direction.
    case zeroVector(text: Int)
    /// The task was cancelled, or the embedder shut down, before the batch was done.
    case cancelled
}

extension EmbeddingError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .modelMissing(let path): "no embedding model at \(path)"
        case .modelDamaged(let reason): "the embedding model cannot be used: \(reason)"
        case .misconfigured(let reason): "the embedding provider is misconfigured: \(reason)"
        case .unavailable(let reason, _): "the embedding provider is unavailable: \(reason)"
        case .rejected(let status, let reason):
            "the embedding provider refused with status \(status): \(reason)"
        case .malformedAnswer(let reason):
            "the embedding provider's answer cannot be read: \(reason)"
        case .wrongCount(let expected, let got): "expected \(expected) vectors, got \(got)"
        case .wrongDimension(let expected, let got): "expected \(expected) dimensions, got \(got)"
        case .notFinite(let text): "the vector of text \(text) is not finite"
        case .zeroVector(let text): "the vector of text \(text) is zero"
        case .cancelled: "embedding was cancelled"
        }
    }

    /// Whether the same call may succeed later.
    package var isRetryable: Bool {
        if case .unavailable = self { true } else { false }
    }
}
