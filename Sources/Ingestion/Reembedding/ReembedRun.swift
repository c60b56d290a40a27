// One REEMBED job under one lease. What is done is in the database; a worker that takes it over begins
// at the first step and finds what is finished.
//
//   embed ─► retire ─► gate ─► switch ─► done
//     ▲                          │ chunks came meanwhile
//     └──────────────────────────┘
//
// Whatever stops it for good (texts the model refuses, a gate that objects) leaves the job paused with
// the reason: the session goes on as it is, and somebody decides.

import Embedding
import Foundation
import Library
import Postgres

struct ReembedRun {
    let ingestor: Ingestor
    let lease: Lease
    let run: Reembedding
    let terms: ReembeddingTerms
    /// The account whose vectors may be lent.
    private let profileID: UUID
    private let from: EmbeddingModel
    private let to: EmbeddingModel

    init(_ ingestor: Ingestor, _ lease: Lease) async throws {
        self.ingestor = ingestor
        self.lease = lease
        let (session, job) = (lease.job.sessionID, lease.job.id)
        (run, profileID, from, to) = try await ingestor.pool.withConnection(as: .service) { db in
            guard
                let run = try await ReembeddingRepository.get(
                    sessionID: session, jobID: job, on: db),
                let version = try await SessionRepository.revision(ids: [session], on: db)[session],
                let from = try await EmbeddingModelRepository.get(id: run.fromModelID, on: db),
                let to = try await EmbeddingModelRepository.get(id: run.toModelID, on: db)
            else { throw IngestionError.sessionNotFound }
            return (run, version.profileID, from, to)
        }
        terms = try ReembeddingTerms(json: run.terms)
    }

    func work() async throws {
        var isSwitched = false
        while !isSwitched {
            try await embed()
            if terms.retentionSeconds > 0 { try await retire() }
            try await gate()
            isSwitched = try await `switch`()
        }
        await ingestor.didCommit(run.sessionID)
        ingestor.wake()
        try await ingestor.observe(.switched)
        try await ingestor.clear(run.sessionID, run.jobID)
    }

    // MARK: Steps

    /// Stages all families that lack a vector.
    private func embed() async throws {
        var (staged, total) = try await ingestor.pool.withConnection(as: .service) { db in
            (
                try await ReembeddingRepository.countStaged(
                    sessionID: run.sessionID, stageID: run.stageID, on: db),
                try await SessionRepository.revision(ids: [run.sessionID], on: db)[run.sessionID]?
                    .chunkCount ?? 0
            )
        }
        var after: UUID?
        var batches = 0
        while true {
            let (wanted, last) = try await ingestor.pool.withConnection(as: .service) { db in
                try await ReembeddingRepository.wanted(
                    of: run, after: after, limit: ingestor.options.reembeddedAtOnce, on: db)
            }
            guard let last else { break }
            let batch = try await vectors(for: wanted)
            let began = ContinuousClock.now
            staged += batch.vectors.count
            total = max(total, staged)
            try await lease.transaction { db in
                try await ReembeddingRepository.stage(
                    batch.vectors, sessionID: run.sessionID, stageID: run.stageID, on: db)
                try await ReembeddingRepository.note(
                    batch.refused, sessionID: run.sessionID, jobID: run.jobID, on: db)
                var counts = batch.counts
                counts.stageMicroseconds = Int64(began.microsecondsAgo)
                try await ReembeddingRepository.add(
                    counts, sessionID: run.sessionID, jobID: run.jobID, on: db)
                try await advance("embed", staged, of: total, on: db)
            }
            after = last
            batches += 1
            try await ingestor.observe(.staged(batch: batches))
        }
        try await stopIfRefused()
    }

    /// Keeps the vectors of now, so that the switch has only to write new ones.
    private func retire() async throws {
        var after: UUID?
        while true {
            after = try await lease.transaction { db in
                let last = try await ReembeddingRepository.retire(
                    sessionID: run.sessionID, retiredID: run.retiredID, after: after,
                    limit: ingestor.options.retiredAtOnce, on: db)
                try await advance("retire", nil, on: db)
                return last
            }
            if after == nil { break }
        }
        try await ingestor.observe(.retired)
    }

    private func gate() async throws {
        // What was there before needs no proof.
        guard run.takesBack == nil else { return }
        try await lease.transaction { try await advance("gate", nil, on: $0) }
        var verdict = try await ReembeddingGate(
            pool: ingestor.pool, run: run, terms: terms,
            before: try? ingestor.embedders.embedder(of: from),
            after: try? ingestor.embedders.embedder(of: to)
        ).verdict()
        verdict.isForced = terms.isForced
        let json = try verdict.json()
        try await lease.transaction { db in
            try await ReembeddingRepository.setVerdict(
                json, sessionID: run.sessionID, jobID: run.jobID, on: db)
        }
        try await ingestor.observe(.judged)
        if let objection = verdict.objection, !terms.isForced {
            throw ReembeddingStopped(reason: "gate: \(objection)")
        }
    }

    /// False when chunks came that have no vector yet.
    ///
    private func `switch`() async throws -> Bool {
        try await lease.transaction { try await advance("switch", nil, on: $0) }
        var settle: Settling?
        let outcome: ReembeddingRepository.Switch
        do {
            outcome = try await ingestor.pool.withTransaction(as: .service) { db in
                try await `switch`(on: db, &settle)
            }
        } catch {
            settle?(false)
            throw error
        }
        settle?(true)
        switch outcome {
        case .done: return true
        case .lacking: return false
        case .otherModel:
            throw ReembeddingStopped(reason: "the session was given another model meanwhile")
        }
    }

    /// The job's row is locked last: until then the lease is renewed beside this, and whoever cancels
    /// need not wait.
    private func `switch`(
        on db: Transaction, _ settle: inout Settling?
    ) async throws -> ReembeddingRepository.Switch {
        let began = ContinuousClock.now
        let outcome = try await ReembeddingRepository.switch(
            run, retaining: terms.retentionSeconds, atOnce: ingestor.options.switchedAtOnce,
            on: db
        ) { try await ingestor.observe(.switching) }
        guard case .done(_, let chunks) = outcome else { return outcome }
        settle = try await ingestor.willCommit(run.sessionID, db)
        var counts = ReembeddingCounts()
        counts.switchMicroseconds = Int64(began.microsecondsAgo)
        try await ReembeddingRepository.add(
            counts, sessionID: run.sessionID, jobID: run.jobID, on: db)
        guard
            try await advanced("done", chunks, of: chunks, on: db),
            try await JobRepository.finish(
                id: run.jobID, state: .succeeded, owner: lease.owner, on: db)
        else { throw LeaseLost() }
        return outcome
    }

    // MARK: Pieces

    private func vectors(for wanted: [WantedChunk]) async throws -> ReembeddedFamilies.Batch {
        try await ReembeddedFamilies(
            pool: ingestor.pool, run: run,
            own: { () throws(IngestionError) in
                SessionEmbedder(
                    embedder: try ingestor.embedders.embedder(of: to).inBackground, model: to,
                    profileID: profileID)
            }
        ).vectors(for: wanted)
    }

    private func stopIfRefused() async throws {
        let count = try await ingestor.pool.withConnection(as: .service) { db in
            try await ReembeddingRepository.countFailures(
                sessionID: run.sessionID, jobID: run.jobID, on: db)
        }
        guard count == 0 else {
            throw ReembeddingStopped(
                reason: "refused: the model \(to.name) refuses \(count) "
                    + (count == 1 ? "text" : "texts"))
        }
    }

    /// Says how far it is; `done` nil keeps the count.
    private func advance(
        _ stage: String, _ done: Int?, of total: Int = 0, on db: Transaction
    ) async throws {
        guard try await advanced(stage, done, of: total, on: db) else { throw LeaseLost() }
    }

    private func advanced(
        _ stage: String, _ done: Int?, of total: Int = 0, on db: Transaction
    ) async throws -> Bool {
        try await JobRepository.advance(
            sessionID: run.sessionID, id: run.jobID, progress: done.map { ($0, total) },
            stage: stage, owner: lease.owner, on: db)
    }
}

/// It waits for somebody now, and this is why. The text may be shown to anyone.
struct ReembeddingStopped: Error {
    let reason: String
}
