import Embedding
import Foundation
import Testing
import Vectors

@Suite(.needsModel, .serialized) struct BertEmbedderTests {
    @Test("1,000 vectors agree with sentence-transformers to a cosine of 0.9999")
    func agreement() async throws {
        try await expectAgreement(of: Model.fp32.get(), atLeast: 0.9999)
    }

    @Test(
        "Each library and arithmetic agrees with the reference",
        arguments: [
            (MatrixLibrary.blas, Arithmetic.fp32, 0.9999), (.oneDNN, .fp32, 0.9999),
            (.oneDNN, .bf16, 0.999),
        ])
    func products(library: MatrixLibrary, arithmetic: Arithmetic, cosine: Double) async throws {
        guard arithmetic != .bf16 || MatrixProductTests.multipliesBF16 else { return }
        var options = BertEmbedder.Options()
        options.library = library
        options.arithmetic = arithmetic
        let embedder = try BertEmbedder(directory: Model.directory, options: options)
        #expect(embedder.products == (library, arithmetic))
        try await expectAgreement(of: embedder, atLeast: cosine, every: 10)
    }

    private func expectAgreement(
        of embedder: BertEmbedder, atLeast limit: Double, every step: Int = 1
    ) async throws {
        let all = try (Fixtures.texts(), Fixtures.vectors())
        let indices = Array(stride(from: 0, to: all.0.count, by: step))
        let block = try await embedder.embed(indices.map { all.0[$0] }, as: .passage)
        #expect(block.count == indices.count && block.dimension == 768)
        var worst = (cosine: 2.0, text: "")
        for (row, index) in indices.enumerated() {
            let value = cosine(block.row(row), all.1[index])
            if value < worst.cosine { worst = (value, all.0[index]) }
            let vector = block.row(row)
            #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
            #expect(vector[384...].allSatisfy { $0 == 0 })
        }
        #expect(worst.cosine >= limit, "\(worst)")
    }

    @Test("A text has the same vector alone, in any batch and as a query")
    func companyDoesNotMatter() async throws {
        let embedder = try Model.fp32.get()
        let texts = try Array(Fixtures.texts()[20..<80])
        let together = try await embedder.embed(texts, as: .passage)
        for index in [0, 7, 31, 59] {
            let alone = try await embedder.embed([texts[index]], as: .query).row(0)
            #expect(cosine(alone, together.row(index)) > 0.999999)
        }
    }

    @Test("No texts make an empty block")
    func none() async throws {
        let block = try await Model.fp32.get().embed([], as: .passage)
        #expect(block.count == 0)
    }

    @Test("Cancelling stops between batches")
    func cancellation() async throws {
        let embedder = try Model.fp32.get()
        let texts = Array(repeating: String(repeating: "word ", count: 250), count: 2000)
        let clock = ContinuousClock()
        let start = clock.now
        let task = Task { try await embedder.embed(texts, as: .passage) }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        await #expect(throws: EmbeddingError.cancelled) { _ = try await task.value }
        // All of them take minutes.
        #expect(clock.now - start < .seconds(60))
    }

    @Test("A query does not wait for the passages before it")
    func priority() async throws {
        let embedder = try Model.fp32.get()
        let texts = Array(repeating: String(repeating: "word ", count: 250), count: 400)
        let passages = Task { try await embedder.embed(texts, as: .passage) }
        try await Task.sleep(for: .milliseconds(50))
        _ = try await embedder.embed(["a question"], as: .query)
        // The passages are still under way: cancelling them is how we know.
        passages.cancel()
        await #expect(throws: EmbeddingError.cancelled) { _ = try await passages.value }
    }

    @Test("The identity says what the model is, hash included")
    func identity() throws {
        let identity = try Model.fp32.get().identity
        #expect(identity.nativeDimension == 384 && identity.maxTokens == 256)
        #expect(identity.pooling == "mean" && identity.provider == "bert")
        let hash = try #require(identity.weightsSHA256)
        #expect(hash.hasPrefix("53aa5117") && hash.hasSuffix("b128d9db") && hash.count == 64)
    }

    @Test("Weights with another hash than expected are refused")
    func hash() {
        var options = BertEmbedder.Options()
        options.expectedSHA256 = String(repeating: "0", count: 64)
        #expect(throws: EmbeddingError.self) {
            try BertEmbedder(directory: Model.directory, options: options)
        }
    }

    @Test("The benchmark runs small and says what it ran")
    func benchmark() async throws {
        let texts = try Array(Fixtures.texts()[22..<38])
        let report = try await EncoderBenchmark.run(
            model: Model.directory, texts: texts, rounds: 1, queries: 3)
        #expect(report.passages == 16 && report.passagesPerSecond > 0 && report.queryP50 > 0)
    }
}
