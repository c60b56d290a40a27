// The order of an ingest job, as a value: what is finished, and what comes next. The worker does it.

/// The steps of one ingest job.
///
///     extract → chunk → embed 0 → … → embed n−1 → store → done
///
/// A job only moves forward, and a worker that takes it over starts from the same value once the
/// scratch files have been read: whatever is found finished is skipped.
package struct IngestSteps: Sendable, Equatable {
    package enum Step: Sendable, Equatable {
        /// Then: chunk.
        case extract
        /// Then: embed the first batch, or store when there is nothing to embed.
        case chunk
        /// Then: embed the next unfinished batch, or store.
        case embed(batch: Int)
        /// Then: done. The only step others can see.
        case store
        case done
    }

    /// Passages a batch; also the work lost at most when a worker is killed while embedding. MiniLM
    /// needs about a second for 64.
    package static let batchSize = 64

    package private(set) var next = Step.extract
    /// Passages to embed; 0 until they are known.
    package private(set) var total = 0
    private var embedded: Set<Int> = []

    package init() {}

    var batchCount: Int { (total + Self.batchSize - 1) / Self.batchSize }

    /// The passages of a batch.
    package func passages(of batch: Int) -> Range<Int> {
        batch * Self.batchSize..<min(total, (batch + 1) * Self.batchSize)
    }

    /// Passages whose vectors are there.
    package var done: Int { embedded.reduce(0) { $0 + passages(of: $1).count } }

    package mutating func didExtract() {
        precondition(next == .extract, "extracted while at \(next)")
        next = .chunk
    }

    package mutating func didChunk(passages: Int) {
        precondition(next == .chunk, "chunked while at \(next)")
        total = passages
        advance()
    }

    package mutating func didEmbed(batch: Int) {
        precondition(next == .embed(batch: batch), "embedded batch \(batch) while at \(next)")
        embedded.insert(batch)
        advance()
    }

    package mutating func didStore() {
        precondition(next == .store, "stored while at \(next)")
        next = .done
    }

    private mutating func advance() {
        next = (0..<batchCount).first { !embedded.contains($0) }.map(Step.embed) ?? .store
    }
}
