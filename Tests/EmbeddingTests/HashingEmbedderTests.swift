import Embedding
import Testing
import Vectors

@Suite struct HashingEmbedderTests {
    private let embedder = HashingEmbedder()

    @Test("Texts that share words are nearer than texts that share none")
    func nearness() async throws {
        let block = try await embedder.embed(
            [
                "the iteration converges", "why does iteration converge?",
                "goldfish eat little at night",
            ], as: .passage)
        let (one, two, three) = (block.row(0), block.row(1), block.row(2))
        #expect(cosine(one, two) > cosine(one, three) + 0.2)
    }

    @Test("The same text has the same bits, whatever its company and kind")
    func determinism() async throws {
        let text = "Größe und Länge: 天地玄黄 123"
        let alone = try await embedder.embed([text], as: .query).row(0)
        let together = try await embedder.embed(["other", text], as: .passage).row(1)
        #expect(alone == together)
    }

    @Test("Every text has a direction", arguments: ["", " \n", "!?", "🙂", "\u{0}"])
    func directions(text: String) async throws {
        let row = try await embedder.embed([text], as: .passage).row(0)
        #expect(row.count == 768)
        #expect(abs(row.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
    }

    @Test("It says that it is lexical")
    func name() {
        #expect(embedder.identity.name.contains("lexical"))
        #expect(embedder.identity.weightsSHA256 == nil)
        #expect(embedder.countTokens("three little words") == 3)
    }

    @Test("The registry finds by name, and its first is the default")
    func registry() {
        let registry = EmbedderRegistry([embedder])
        #expect(registry.embedder(named: "hashing-lexical") != nil)
        #expect(registry.embedder(named: "nobody") == nil)
        #expect(registry.default.identity == embedder.identity)
        #expect(registry.all.count == 1)
    }
}
