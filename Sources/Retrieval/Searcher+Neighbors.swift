// What stands near a chunk rather than near a question.

package import Foundation
import Library
package import Postgres
package import Vectors

extension Searcher {
    /// The vector of one of the session's chunks, to ask for its neighbours with.
    ///
    /// - Throws: `LibraryError.notFound` when the session has no such chunk, none that may be seen, or
    ///   none with a vector yet; `PostgresError`.
    package func vector(
        of chunk: UUID, in session: UUID, seeing visibility: Visibility, as asker: Asker
    ) async throws -> UnitVector {
        let embedding = try await pool.withConnection(as: asker) { db -> [Float]? in
            let found = try await ChunkRepository.get(sessionID: session, id: chunk, on: db)
            guard let found, visibility.shows(found.documentID) else { return nil }
            return try await ChunkRepository.embedding(sessionID: session, id: chunk, on: db)
        }
        guard let embedding else { throw LibraryError.notFound }
        return try UnitVector(normalizing: embedding)
    }

    /// The answer to a request without one of the chunks.
    ///
    /// - Precondition: `request.k` is below the most a search may ask for, and nothing is expanded: a
    ///   parent would bring the chunk back.
    /// - Throws: as `search`.
    package func search(_ request: SearchRequest, without chunk: UUID) async throws -> SearchAnswer
    {
        precondition(request.expansion == .none)
        var wider = request
        wider.k += 1
        var answer = try await search(wider)
        answer.hits.removeAll { $0.chunk == chunk }
        answer.hits = Array(answer.hits.prefix(request.k))
        for index in answer.hits.indices { answer.hits[index].rank = index + 1 }
        return answer
    }
}
