package import Embedding
package import Vectors

/// A model that understands nothing: every text lies somewhere else, always in the same place.
package struct NoiseEmbedder: Embedder {
    package let identity: ModelIdentity

    package init() {
        var identity = HashingEmbedder().identity
        identity.name = "noise"
        self.identity = identity
    }

    package func embed(_ texts: [String], as kind: TextKind) async throws(EmbeddingError) -> Block {
        let rows = texts.map { text -> [Float] in
            var state: UInt64 = kind == .query ? 99 : 1
            for byte in text.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
            let values = (0..<768).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Float(Int64(bitPattern: state) >> 40)
            }
            let norm = values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            return values.map { Float(Double($0) / norm) }
        }
        return Block(count: texts.count, dimension: 768) { elements in
            for (index, value) in rows.joined().enumerated() { elements[index] = value }
        }
    }

    package func countTokens(_ text: String) -> Int { text.utf8.count / 4 }
}
