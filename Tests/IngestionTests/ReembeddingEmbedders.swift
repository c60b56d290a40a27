// Models with moods.

import Embedding
import Synchronization
import Vectors

/// Refuses texts that begin a certain way, and counts those it is asked about.
final class PickyEmbedder: Embedder {
    private let inner: any Embedder
    private let place: String
    private let refused: Mutex<[String]>
    private let count = Mutex(0)

    init(_ inner: any Embedder, refusing refused: [String], in place: String) {
        self.inner = inner
        self.place = place
        self.refused = Mutex(refused)
    }

    var texts: Int { count.withLock { $0 } }
    var identity: ModelIdentity { inner.identity }

    func relent() { refused.withLock { $0 = [] } }

    func embed(_ texts: [String], as kind: TextKind) async throws(EmbeddingError) -> Block {
        let beginnings = self.refused.withLock { $0 }
        if kind == .passage,
            texts.contains(where: { text in
                text.contains(place) && beginnings.contains { text.hasPrefix($0) }
            })
        {
            throw .rejected(status: 422, reason: "too_odd")
        }
        count.withLock { $0 += texts.count }
        return try await inner.embed(texts, as: kind)
    }

    func countTokens(_ text: String) -> Int { inner.countTokens(text) }
}

/// Away for its first calls.
final class FlakyEmbedder: Embedder {
    private let inner: any Embedder
    private let failures: Mutex<Int>

    init(_ inner: any Embedder, failures: Int) {
        self.inner = inner
        self.failures = Mutex(failures)
    }

    var identity: ModelIdentity { inner.identity }

    func embed(_ texts: [String], as kind: TextKind) async throws(EmbeddingError) -> Block {
        let fails = failures.withLock { left in
            left -= 1
            return left >= 0
        }
        if fails { throw .unavailable(reason: "status 429", retryAfter: .milliseconds(20)) }
        return try await inner.embed(texts, as: kind)
    }

    func countTokens(_ text: String) -> Int { inner.countTokens(text) }
}
