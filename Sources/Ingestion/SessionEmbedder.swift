// A session has one model; what embeds for it must be exactly that.

package import Embedding
import Foundation
package import Library
import Postgres

/// What embeds for a session, and whose vectors it makes.
struct SessionEmbedder: Sendable {
    let embedder: any Embedder
    let model: EmbeddingModel
    /// Whose session it is.
    let profileID: UUID
}

extension EmbedderRegistry {
    /// This process's embedder for the model of a session.
    ///
    /// - Throws: `IngestionError.sessionNotFound`; `.modelUnavailable` also when there is an embedder
    ///   of that name with another revision or other weights.
    func embedder(ofSession id: UUID, on db: some Queryable) async throws -> SessionEmbedder {
        guard let session = try await SessionRepository.revision(ids: [id], on: db)[id],
            let model = try await EmbeddingModelRepository.get(id: session.modelID, on: db)
        else { throw IngestionError.sessionNotFound }
        return SessionEmbedder(
            embedder: try embedder(of: model), model: model, profileID: session.profileID)
    }

    /// This process's embedder for a model.
    ///
    /// - Throws: `IngestionError.modelUnavailable`.
    func embedder(of model: EmbeddingModel) throws(IngestionError) -> any Embedder {
        let found = all.first {
            $0.identity.name == model.name && $0.identity.revision == model.revision
                && $0.identity.provider == model.provider
                && $0.identity.weightsSHA256 == model.weightsSHA256
        }
        guard let found else { throw .modelUnavailable(name: model.name) }
        return found
    }
}

extension NewEmbeddingModel {
    /// The row that a model of this identity has.
    package init(_ identity: ModelIdentity) {
        self.init(
            name: identity.name, revision: identity.revision,
            nativeDimension: identity.nativeDimension, pooling: identity.pooling,
            queryPrefix: identity.queryPrefix, passagePrefix: identity.passagePrefix,
            weightsSHA256: identity.weightsSHA256, provider: identity.provider)
    }
}
