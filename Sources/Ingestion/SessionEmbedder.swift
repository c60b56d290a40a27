// A session has one model; what embeds for it must be exactly that.

import Embedding
import Foundation
import Library
import Postgres

extension EmbedderRegistry {
    /// This process's embedder for the model of a session.
    ///
    /// - Throws: `IngestionError.sessionNotFound`; `.modelUnavailable` also when there is an embedder
    ///   of that name with another revision or other weights.
    func embedder(ofSession id: UUID, on db: some Queryable) async throws -> any Embedder {
        guard let session = try await SessionRepository.revision(ids: [id], on: db)[id],
            let model = try await EmbeddingModelRepository.get(id: session.modelID, on: db)
        else { throw IngestionError.sessionNotFound }
        guard let embedder = embedder(named: model.name),
            embedder.identity.revision == model.revision,
            embedder.identity.provider == model.provider,
            embedder.identity.weightsSHA256 == model.weightsSHA256
        else { throw IngestionError.modelUnavailable(name: model.name) }
        return embedder
    }
}
