// Vectors for some families: children's looked up or made, parents' computed from them.

import Embedding
import Foundation
import Library
import Postgres
import Vectors

struct ReembeddedFamilies {
    struct Batch {
        var vectors: [StagedVector] = []
        var refused: [ReembeddingFailure] = []
        var counts = ReembeddingCounts()
    }

    let pool: Pool
    let run: Reembedding
    /// What embeds; asked for only when something is to be embedded, as what is known needs no model.
    let own: () throws(IngestionError) -> SessionEmbedder

    /// - Throws: `EmbeddingError` that is no text's fault; `PostgresError`; `IngestionError`.
    func vectors(for wanted: [WantedChunk]) async throws -> Batch {
        var batch = Batch()
        let staged = try await pool.withConnection(as: .service) { db in
            try await ReembeddingRepository.staged(
                wanted.map(\.id), sessionID: run.sessionID, stageID: run.stageID, on: db)
        }
        var made = staged
        // The longest first: what goes to the model together is of about one length.
        let missing = wanted.filter { !$0.text.isEmpty && made[$0.id] == nil }
            .sorted { $0.text.utf8.count > $1.text.utf8.count }
        if !missing.isEmpty {
            let began = ContinuousClock.now
            let answers = try await PatientEmbedding(own: try own(), pool: pool)
                .vectors(of: missing.map(\.text))
            batch.counts.embedMicroseconds = Int64(began.microsecondsAgo)
            batch.counts.reused = Int64(answers.known)
            batch.counts.embedded = Int64(missing.count - answers.known - answers.refused.count)
            for (chunk, vector) in zip(missing, answers.vectors) { made[chunk.id] = vector }
            batch.refused = answers.refused.map { place, reason in
                ReembeddingFailure(chunkID: missing[place].id, reason: reason)
            }
        }
        let children = Dictionary(grouping: wanted.filter { $0.parentID != nil }) { $0.parentID! }
        for chunk in wanted {
            if chunk.parentID == nil, let family = children[chunk.id] {
                let vectors = family.compactMap { made[$0.id] }
                guard vectors.count == family.count else { continue }
                made[chunk.id] = ParentVectors.mean(of: vectors).values
            }
            if let vector = made[chunk.id], vector != staged[chunk.id] {
                batch.vectors.append(
                    StagedVector(chunkID: chunk.id, digest: chunk.digest, vector: vector))
            }
        }
        return batch
    }
}
