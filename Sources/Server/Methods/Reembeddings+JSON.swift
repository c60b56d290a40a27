// How a re-embedding stands, as it is told.

import Ingestion
import Library
import Wire

/// One re-embedding with its job.
struct Standing: Sendable {
    let run: Reembedding
    let job: Job
    var failures: [ReembeddingFailure] = []

    var state: String {
        switch job.state {
        case .queued where job.isPaused: run.stoppedBecause == nil ? "PAUSED" : "STOPPED"
        case .queued: "WAITING"
        case .running: "RUNNING"
        case .succeeded: "SWITCHED"
        case .failed: "FAILED"
        case .cancelled: "CANCELLED"
        }
    }

    /// Texts a second while the model was at it.
    var rate: Double? {
        let microseconds = run.counts.embedMicroseconds + run.counts.stageMicroseconds
        guard run.counts.embedded > 0, microseconds > 0 else { return nil }
        return Double(run.counts.embedded) * 1e6 / Double(microseconds)
    }

    /// Until the last vector is staged, as fast as so far.
    var secondsLeft: Double? {
        let microseconds = run.counts.embedMicroseconds + run.counts.stageMicroseconds
        guard !job.state.isEnded, job.done > 0, job.total >= job.done, microseconds > 0 else {
            return nil
        }
        return Double(job.total - job.done) * Double(microseconds) / 1e6 / Double(job.done)
    }
}

extension JSONWriter {
    mutating func members(of standing: Standing) {
        let (run, job) = (standing.run, standing.job)
        member("session", run.sessionID)
        member("job", run.jobID)
        member("state", standing.state)
        job.stage.map { member("stage", $0) }
        member("fromModel", run.fromModel)
        member("toModel", run.toModel)
        run.takesBack.map { member("takesBack", $0) }
        member("done", job.done)
        member("total", job.total)
        member("embedded", run.counts.embedded)
        member("reused", run.counts.reused)
        standing.rate.map { member("textsPerSecond", $0) }
        standing.secondsLeft.map { member("secondsLeft", $0) }
        run.stoppedBecause.map { member("stoppedBecause", $0) }
        if !standing.failures.isEmpty {
            array("refused", of: standing.failures) { writer, failure in
                writer.object {
                    $0.member("chunk", failure.chunkID)
                    $0.member("reason", failure.reason)
                }
            }
        }
        if let verdict = run.verdict.flatMap({ try? ReembeddingVerdict(json: $0) }) {
            object("gate") { $0.members(of: verdict) }
        }
        member("createdAt", job.createdAt)
        if let switched = run.switchedAt {
            member("switchMs", Double(run.counts.switchMicroseconds) / 1000)
            member("switchedAt", switched)
        }
        run.retainedUntil.map { member("retainedUntil", $0) }
    }

    private mutating func members(of verdict: ReembeddingVerdict) {
        member("queries", verdict.queries)
        verdict.overlap.map { member("overlapAt10", $0) }
        verdict.before.map { member("ndcgAt10Before", $0) }
        verdict.after.map { member("ndcgAt10After", $0) }
        verdict.objection.map { member("objection", $0) }
        member("forced", verdict.isForced)
    }

    mutating func members(of plan: ReembeddingPlan, price: Double?) {
        member("session", plan.session.id)
        member("title", plan.session.title)
        member("fromModel", plan.session.modelName)
        member("chunks", plan.work.children + plan.work.parents)
        member("texts", plan.work.children)
        member("tokens", plan.work.tokens)
        member("textsToEmbed", plan.work.newTexts)
        member("tokensToEmbed", plan.work.newTokens)
        plan.seconds.map { member("seconds", $0) }
        price.map { member("cost", Double(plan.work.newTokens) / 1e6 * $0) }
        plan.obstacle.map { member("obstacle", $0) }
    }
}
