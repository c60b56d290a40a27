// The first call of a search: what to compare rows with.

import Embedding
import Foundation
import Library
import Postgres
import Vectors

/// A query as a vector, and the model that made it when it was made here.
struct QueryVector {
    let vector: UnitVector
    let model: UUID?
}

extension Searcher {
    /// How often a session may change its model under one search.
    private static let mostChanges = 4

    /// Runs `body`, which embeds the text with the model it is given, or the session's when nil; again
    /// with the model that the session was found to have, when it is another by then. So an answer is
    /// of one model whenever it was asked for, and no search fails because of a switch.
    ///
    /// A vector that was given has its model: what `body` throws of that is the caller's to settle.
    func following<R>(
        _ request: SearchRequest, _ body: (UUID?) async throws -> R
    ) async throws -> R {
        var model: UUID?
        for _ in 0..<Self.mostChanges {
            do {
                return try await body(model)
            } catch RetrievalError.modelChanged(_, let now) where request.expectedModel == nil {
                model = now
            }
        }
        return try await body(model)
    }

    /// The vector given, or the text embedded with a model, the session's when nil.
    func queryVector(of request: SearchRequest, by known: UUID?) async throws -> QueryVector {
        switch request.query {
        case .vector(let vector), .vectorAndText(let vector, _):
            return QueryVector(vector: vector, model: nil)
        case .text(let text):
            let model = try await model(of: request, known)
            guard let embedder = embedders.all.first(where: { $0.identity.makes(model) })
            else { throw RetrievalError.modelUnavailable(name: model.name) }
            let block = try await embedder.embed([text], as: .query)
            return QueryVector(
                vector: try UnitVector(normalizing: block.row(0)), model: model.id)
        }
    }

    /// The model of the session's snapshot, or of the session.
    ///
    /// Should it change before the scan, the scan says so: the vector remembers its model.
    private func model(
        of request: SearchRequest, _ known: UUID?
    ) async throws -> EmbeddingModel {
        let model = known ?? snapshots?.resident(request.session)?.version.modelID
        if let model, let found = catalogue.knownModel(model) { return found }
        return try await pool.withConnection(as: request.asker) { db in
            let wanted =
                if let known { known } else { try await validity(for: request, on: db).modelID }
            return try await catalogue.model(wanted, on: db)
        }
    }
}

extension ModelIdentity {
    /// Vectors of this embedder may be compared with those stored under `model`.
    fileprivate func makes(_ model: EmbeddingModel) -> Bool {
        name == model.name && revision == model.revision && provider == model.provider
            && nativeDimension == model.nativeDimension && weightsSHA256 == model.weightsSHA256
    }
}
