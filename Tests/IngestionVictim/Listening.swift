// The victim as a server.

import Accounts
import Embedding
import Ingestion
import Logging
import Postgres
import Retrieval
import Server

/// Answers at a port until the process ends. Asks nothing of the database beforehand: it may be away.
func listen(
    on port: Int, _ pool: Pool, _ embedders: EmbedderRegistry, _ snapshots: SnapshotCache,
    _ ingestor: Ingestor, uploads: String
) async throws {
    let sealer = Sealer(.unkept())
    var logger = Logger(label: "ingestion-victim")
    logger.logLevel = .error
    var configuration = ServerConfiguration()
    configuration.port = port
    let server = CarrelServer(
        configuration,
        Services(
            pool: pool, embedders: embedders,
            searcher: Searcher(pool: pool, embedders: embedders, snapshots: snapshots),
            ingestor: ingestor,
            gatekeeper: Gatekeeper(
                pool: pool, passwords: PasswordLane(), sealer: sealer, isRegistrationOpen: false),
            sealer: sealer, uploadDirectory: uploads + "/uploads", logger: logger))
    _ = try await server.start()
    Task { await snapshots.follow() }
}
