// Objects of people's clouds become documents, in a durable job.

package import Clouds
package import Foundation
package import Library
package import Postgres

/// Opens a connection of an account; throws when there is none, or it cannot be opened here.
package typealias CloudOpener =
    @Sendable (_ connection: UUID, _ profile: UUID) async throws -> CloudSource

extension Ingestor {
    /// Enqueues an import, in the caller's transaction; `cloudImportEnqueued` wakes a worker after it.
    package static func enqueue(
        _ order: CloudImport, session: UUID, on transaction: Transaction
    ) async throws -> Job {
        let state = String(
            decoding: try JSONEncoder().encode(CloudImportState(order: order)), as: UTF8.self)
        return try await JobRepository.enqueue(
            NewJob(sessionID: session, kind: .import, payload: state), on: transaction)
    }

    /// Saves a worker of this process from waiting for its next look.
    package func cloudImportEnqueued() { bell.ring() }
}
