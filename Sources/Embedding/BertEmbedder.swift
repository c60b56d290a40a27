import Foundation
import Synchronization
package import Vectors

/// A model of the BERT family, run here: any local directory with `model.safetensors`,
/// `config.json` and `tokenizer.json` or `vocab.txt`, as sentence-transformers writes them.
package struct BertEmbedder: Embedder {
    /// How to run the model; the default suits a server that is alone on its machine.
    package struct Options: Sendable {
        /// fp32 by default; `auto` takes bf16 where the processor is made for it.
        package var arithmetic = Arithmetic.fp32
        /// Nil picks the faster.
        package var library: MatrixLibrary?
        /// Threads that encode passages, each on one core.
        package var threads = ProcessInfo.processInfo.activeProcessorCount
        /// Threads that encode queries.
        package var queryThreads = ProcessInfo.processInfo.activeProcessorCount
        /// How far passages give way to everything else of the machine, 0 to 19.
        package var passageNiceness = 10
        /// Tokens encoded in one go.
        ///
        /// Larger batches are no faster, and cancel later.
        package var batchTokens = 512
        /// The directory's name unless given.
        package var name: String?
        package var revision = "main"
        package var queryPrefix = ""
        package var passagePrefix = ""
        /// Refuses weights with another SHA-256.
        package var expectedSHA256: String?

        package init() {}
    }

    package let identity: ModelIdentity
    package let tokenizer: BertTokenizer
    private let encoder: BertEncoder
    private let queries: WorkerLane
    private var passages: WorkerLane
    private let background: WorkerLane
    private let batchTokens: Int

    /// Loads the model: hashes the weights, packs the layers for this processor, and keeps the word
    /// embeddings mapped.
    ///
    /// `directory` is such as `data/var/models/all-MiniLM-L6-v2`.
    ///
    /// - Throws: `modelMissing` naming the file, `modelDamaged` saying what is wrong with it.
    /// - Complexity: one read of the weights and one copy of the layers.
    package init(directory: String, options: Options = Options()) throws(EmbeddingError) {
        let files = ModelFiles(directory: directory)
        let configuration = try BertConfiguration(files: files)
        let weights = try Safetensors(path: files.path("model.safetensors"))
        let hash = weights.sha256()
        if let expected = options.expectedSHA256, expected.lowercased() != hash {
            throw .modelDamaged(
                reason: "the weights' SHA-256 is \(hash), expected \(expected.lowercased())")
        }
        tokenizer = try BertTokenizer(directory: directory)
        guard tokenizer.size <= configuration.vocabulary else {
            throw .modelDamaged(
                reason: "\(tokenizer.size) tokens for \(configuration.vocabulary) embeddings")
        }
        encoder = try BertEncoder(
            configuration: configuration, weights: weights, arithmetic: options.arithmetic,
            library: options.library)
        weights.file.release()
        identity = ModelIdentity(
            name: options.name ?? URL(fileURLWithPath: directory).lastPathComponent,
            revision: options.revision, nativeDimension: configuration.hidden,
            pooling: configuration.pooling.rawValue, queryPrefix: options.queryPrefix,
            passagePrefix: options.passagePrefix, weightsSHA256: hash, provider: "bert",
            maxTokens: configuration.maxTokens)
        queries = WorkerLane(name: "query", threads: options.queryThreads, niceness: 0)
        passages = WorkerLane(
            name: "passage", threads: options.threads, niceness: options.passageNiceness)
        background = WorkerLane(name: "background", threads: 1, niceness: 19, isIdle: true)
        batchTokens = max(options.batchTokens, configuration.maxTokens)
    }

    package func countTokens(_ text: String) -> Int { tokenizer.count(text) }

    /// Passages on one thread that runs when nobody else wants its core.
    package var inBackground: any Embedder {
        var copy = self
        copy.passages = background
        return copy
    }

    /// Which library multiplies, and how.
    package var products: (library: MatrixLibrary, arithmetic: Arithmetic) { encoder.products }

    package func embed(
        _ texts: [String], as kind: TextKind
    ) async throws(EmbeddingError) -> Block {
        let lane = kind == .query ? queries : passages
        let cancellation = Cancellation()
        let encoded = await withTaskCancellationHandler {
            await encode(texts, as: kind, on: lane, cancellation)
        } onCancel: {
            cancellation.cancel()
        }
        guard !cancellation.isCancelled else { throw .cancelled }
        return try assemble(encoded, count: texts.count)
    }

    /// Tokens first, so that batches can be made by length; then every batch on its own.
    private func encode(
        _ texts: [String], as kind: TextKind, on lane: WorkerLane, _ cancellation: Cancellation
    ) async -> [Encoded] {
        let sequences = await lane.run { _ in
            texts.map { cancellation.isCancelled ? [] : tokens(of: $0, as: kind) }
        }
        let batches = Self.batches(of: sequences.map(\.count), tokens: batchTokens)
        return await withTaskGroup(of: Encoded.self) { group in
            for batch in batches {
                group.addTask {
                    await lane.run { workspace in
                        guard !cancellation.isCancelled else { return Encoded(batch: batch) }
                        let rows = encoder.encode(batch.map { sequences[$0] }, in: workspace)
                        return Encoded(batch: batch, rows: rows)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func tokens(of text: String, as kind: TextKind) -> [Int32] {
        tokenizer.encode(identity.prefixed(text, as: kind), limit: identity.maxTokens)
    }

    /// Indices of texts by batch, the longest texts first, so that the last batches are short and
    /// the threads finish together.
    static func batches(of lengths: [Int], tokens limit: Int) -> [[Int]] {
        var batches: [[Int]] = []
        var tokens = 0
        for index in lengths.indices.sorted(by: { lengths[$0] > lengths[$1] }) {
            if batches.isEmpty || tokens + lengths[index] > limit {
                batches.append([])
                tokens = 0
            }
            batches[batches.count - 1].append(index)
            tokens += lengths[index]
        }
        return batches
    }

    private func assemble(_ encoded: [Encoded], count: Int) throws(EmbeddingError) -> Block {
        let width = encoder.configuration.hidden
        return try Block(count: count, dimension: UnitVector.dimension) {
            (elements: inout MutableSpan<Float>) throws(EmbeddingError) in
            for result in encoded {
                for (row, text) in result.batch.enumerated() {
                    for column in 0..<width {
                        let value = result.rows[row * width + column]
                        guard value.isFinite else { throw .notFinite(text: text) }
                        elements[text * UnitVector.dimension + column] = value
                    }
                }
            }
        }
    }

    /// What one batch gave: a row for each text of it, none if the task was cancelled before.
    private struct Encoded: Sendable {
        var batch: [Int]
        var rows: [Float] = []
    }

    /// Whether the task that wants the vectors is still there; asked on the encoder's threads.
    private final class Cancellation: Sendable {
        private let flag = Atomic(false)
        var isCancelled: Bool { flag.load(ordering: .relaxed) }
        func cancel() { flag.store(true, ordering: .relaxed) }
    }
}
