// Where a job's time went, kept in its payload for the command line and the benchmark.

/// Microseconds by stage, over all attempts, and how much was made in them.
package struct StageTimings: Sendable, Equatable, Codable {
    package var extractMicroseconds = 0
    package var chunkMicroseconds = 0
    package var embedMicroseconds = 0
    /// Until just before the commit that makes the document visible.
    package var storeMicroseconds = 0
    /// Rows of `document_chunks` written, parents included.
    package var chunks = 0
    /// Passages the model embedded: the children.
    package var passages = 0

    package init() {}

    /// Chunks per second of a stage; 0 when it has not run.
    package func rate(_ stage: KeyPath<StageTimings, Int>) -> Double {
        let microseconds = self[keyPath: stage]
        return microseconds > 0 ? Double(chunks) * 1e6 / Double(microseconds) : 0
    }
}
