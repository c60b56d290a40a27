/// The embedders of this process by model name; a session's model picks one.
package struct EmbedderRegistry: Sendable {
    private let embedders: [any Embedder]

    /// The first embedder is the default, and of several of one name the first is found by it.
    ///
    /// - Precondition: there is at least one embedder.
    package init(_ embedders: [any Embedder]) {
        precondition(!embedders.isEmpty, "a registry needs at least one embedder")
        self.embedders = embedders
    }

    /// The embedder new sessions get.
    package var `default`: any Embedder { embedders[0] }

    /// Every embedder, the default first.
    package var all: [any Embedder] { embedders }

    /// The embedder of that model name, or nil if this process has none. `name@revision` tells models of
    /// one name apart.
    package func embedder(named name: String) -> (any Embedder)? {
        embedders.first { $0.identity.name == name }
            ?? embedders.first { "\($0.identity.name)@\($0.identity.revision)" == name }
    }
}
