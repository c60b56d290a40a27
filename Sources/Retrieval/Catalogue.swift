// Facts that hardly change, remembered so that a search need not ask for them.

import Foundation
import Library
import Postgres
import Synchronization

/// Models by id, which never change once registered, and the size of the graph, which is an
/// estimate anyway.
final class Catalogue: Sendable {
    /// PostgreSQL refreshes its own estimate by autovacuum, every minute at most.
    private static let lifetime = Duration.seconds(10)

    private let models = Mutex<[UUID: EmbeddingModel]>([:])
    private let tableRows = Mutex<(rows: Int, until: ContinuousClock.Instant)?>(nil)

    func model(_ id: UUID, on db: some Queryable) async throws -> EmbeddingModel {
        if let known = knownModel(id) { return known }
        guard let model = try await EmbeddingModelRepository.get(id: id, on: db) else {
            throw LibraryError.notFound
        }
        models.withLock { $0[id] = model }
        return model
    }

    /// The model if it was asked for before.
    func knownModel(_ id: UUID) -> EmbeddingModel? { models.withLock { $0[id] } }

    /// Chunks of all sessions in the graph, as PostgreSQL's statistics have it; 0 when it has none.
    func estimatedRows(on db: some Queryable) async throws -> Int {
        let now = ContinuousClock.now
        if let known = tableRows.withLock({ $0 }), now < known.until { return known.rows }
        let rows = try await GraphRepository.estimatedRows(on: db)
        tableRows.withLock { $0 = (rows, now + Self.lifetime) }
        return rows
    }
}
