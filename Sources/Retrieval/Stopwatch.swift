// Stage times and the deadline, so that the search itself reads without them.

import Foundation

/// Splits the time of one request into stages and says when there is none left.
struct Stopwatch {
    private let deadline: ContinuousClock.Instant?
    private var last = ContinuousClock.now
    private(set) var times = StageTimes()

    init(deadline: ContinuousClock.Instant?) { self.deadline = deadline }

    /// Adds the time since the last split to a stage.
    ///
    /// - Throws: `deadlineExceeded`, or `CancellationError` when the task was cancelled: nobody waits
    ///   for what comes next.
    mutating func split(_ stage: WritableKeyPath<StageTimes, Int>) throws {
        let now = ContinuousClock.now
        times[keyPath: stage] += Int((now - last) / .microseconds(1))
        last = now
        try Task.checkCancellation()
        if let deadline, now > deadline { throw RetrievalError.deadlineExceeded }
    }
}
