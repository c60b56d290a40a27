// What a person does about re-embeddings: begin, pause, resume, take back. Cancelling is as for any job.

package import Embedding
package import Foundation
package import Library
package import Postgres

extension Ingestor {
    /// Begins to give a session another model; a worker does the rest.
    ///
    /// - Throws: `LibraryError.notFound`; `.conflict` when the session has the model already, or is on
    ///   its way to one.
    package static func beginReembedding(
        session: UUID, with embedder: any Embedder, terms: ReembeddingTerms,
        isPaused: Bool = false, on transaction: Transaction
    ) async throws -> (run: Reembedding, job: Job) {
        let model = try await EmbeddingModelRepository.register(
            NewEmbeddingModel(embedder.identity), on: transaction)
        return try await ReembeddingRepository.begin(
            NewReembedding(
                sessionID: session, toModelID: model.id, terms: try terms.json(),
                isPaused: isPaused), on: transaction)
    }

    /// Begins to bring back the model and the vectors that a session had before its last switch. Nothing
    /// is embedded but what came since.
    ///
    /// - Throws: `LibraryError.conflict` when there is no switch whose vectors are kept.
    package static func beginRollback(
        session: UUID, on transaction: Transaction
    ) async throws -> (run: Reembedding, job: Job) {
        // Locked before it is looked at: no other run begins or switches meanwhile.
        _ = try await SessionRepository.lock(id: session, on: transaction)
        guard
            let last = try await ReembeddingRepository.reversible(
                sessionID: session, on: transaction)
        else {
            throw LibraryError.conflict(
                "the session has no switch that can be taken back (any more)")
        }
        var terms = try ReembeddingTerms(json: last.terms)
        terms.judgements = []
        return try await ReembeddingRepository.begin(
            NewReembedding(
                sessionID: session, toModelID: last.fromModelID,
                takesBack: (last.jobID, last.retiredID), terms: try terms.json()),
            on: transaction)
    }

    /// Stops a re-embedding until it is resumed; what is staged stays.
    ///
    /// - Throws: `LibraryError.conflict` when it has ended.
    package static func pauseReembedding(
        session: UUID, job: UUID, on transaction: Transaction
    ) async throws {
        guard
            try await JobRepository.pause(
                sessionID: session, id: job, stage: "paused", on: transaction)
        else { throw LibraryError.conflict("this re-embedding has ended") }
    }

    /// Lets a paused or stopped re-embedding go on, whatever the gate says when it is forced. Texts that
    /// were refused are tried again.
    ///
    /// - Throws: `LibraryError.conflict` when it neither is paused nor was stopped.
    package static func resumeReembedding(
        session: UUID, job: UUID, isForced: Bool, on transaction: Transaction
    ) async throws {
        guard
            let run = try await ReembeddingRepository.get(
                sessionID: session, jobID: job, on: transaction)
        else { throw LibraryError.notFound }
        guard try await JobRepository.resume(sessionID: session, id: job, on: transaction) else {
            throw LibraryError.conflict("this re-embedding is not paused")
        }
        if isForced {
            var terms = try ReembeddingTerms(json: run.terms)
            terms.isForced = true
            try await ReembeddingRepository.setTerms(
                try terms.json(), sessionID: session, jobID: job, on: transaction)
        }
        try await ReembeddingRepository.setStopped(
            nil, sessionID: session, jobID: job, on: transaction)
        try await ReembeddingRepository.forgetFailures(
            sessionID: session, jobID: job, on: transaction)
    }
}
