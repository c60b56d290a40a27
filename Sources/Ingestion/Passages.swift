// Texts into vectors, each text of an account once: what its model has read before is looked up.

import Embedding
import Library
import Postgres
import Vectors

extension SessionEmbedder {
    /// A vector for each text, in order, 768 numbers each, and how many of them were known.
    ///
    /// - Throws: `EmbeddingError`, whose places are not those of `texts`; `PostgresError`.
    func passages(
        _ texts: [String], _ pool: Pool
    ) async throws -> (vectors: [[Float]], known: Int) {
        let known = try await pool.withConnection(as: .service) { db in
            try await KnownVectors.vectors(
                of: texts, modelID: model.id, profileID: profileID, on: db)
        }
        let missing = texts.indices.filter { known[$0] == nil }
        guard !missing.isEmpty else { return (texts.indices.map { known[$0]! }, texts.count) }
        // Twice in one call is once for the model, too.
        var first: [String: Int] = [:]
        var asked: [String] = []
        for text in missing.map({ texts[$0] }) where first[text] == nil {
            first[text] = asked.count
            asked.append(text)
        }
        let block = try await embedder.embed(asked, as: .passage)
        let vectors = texts.indices.map { known[$0] ?? block.row(first[texts[$0]]!) }
        return (vectors, texts.count - asked.count)
    }
}
