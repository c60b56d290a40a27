import Vectors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How fast a model encodes, measured: passages a second with every thread, and the latency of
/// single short queries.
///
/// `benchmarks/embedding/compare.py` runs this in turns with PyTorch on the same cores.
package enum EncoderBenchmark {
    /// What `run` measured. Codable, for `--json`.
    package struct Report: Sendable, Codable {
        package var passages: Int
        /// Tokens encoded, after truncation, special ones included.
        package var tokens: Int
        package var library: String
        package var arithmetic: String
        package var kernels: String
        package var threads: Int
        /// One time a round, in order.
        package var seconds: [Double]
        /// Processor time of each round over all threads: comparable on a machine with other work.
        package var cpuSeconds: [Double]
        /// Of the median round.
        package var passagesPerSecond: Double
        /// Milliseconds for one query of at most 32 tokens, alone.
        package var queryP50: Double
        package var queryP99: Double
        /// FNV-1a of all vectors rounded to 1e-3: what was computed, for comparing runs.
        package var hash: String
    }

    /// Encodes all texts `rounds` times after one round that does not count, then `queries` of them
    /// one by one, cut to 32 tokens.
    package static func run(
        model: String, texts: [String], options: BertEmbedder.Options = .init(), rounds: Int = 3,
        queries: Int = 200
    ) async throws(EmbeddingError) -> Report {
        guard !texts.isEmpty, rounds > 0 else {
            throw .misconfigured(reason: "a benchmark needs a text and a round")
        }
        let embedder = try BertEmbedder(directory: model, options: options)
        let clock = ContinuousClock()
        var block = try await embedder.embed(texts, as: .passage)
        var seconds: [Double] = []
        var cpuSeconds: [Double] = []
        for _ in 0..<rounds {
            let (start, cpu) = (clock.now, processorSeconds())
            block = try await embedder.embed(texts, as: .passage)
            seconds.append((clock.now - start) / .seconds(1))
            cpuSeconds.append(processorSeconds() - cpu)
        }

        let short = texts.map { $0.split(separator: " ").prefix(16).joined(separator: " ") }
            .filter { embedder.countTokens($0) <= 30 }
        var latencies: [Double] = []
        if !short.isEmpty {
            for index in 0..<queries {
                let start = clock.now
                _ = try await embedder.embed([short[index % short.count]], as: .query)
                latencies.append((clock.now - start) / .milliseconds(1))
            }
        }
        let limit = embedder.identity.maxTokens
        return Report(
            passages: texts.count,
            tokens: texts.reduce(0) { $0 + embedder.tokenizer.encode($1, limit: limit).count },
            library: embedder.products.library.rawValue,
            arithmetic: embedder.products.arithmetic.rawValue,
            kernels: TransformerKernels.current.name, threads: options.threads, seconds: seconds,
            cpuSeconds: cpuSeconds,
            passagesPerSecond: Double(texts.count) / percentile(50, of: seconds),
            queryP50: percentile(50, of: latencies), queryP99: percentile(99, of: latencies),
            hash: hash(block))
    }

    /// Of this process, since it began.
    private static func processorSeconds() -> Double {
        var time = timespec()
        guard unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static func percentile(_ percent: Int, of values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        return values.sorted()[min(values.count * percent / 100, values.count - 1)]
    }

    private static func hash(_ block: Block) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for row in 0..<block.count {
            for value in block.row(row) {
                let rounded = UInt64(bitPattern: Int64((value * 1000).rounded()))
                hash = (hash ^ rounded) &* 0x100_0000_01b3
            }
        }
        return String(hash, radix: 16)
    }
}
