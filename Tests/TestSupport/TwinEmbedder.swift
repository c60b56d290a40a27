// Models for tests: as quick as hashing, and never mistaken for one another.

package import Embedding
package import Vectors

/// Hashing with its 768 axes in another order, by a seed. Twins agree about every neighbourhood and about
/// no vector.
package struct TwinEmbedder: Embedder {
    private let hashing = HashingEmbedder()
    private let order: [Int]
    package let identity: ModelIdentity

    package init(_ name: String, seed: UInt64) {
        var identity = HashingEmbedder().identity
        identity.name = name
        self.identity = identity
        var generator = Seed(state: seed)
        order = Array(0..<UnitVector.dimension).shuffled(using: &generator)
    }

    package func embed(
        _ texts: [String], as kind: TextKind
    ) async throws(EmbeddingError) -> Block {
        let block = try await hashing.embed(texts, as: kind)
        return Block(count: block.count, dimension: UnitVector.dimension) { elements in
            for index in 0..<block.count {
                let row = block.row(index)
                for (place, axis) in order.enumerated() {
                    elements[index * UnitVector.dimension + place] = row[axis]
                }
            }
        }
    }

    package func countTokens(_ text: String) -> Int { hashing.countTokens(text) }

    private struct Seed: RandomNumberGenerator {
        var state: UInt64

        /// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
