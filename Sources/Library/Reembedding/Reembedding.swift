// One re-embedding of a session, beside its job.

internal import Postgres
package import FoundationEssentials

package struct Reembedding: Sendable, Equatable {
    package let sessionID: UUID
    package let jobID: UUID
    package let fromModelID: UUID
    package let fromModel: String
    package let toModelID: UUID
    package let toModel: String
    /// Under which id its vectors are staged.
    package let stageID: UUID
    /// Under which id those that they replaced are kept.
    package let retiredID: UUID
    /// The job whose switch it takes back.
    package let takesBack: UUID?
    /// What its gate asks; JSON text.
    package let terms: String
    /// What the gate found; JSON text.
    package let verdict: String?
    /// Why it waits for somebody; nil while it does not, or only because it was paused.
    package let stoppedBecause: String?
    package let counts: ReembeddingCounts
    package let switchedAt: Date?
    /// Until when the switch can be taken back.
    package let retainedUntil: Date?
}

/// What was done so far, in texts and in microseconds.
package struct ReembeddingCounts: Sendable, Equatable {
    /// Texts the model was asked about.
    package var embedded: Int64 = 0
    /// Texts whose vector was known to the account.
    package var reused: Int64 = 0
    /// Spent waiting for the model.
    package var embedMicroseconds: Int64 = 0
    /// Spent storing vectors.
    package var stageMicroseconds: Int64 = 0
    /// From locking the session to its new revision.
    package var switchMicroseconds: Int64 = 0

    package init() {}
}

/// A re-embedding before it has a row.
package struct NewReembedding: Sendable {
    package var sessionID: UUID
    package var toModelID: UUID
    /// Vectors that are staged already, and of what.
    package var takesBack: (job: UUID, stageID: UUID)?
    /// JSON text, an object.
    package var terms: String
    /// Whether it waits to be resumed.
    package var isPaused: Bool

    package init(
        sessionID: UUID, toModelID: UUID, takesBack: (job: UUID, stageID: UUID)? = nil,
        terms: String = "{}", isPaused: Bool = false
    ) {
        self.sessionID = sessionID
        self.toModelID = toModelID
        self.takesBack = takesBack
        self.terms = terms
        self.isPaused = isPaused
    }
}

/// A text the model refuses for good.
package struct ReembeddingFailure: Sendable, Equatable {
    package let chunkID: UUID
    package let reason: String

    package init(chunkID: UUID, reason: String) {
        self.chunkID = chunkID
        self.reason = reason
    }
}

extension Reembedding {
    init(_ row: Row) throws(PostgresError) {
        sessionID = try row.get(0)
        jobID = try row.get(1)
        fromModelID = try row.get(2)
        fromModel = try row.get(3)
        toModelID = try row.get(4)
        toModel = try row.get(5)
        stageID = try row.get(6)
        retiredID = try row.get(7)
        takesBack = try row.get(8)
        terms = try row.get(9)
        verdict = try row.get(10)
        stoppedBecause = try row.get(11)
        var counts = ReembeddingCounts()
        counts.embedded = try row.get(12)
        counts.reused = try row.get(13)
        counts.embedMicroseconds = try row.get(14)
        counts.stageMicroseconds = try row.get(15)
        counts.switchMicroseconds = try row.get(16)
        self.counts = counts
        switchedAt = try row.get(17)
        retainedUntil = try row.get(18)
    }
}
