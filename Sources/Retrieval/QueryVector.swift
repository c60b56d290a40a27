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
    /// The vector given, or the text embedded with the session's model.
    func queryVector(of request: SearchRequest) async throws -> QueryVector {
        switch request.query {
        case .vector(let vector), .vectorAndText(let vector, _):
            return QueryVector(vector: vector, model: nil)
        case .text(let text):
            let model = try await model(of: request)
            guard let embedder = embedders.embedder(named: model.name),
                embedder.identity.makes(model)
            else { throw RetrievalError.modelUnavailable(name: model.name) }
            let block = try await embedder.embed([text], as: .query)
            return QueryVector(
                vector: try UnitVector(normalizing: block.row(0)), model: model.id)
        }
    }

    /// The model of the session's snapshot, or of the session.
    ///
    /// Should it change before the scan, the scan says so: the vector remembers its model.
    private func model(of request: SearchRequest) async throws -> EmbeddingModel {
        let resident = snapshots?.resident(request.session)?.version.modelID
        if let resident, let model = catalogue.knownModel(resident) { return model }
        return try await pool.withConnection(as: request.asker) { db in
            try await catalogue.model(
                try await validity(for: request, on: db).modelID, on: db)
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
