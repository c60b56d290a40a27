// How re-embeddings are shown.

import Foundation

extension Remote.ReembedRuns {
    func say(_ remote: RemoteOptions) throws {
        if remote.json { return try printJSON() }
        runs.say()
        for one in skipped ?? [] {
            Terminal.say("\(one.session.uuidString.lowercased()) skipped: \(one.reason)")
        }
    }
}

extension [ReembedRunShape] {
    func say() {
        var table = Table(
            .elastic("SESSION"), .text("STATE"), .elastic("MODEL"), .text(""), .number("CHUNKS"),
            .number("RATE"), .number("LEFT"), .number("GATE"))
        for run in self {
            var line = ProgressLine(label: "", unit: "")
            (line.done, line.total) = (run.done, run.total)
            table.add(
                run.session.uuidString.lowercased(), run.state,
                "\(run.fromModel) → \(run.toModel)", line.bar, "\(run.done)/\(run.total)",
                run.textsPerSecond.map { String(format: "%.1f/s", $0) } ?? "-",
                run.secondsLeft.map(Reembed.Plan.time) ?? "-",
                run.gate?.overlapAt10.map { String(format: "%.2f", $0) } ?? "-")
        }
        table.print(orWhenEmpty: "no session was ever re-embedded")
        for run in self {
            if ["PAUSED", "STOPPED"].contains(run.state) {
                Terminal.say(
                    "\(run.session.uuidString.lowercased()) waits to be resumed, as job "
                        + run.job.uuidString.lowercased())
            }
            if let reason = run.stoppedBecause {
                Terminal.say("\(run.session.uuidString.lowercased()) stopped: \(reason)")
            }
            for refusal in run.refused ?? [] {
                Terminal.say("  \(refusal.chunk.uuidString.lowercased()): \(refusal.reason)")
            }
        }
    }
}
