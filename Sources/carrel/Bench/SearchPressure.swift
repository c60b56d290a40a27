import Foundation
import Synchronization
import Workload

/// Searches of one session at an even pace (open loop) for as long as somebody else measures something.
struct SearchPressure: Sendable {
    /// When a search was due, and how long its answer took from then.
    struct Reading: Sendable {
        let due: ContinuousClock.Instant
        let milliseconds: Double
    }

    struct Readings: Sendable {
        var answered: [Reading] = []
        /// For each interval between two changes, how many searches were refused.
        var refused: [Int] = []
    }

    let server: ServerAddress
    let session: String
    let rate: Double
    let end = Signal()
    /// Raised when the handles that are open are of a model that the session has no longer.
    let change = Signal()

    /// Blocks its thread until the end.
    func run() throws -> Readings {
        let asked = VectorSource(clustered: 1, part: 1)
        let questions = try (0..<20).map { Question(vector: try asked.vector($0)) }
        var readings = Readings()
        while !end.isRaised {
            let isChanged = change.isRaised
            let load = try Load(
                questions, session: session, on: server, connections: 4, depth: 16)
            let start = ContinuousClock.now
            let result = try load.run(.open(rate: rate, seconds: 600)) {
                end.isRaised || change.isRaised != isChanged
            }
            readings.refused.append(result.refused)
            for (begun, time) in zip(result.begun, result.nanoseconds) {
                readings.answered.append(
                    Reading(due: start + .nanoseconds(begun), milliseconds: Double(time) / 1e6))
            }
        }
        return readings
    }
}

/// Raised by one, seen by others.
final class Signal: Sendable {
    private let value = Atomic(false)

    var isRaised: Bool { value.load(ordering: .relaxed) }
    func raise() { value.store(true, ordering: .relaxed) }
}
