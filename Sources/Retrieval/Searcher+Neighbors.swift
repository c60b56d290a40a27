// What stands near a chunk rather than near a question.

package import Foundation
import Library
import Postgres
import Vectors

extension Searcher {
    /// The chunks nearest to one of the session's own, without it. The request's query and model are
    /// put in the place of: they are the chunk's vector, and the model it is of.
    ///
    /// - Precondition: `request.k` is below the most a search may ask for, and nothing is expanded: a
    ///   parent would bring the chunk back.
    /// - Throws: `LibraryError.notFound` when the session has no such chunk, none that may be seen, or none
    ///   with a vector yet; as `search`.
    package func neighbors(
        of chunk: UUID, _ request: SearchRequest
    ) async throws -> SearchAnswer {
        precondition(request.expansion == .none)
        var wider = request
        wider.k += 1
        var answer = try await nearest(to: chunk, &wider)
        answer.hits.removeAll { $0.chunk == chunk }
        answer.hits = Array(answer.hits.prefix(request.k))
        for index in answer.hits.indices { answer.hits[index].rank = index + 1 }
        return answer
    }

    /// Asks again with the chunk's other vector when the session's model changed in between.
    private func nearest(
        to chunk: UUID, _ request: inout SearchRequest
    ) async throws -> SearchAnswer {
        while true {
            let (session, visibility) = (request.session, request.visibility)
            let found = try await pool.withConnection(as: request.asker) {
                db -> (vector: [Float], modelID: UUID)? in
                let seen = try await ChunkRepository.get(sessionID: session, id: chunk, on: db)
                guard let seen, visibility.shows(seen.documentID) else { return nil }
                return try await ChunkRepository.embedding(sessionID: session, id: chunk, on: db)
            }
            guard let found else { throw LibraryError.notFound }
            let before = request.model
            request.query = .vector(try UnitVector(normalizing: found.vector))
            request.model = found.modelID
            do {
                return try await search(request)
            } catch RetrievalError.modelChanged where before != found.modelID {
                continue
            }
        }
    }
}
