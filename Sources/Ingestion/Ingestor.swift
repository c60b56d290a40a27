// Files to stored chunks. This file is the whole of what callers see of the work on files; each
// operation has a file of its own.

package import Documents
package import Embedding
package import Foundation
package import Postgres

/// Takes files in, and works on them until their chunks can be searched.
///
/// A value: copies share the pool, the files and the bell that wakes workers. Any number of them, in
/// any number of processes, may run against one database and one blob store.
package struct Ingestor: Sendable {
    private(set) var pool: Pool
    let blobs: any BlobStore
    /// Where unfinished jobs keep what they have done so far.
    let scratchDirectory: String
    let extractor: Extractor
    let embedders: EmbedderRegistry
    let options: Options
    /// Told of each step as it is reached. Tests stop or kill the worker here.
    let observe: @Sendable (WorkerEvent) async throws -> Void
    /// Told of a session whose searchable rows were changed by a commit, before the change is
    /// acknowledged: whoever caches sessions catches up here.
    let didCommit: @Sendable (UUID) async -> Void
    /// Shown a session that a transaction has changed as a whole, before its commit; what it returns is told
    /// how that ended.
    let willCommit: @Sendable (UUID, Transaction) async throws -> Settling?
    /// Opens people's clouds.
    let openCloud: CloudOpener
    let bell = Bell()
    /// Wakes who sweeps.
    let broom = Bell()

    /// How patient a worker is.
    package struct Options: Sendable {
        /// A worker that has not renewed its lease for so long is taken for dead.
        package var lease = Duration.seconds(60)
        /// How often a worker looks for work that another process submitted.
        package var pollInterval = Duration.seconds(1)
        /// How often a job is begun before it is given up, whatever stopped it.
        package var attempts = 5
        /// The largest object that an import takes.
        package var importedBytes = 100 << 20
        /// How often blobs that no document claims are looked for.
        package var sweepInterval = Duration.seconds(600)
        /// The wait before the second attempt; doubled for each one after it.
        package var backoff = Duration.seconds(2)

        /// Chunks that are related to topics in one transaction: what searches and writers of the
        /// session may have to wait for, and the work lost at most when a worker is killed.
        package var relatedAtOnce = 1_000
        /// Chunks that are embedded anew and staged in one transaction: some seconds of MiniLM, lost at
        /// most when a worker is killed. Families are not divided.
        package var reembeddedAtOnce = 256
        /// Vectors that are set aside in one transaction.
        package var retiredAtOnce = 2_000
        /// Rows that a switch writes in one statement.
        package var switchedAtOnce = 1_000
        /// How often a re-embedding is begun without getting on before it waits for somebody.
        package var reembeddingAttempts = 12
        /// The longest wait between two of these.
        package var longestBackoff = Duration.seconds(300)
        /// Vectors deleted in one transaction when nobody needs them any more.
        package var clearedAtOnce = 1_000

        package init() {}
    }

    package init(
        pool: Pool, blobs: any BlobStore, scratch: String, extractor: Extractor,
        embedders: EmbedderRegistry,
        options: Options = Options(),
        openCloud: @escaping CloudOpener = { _, _ in
            throw IngestionError.conflict("this server asks no clouds")
        },
        observe: @escaping @Sendable (WorkerEvent) async throws -> Void = { _ in },
        didCommit: @escaping @Sendable (UUID) async -> Void = { _ in },
        willCommit: @escaping @Sendable (UUID, Transaction) async throws -> Settling? = { _, _ in
            nil
        }
    ) {
        self.pool = pool
        self.blobs = blobs
        scratchDirectory = scratch
        self.extractor = extractor
        self.embedders = embedders
        self.options = options
        self.observe = observe
        self.openCloud = openCloud
        self.didCommit = didCommit
        self.willCommit = willCommit
    }

    /// The same with connections of its own: jobs are in nobody's way then.
    package func working(on pool: Pool) -> Ingestor {
        var copy = self
        copy.pool = pool
        return copy
    }

    /// A job was enqueued elsewhere: idle workers of this process look for it now.
    package func wake() { bell.ring() }
}

/// Told whether a transaction was committed.
package typealias Settling = @Sendable (_ isCommitted: Bool) -> Void

/// The steps of a job as they are reached; what survives a worker killed right there is its test.
package enum WorkerEvent: Sendable, Hashable {
    /// The job is this worker's; nothing has been done.
    case leased
    case extracted
    case chunked
    /// The vectors of one more batch are kept.
    case embedded(batch: Int)
    /// One more batch of chunks is related to the topics, and committed.
    case related(batch: Int)
    /// All rows are written; the transaction is still open.
    case storing
    /// Committed; the scratch files are still there.
    case stored
    /// One more object of an import is in its report, by its place.
    case imported(object: Int)
    /// New vectors of one more batch are staged, and committed.
    case staged(batch: Int)
    /// The vectors that will be replaced are kept.
    case retired
    /// The gate has been asked.
    case judged
    /// Rows of the switch are written; the transaction is still open.
    case switching
    /// The session has its new model; what was staged is still there.
    case switched
}
