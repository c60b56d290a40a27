/// What makes two vectors comparable: everything about a model that changes its output.
///
/// The same fields as a row of `embedding_models` (Indexes/schema.sql).
package struct ModelIdentity: Sendable, Equatable {
    /// What a caller names, such as `all-MiniLM-L6-v2`.
    package var name: String
    /// The publisher's revision, or the tag this machine's operator gave it.
    package var revision: String
    /// Width before zero-padding, 1 to 768.
    package var nativeDimension: Int
    /// `mean`, `cls`, or `unknown` behind a remote interface.
    package var pooling: String
    /// Put before a query's text.
    package var queryPrefix: String
    /// Put before a passage's text.
    package var passagePrefix: String
    /// Lower-case hexadecimal SHA-256 of the weights, where there are weights to hash.
    package var weightsSHA256: String?
    /// `bert`, `http` or `hashing`.
    package var provider: String
    /// Longer texts are cut to this many tokens, special tokens included.
    package var maxTokens: Int

    package init(
        name: String, revision: String, nativeDimension: Int, pooling: String,
        queryPrefix: String = "", passagePrefix: String = "", weightsSHA256: String? = nil,
        provider: String, maxTokens: Int
    ) {
        self.name = name
        self.revision = revision
        self.nativeDimension = nativeDimension
        self.pooling = pooling
        self.queryPrefix = queryPrefix
        self.passagePrefix = passagePrefix
        self.weightsSHA256 = weightsSHA256
        self.provider = provider
        self.maxTokens = maxTokens
    }

    /// The text as the model should see it.
    func prefixed(_ text: String, as kind: TextKind) -> String {
        let prefix = kind == .query ? queryPrefix : passagePrefix
        return prefix.isEmpty ? text : prefix + text
    }
}
