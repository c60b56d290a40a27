import Foundation

extension ReembedBench {
    /// Which step began when.
    struct Course {
        private var steps: [(name: String, began: ContinuousClock.Instant)] = []

        /// Ends the step before, if it was another.
        mutating func begin(_ name: String) {
            if steps.last?.name != name { steps.append((name, .now)) }
        }

        mutating func end() { steps.append(("", .now)) }

        func result(
            of run: ReembedRunShape, _ making: Making, own: SearchPressure.Readings,
            other: SearchPressure.Readings
        ) -> Result {
            var measured: [Step] = []
            var during: (own: [Double], other: [Double]) = ([], [])
            for (step, next) in zip(steps, steps.dropFirst()) where step.name != "warm" {
                func times(_ readings: SearchPressure.Readings) -> [Double] {
                    readings.answered.filter { step.began <= $0.due && $0.due < next.began }
                        .map(\.milliseconds)
                }
                let (ownTimes, otherTimes) = (times(own), times(other))
                if !["idle", "plan"].contains(step.name) {
                    during.own += ownTimes
                    during.other += otherTimes
                }
                let seconds = (next.began - step.began).seconds
                measured.append(
                    Step(
                        name: step.name, seconds: seconds,
                        chunksPerSecond: Double(run.total) / seconds,
                        own: ownTimes.isEmpty ? nil : .init(milliseconds: ownTimes),
                        other: otherTimes.isEmpty ? nil : .init(milliseconds: otherTimes)))
            }
            func ratio(
                _ times: [Double], _ whose: (Step) -> EvaluationReport.Times?
            ) -> Double {
                let idle = measured.first.flatMap(whose)?.p99Milliseconds ?? 0
                return Percentiles(times).at(0.99) / idle
            }
            return Result(
                chunks: run.total, making: making, fromModel: run.fromModel, toModel: run.toModel,
                steps: measured, textsPerSecond: making == .embedded ? run.textsPerSecond : nil,
                switchMilliseconds: run.switchMs ?? 0, ownRatio: ratio(during.own, \.own),
                otherRatio: ratio(during.other, \.other),
                modelChanged: own.refused.reduce(0, +), refused: other.refused.reduce(0, +))
        }
    }
}
