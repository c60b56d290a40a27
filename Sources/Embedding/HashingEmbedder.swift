package import Vectors

/// An embedder without a model: feature hashing of words and their letter n-grams.
///
/// **Lexical only.** Two texts are near when they share words or parts of words; it knows no
/// synonyms and no meaning. It is for tests and for machines without a model, and its identity
/// says so. The same text gives the same bits on every machine and in every run.
///
/// Each feature adds ±weight to one of 768 buckets, both picked by its hash (Weinberger et al.,
/// "Feature Hashing for Large Scale Multitask Learning", ICML 2009, §2): the sign makes collisions
/// cancel on average. Words weigh 1, their n-grams together 1/2, so that inflections of a word
/// meet without drowning it. Repeated features count by square root.
package struct HashingEmbedder: Embedder {
    package let identity = ModelIdentity(
        name: "hashing-lexical", revision: "1", nativeDimension: UnitVector.dimension,
        pooling: "sum", provider: "hashing", maxTokens: .max)

    package init() {}

    package func embed(
        _ texts: [String], as kind: TextKind
    ) async throws(EmbeddingError) -> Block {
        var rows: [[Float]] = []
        rows.reserveCapacity(texts.count)
        for text in texts {
            if Task.isCancelled { throw .cancelled }
            rows.append(Self.features(of: text))
        }
        return try UnitRows.block(rows)
    }

    package func countTokens(_ text: String) -> Int { Self.words(of: text).count }

    /// Bucket sums, not normalised.
    private static func features(of text: String) -> [Float] {
        var weights: [UInt64: (sum: Float, count: Float)] = [:]
        func add(_ feature: UInt64, _ weight: Float) {
            weights[feature, default: (0, 0)].sum += weight
            weights[feature]!.count += 1
        }
        for word in words(of: text) {
            add(hash(word[...], seed: 0), 1)
            let marked = [boundary] + word + [boundary]
            let grams = (3...5).flatMap { n in
                marked.count < n ? [] : (0...marked.count - n).map { marked[$0..<$0 + n] }
            }
            for gram in grams { add(hash(gram, seed: 1), 0.5 / Float(grams.count).squareRoot()) }
        }
        // A text without words still needs a direction: all such texts share one.
        if weights.isEmpty { add(hash([], seed: 2), 1) }

        var row = [Float](repeating: 0, count: UnitVector.dimension)
        // Sorted, because addition rounds and a dictionary's order changes with every run.
        for (feature, value) in weights.sorted(by: { $0.key < $1.key }) {
            let amount = value.sum / value.count.squareRoot()
            let bucket = Int(feature % UInt64(UnitVector.dimension))
            row[bucket] += feature >> 63 == 0 ? amount : -amount
        }
        // Signs may cancel to nothing; then the text has no direction either.
        if row.allSatisfy({ $0 == 0 }) { row[0] = 1 }
        return row
    }

    private static let boundary: Unicode.Scalar = "\u{2}"

    /// Lower-cased runs of letters, marks and digits; each ideograph is a word of its own.
    private static func words(of text: String) -> [[Unicode.Scalar]] {
        var words: [[Unicode.Scalar]] = []
        var word: [Unicode.Scalar] = []
        func end() {
            if !word.isEmpty { words.append(word) }
            word.removeAll(keepingCapacity: true)
        }
        for scalar in text.lowercased().unicodeScalars {
            let properties = scalar.properties
            if properties.isIdeographic {
                end()
                words.append([scalar])
            } else if properties.isAlphabetic || properties.numericType != nil {
                word.append(scalar)
            } else {
                end()
            }
        }
        end()
        return words
    }

    /// FNV-1a over the scalars' bytes, finished with murmur3's mixer so that high bits are good too.
    private static func hash(_ scalars: ArraySlice<Unicode.Scalar>, seed: UInt64) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ (seed &* 0x9e37_79b9_7f4a_7c15)
        for scalar in scalars {
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                hash = (hash ^ UInt64((scalar.value >> shift) & 0xff)) &* 0x100_0000_01b3
            }
        }
        hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ (hash >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        return hash ^ (hash >> 33)
    }
}
