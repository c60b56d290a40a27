// Which models a server embeds with.

import Embedding
import Foundation
import Vectors

struct EmbedderChoice {
    /// A remote model, if one is to be used.
    var remote: HTTPEmbedder.Options?
    /// How the local model computes.
    var arithmetic = Arithmetic.auto

    /// The embedders of this process, the default first: the remote one if there is one, then the
    /// local model.
    ///
    /// Without either, the hashing one, which knows words but no meaning.
    func registry(_ home: Home) throws -> EmbedderRegistry {
        var embedders: [any Embedder] = []
        if let remote { embedders.append(try HTTPEmbedder(remote)) }
        if FileManager.default.fileExists(atPath: home.model + "/model.safetensors") {
            var options = BertEmbedder.Options()
            options.arithmetic = arithmetic
            embedders.append(try BertEmbedder(directory: home.model, options: options))
        }
        if embedders.isEmpty {
            Terminal.note(
                "carrel: no model in \(home.model) (scripts/setup fetches it): falling back to the "
                    + "hashing embedder, which compares words, not meaning")
        }
        return EmbedderRegistry(embedders + [HashingEmbedder()])
    }
}
