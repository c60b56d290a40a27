// A stored connection is asked: opened, tried, and its row says how that went.

package import Clouds
package import FoundationEssentials
import Library
package import Postgres

extension CloudVault {
    /// Asks a connection of the account, and notes whether it was let in.
    ///
    /// - Throws: `LibraryError.notFound`; what `body` throws.
    package func ask<R: Sendable>(
        _ id: UUID, of profile: UUID, _ pool: Pool,
        _ body: (CloudSource) async throws -> R
    ) async throws -> R {
        let connection = try await pool.withConnection(as: .account(profile)) { db in
            try await CloudConnectionRepository.get(id: id, profileID: profile, on: db)
        }
        guard let connection else { throw LibraryError.notFound }
        let source = try open(connection)
        do {
            let answer = try await body(source)
            try await note(id, .active, profile, pool)
            return answer
        } catch let error as CloudError {
            if case .denied = error { try await note(id, .failed, profile, pool) }
            throw error
        }
    }

    /// Opens a connection for a worker, after trying it.
    package func opened(
        _ id: UUID, of profile: UUID, _ pool: Pool
    ) async throws -> CloudSource {
        try await ask(id, of: profile, pool) { source in
            try await source.probe()
            return source
        }
    }

    private func note(
        _ id: UUID, _ status: CloudStatus, _ profile: UUID, _ pool: Pool
    ) async throws {
        try await pool.withConnection(as: .account(profile)) { db in
            try await CloudConnectionRepository.noteUse(id: id, status, on: db)
        }
    }
}
