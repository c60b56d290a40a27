// What giving sessions another model would take, before anybody decides.

package import Embedding
import Foundation
package import Library
package import Postgres

/// The plan for one session.
package struct ReembeddingPlan: Sendable {
    package let session: StudySession
    package let work: ReembeddingWork
    /// Whether the session has the model already, or is on its way to one: `start` would refuse.
    package let obstacle: String?
    /// Of the encoder alone; nil when nobody knows how fast the model is.
    package let seconds: Double?
}

extension Ingestor {
    /// Texts that are embedded to see how fast a model is.
    private static let sampleCount = 16

    /// What `beginReembedding` would do for these sessions of one account. Writes nothing.
    ///
    /// How fast the model is, is known from earlier re-embeddings; else one that runs here is tried with
    /// a few passages, and one that is asked over the network is not.
    package func reembeddingPlans(
        as asker: Asker, of sessions: [StudySession], with embedder: any Embedder
    ) async throws -> [ReembeddingPlan] {
        guard let profile = sessions.first?.profileID else { return [] }
        let (model, known) = try await pool.withConnection(as: asker) { db in
            let models = try await EmbeddingModelRepository.list(on: db)
            let model = models.first {
                $0.name == embedder.identity.name && $0.revision == embedder.identity.revision
                    && $0.provider == embedder.identity.provider
            }
            let rate: Double? =
                if let model {
                    try await ReembeddingRepository.rate(
                        modelID: model.id, profileID: profile, on: db)
                } else {
                    nil
                }
            return (model, rate)
        }
        var rate = known
        if rate == nil { rate = try await measuredRate(as: asker, sessions, embedder) }
        var plans: [ReembeddingPlan] = []
        for session in sessions {
            let (work, newest) = try await pool.withConnection(as: asker) { db in
                (
                    try await ReembeddingRepository.work(
                        sessionID: session.id, modelID: model?.id, profileID: profile, on: db),
                    try await ReembeddingRepository.list(sessionID: session.id, limit: 1, on: db)
                )
            }
            let obstacle: String? =
                if session.modelID == model?.id {
                    "has this model already"
                } else if newest.first.map({ !$0.job.state.isEnded }) == true {
                    "is being re-embedded already"
                } else {
                    nil
                }
            plans.append(
                ReembeddingPlan(
                    session: session, work: work, obstacle: obstacle,
                    seconds: rate.map { Double(work.newTexts) / $0 }))
        }
        return plans
    }

    private func measuredRate(
        as asker: Asker, _ sessions: [StudySession], _ embedder: any Embedder
    ) async throws -> Double? {
        guard embedder.identity.provider != "http" else { return nil }
        for session in sessions {
            let texts = try await pool.withConnection(as: asker) { db in
                try await ChunkRepository.list(
                    sessionID: session.id, type: .child, limit: Self.sampleCount, on: db
                ).map(\.text)
            }
            if texts.isEmpty { continue }
            let began = ContinuousClock.now
            _ = try await embedder.inBackground.embed(texts, as: .passage)
            return Double(texts.count) / max(Double(began.microsecondsAgo) / 1e6, 1e-6)
        }
        return nil
    }
}
