// What the methods work with. The command assembles it; the server owns none of it.

package import Accounts
import Clouds
package import Embedding
package import Ingestion
package import Logging
package import Postgres
package import Retrieval
package import Wire

/// The parts below the server, ready to be asked.
///
/// A class only because every request holds it: as a value its dozen references were counted up and down
/// several times a search.
package final class Services: Sendable {
    package let pool: Pool
    package let embedders: EmbedderRegistry
    package let searcher: Searcher
    package let ingestor: Ingestor
    package let gatekeeper: Gatekeeper
    /// The accounts' own clouds.
    package let clouds: CloudVault
    /// What must not be read in the database is sealed with it.
    package let sealer: Sealer
    /// Where uploads wait for their commit. Not beside the stored files: nothing here outlives
    /// its connection.
    package let uploadDirectory: String
    package let logger: Logger

    package init(
        pool: Pool, embedders: EmbedderRegistry, searcher: Searcher, ingestor: Ingestor,
        gatekeeper: Gatekeeper, sealer: Sealer, clouds: CloudVault? = nil, uploadDirectory: String,
        logger: Logger = Logger(label: "carrel.server")
    ) {
        self.pool = pool
        self.embedders = embedders
        self.searcher = searcher
        self.ingestor = ingestor
        self.gatekeeper = gatekeeper
        self.sealer = sealer
        self.clouds = clouds ?? CloudVault(sealer: sealer, rule: AddressRule())
        self.uploadDirectory = uploadDirectory
        self.logger = logger
    }
}

/// Where and how to listen.
package struct ServerConfiguration: Sendable {
    /// Not open by default.
    package var host = "127.0.0.1"
    /// 0 takes a free one.
    package var port = 7117
    package var limits = Limits.standard
    /// Connections at once; one more is told `busy` and closed.
    package var maximumConnections = 1024
    /// Threads that read and write; the work itself runs on Swift's own pool.
    package var threads = 2
    /// The longest search, by its estimate, that an event loop answers itself. To another thread and
    /// back costs 15 µs, and meanwhile nothing else happens on the loop.
    package var longestOnLoop = Duration.microseconds(200)
    /// Threads for longer ones.
    package var searchThreads = 2
    /// How often a subscribed job is looked at.
    package var progressInterval = Duration.milliseconds(100)
    /// How long an idle client may still send after `$/draining`, to be told so.
    package var drainingGrace = Duration.milliseconds(250)
    /// Whether a method that reads what it does not declare is refused, as our mistake: for tests.
    package var checksDeclarations = false
    /// How long requests run on after the client has closed its side.
    package var halfCloseGrace = Duration.seconds(2)

    package init() {}
}

/// Who we say we are.
package enum Identity {
    package static let name = "carrel"
    package static let version = "0.1.0"
    /// The dates of the protocol that are spoken, newest first.
    package static let protocolVersions = ["2026-11-01"]
    package static let features = [
        "search.dense", "search.batch", "search.proven", "search.consistency", "search.lexical",
        "search.hybrid", "search.diversity", "search.explain", "expand.parent", "expand.siblings",
        "expand.section", "expand.page",
        "vectorB64.f16", "chunk.import",
        "document.upload", "job.subscribe", "idempotency",
    ]
}
