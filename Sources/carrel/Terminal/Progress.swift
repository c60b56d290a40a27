// Long work shows how far it is: a bar on a terminal, plain lines now and then in a log.

import Foundation
import Synchronization

/// How far something is, told in one line.
package struct ProgressLine: Sendable {
    package var label: String
    package var unit: String
    package var done = 0
    package var total = 0

    package init(label: String, unit: String) {
        self.label = label
        self.unit = unit
    }

    /// The line after `seconds` of work; rate and time left once there is something to divide by.
    ///
    /// For example `1/5 fhs-3.0.pdf: 96/210 chunks, 31.2/s, 0:04 left`.
    package func text(elapsed seconds: Double) -> String {
        guard total > 0 else { return label }
        var text = "\(label): \(done)/\(total) \(unit)"
        guard done > 0, seconds > 0 else { return text }
        let rate = Double(done) / seconds
        text += String(format: rate < 100 ? ", %.1f/s" : ", %.0f/s", rate)
        if done < total {
            let left = Int((Double(total - done) / rate).rounded(.up))
            text += ", \(left / 60):" + String(format: "%02d left", left % 60)
        }
        return text
    }

    /// Twenty cells, filled as far as the work is done.
    package var bar: String {
        let filled = total > 0 ? min(done * 20 / total, 20) : 0
        return String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
    }
}

/// Shows a line of progress on standard error.
///
/// On a terminal the line is redrawn in place, at most ten times a second. Elsewhere a new line is
/// written when the label changes and then every five seconds.
final class Progress: Sendable {
    private struct State: Sendable {
        var line: ProgressLine
        let started: ContinuousClock.Instant
        var shown: ContinuousClock.Instant?
    }

    private let state: Mutex<State>
    private let isQuiet: Bool

    init(_ label: String, unit: String, quiet: Bool = false) {
        state = Mutex(
            State(line: ProgressLine(label: label, unit: unit), started: .now, shown: nil))
        isQuiet = quiet
    }

    func update(done: Int, total: Int) {
        state.withLock { state in
            state.line.done = done
            state.line.total = total
            let pause: Duration = Terminal.isWatched ? .milliseconds(100) : .seconds(5)
            guard !isQuiet, state.shown.map({ $0.duration(to: .now) >= pause }) ?? true else {
                return
            }
            state.shown = .now
            show(state)
        }
    }

    /// The last word: replaces the bar on a terminal.
    func finish(_ text: String? = nil) {
        state.withLock { state in
            guard !isQuiet else { return }
            if Terminal.isWatched, state.shown != nil {
                Terminal.write("\r\u{1B}[K", to: .standardError)
            }
            Terminal.note(text ?? state.line.text(elapsed: state.started.secondsSince))
        }
    }

    private func show(_ state: State) {
        let text = state.line.text(elapsed: state.started.secondsSince)
        if Terminal.isWatched {
            let line = "\(state.line.bar) \(text)".cut(to: Terminal.width - 1)
            Terminal.write("\r\u{1B}[K" + line, to: .standardError)
        } else {
            Terminal.note(text)
        }
    }
}

extension ContinuousClock.Instant {
    var secondsSince: Double { duration(to: .now).seconds }
}

extension Duration {
    var seconds: Double { self / .seconds(1) }
    var milliseconds: Double { self / .milliseconds(1) }
    var microseconds: Double { self / .microseconds(1) }
}
