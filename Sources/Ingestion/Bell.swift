// Wakes workers of this process as soon as there is work, so that polling can be slow.

import Foundation
import Synchronization

final class Bell: Sendable {
    private struct State {
        var sleepers: [UUID: Task<Void, Never>] = [:]
        /// Rung while nobody slept: the next sleeper does not lie down.
        var isRung = false
    }

    private let state = Mutex(State())

    func ring() {
        let sleepers = state.withLock { state in
            let sleepers = state.sleepers
            state.sleepers = [:]
            state.isRung = sleepers.isEmpty
            return sleepers
        }
        for sleeper in sleepers.values { sleeper.cancel() }
    }

    /// Returns when the bell rings, the time is over, or the calling task is cancelled.
    func wait(upTo limit: Duration) async {
        let id = UUID()
        let sleeper = state.withLock { state -> Task<Void, Never>? in
            if state.isRung {
                state.isRung = false
                return nil
            }
            let sleeper = Task { _ = try? await Task.sleep(for: limit) }
            state.sleepers[id] = sleeper
            return sleeper
        }
        guard let sleeper else { return }
        await withTaskCancellationHandler {
            await sleeper.value
        } onCancel: {
            sleeper.cancel()
        }
        state.withLock { _ = $0.sleepers.removeValue(forKey: id) }
    }
}
