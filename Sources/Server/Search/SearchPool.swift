// Threads that compute, for searches that would keep an event loop from its connections.

import Dispatch
import NIOCore
import Retrieval
import Synchronization

/// One thread for each core, each with a worker of its own. A search that finds them all busy waits in
/// line for the first that is done.
final class SearchPool: Sendable {
    /// A worker and the serial queue that is its thread.
    ///
    /// `@unchecked Sendable`: the worker is touched on the queue alone.
    private final class Lane: @unchecked Sendable {
        let queue: DispatchQueue
        let worker: SearchWorker

        init(_ number: Int, _ worker: SearchWorker) {
            queue = DispatchQueue(label: "carrel.search.\(number)", qos: .userInitiated)
            self.worker = worker
        }
    }

    private struct Waiting {
        let search: PendingSearch
        let loop: any EventLoop
    }

    private struct State {
        var idle: [Lane]
        var waiting: [Waiting] = []
    }

    /// How many searches one read vouches for at most: the others in line are another lane's.
    private static let mostAtOnce = 4

    private let activity: Activity
    private let state: Mutex<State>

    init(lanes: Int, _ activity: Activity, _ makeWorker: () throws -> SearchWorker) rethrows {
        self.activity = activity
        state = Mutex(State(idle: try (0..<lanes).map { Lane($0, try makeWorker()) }))
    }

    /// Has a search answered, which is delivered on `loop`.
    func submit(_ search: PendingSearch, from loop: any EventLoop) {
        let lane = state.withLock { state in
            state.waiting.append(Waiting(search: search, loop: loop))
            return state.idle.popLast()
        }
        if let lane { lane.queue.async { self.work(lane) } }
    }

    private func work(_ lane: Lane) {
        while let batch = next(lane) {
            lane.worker.answer(batch.map(\.search.request)) { index, outcome in
                let (search, loop) = (batch[index].search, batch[index].loop)
                let line = search.line(outcome)
                if line != nil { activity.searched(.pool) }
                loop.execute { search.deliver(line) }
            }
        }
    }

    /// What a lane does next; nil when it is idle again.
    private func next(_ lane: Lane) -> [Waiting]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.idle.append(lane)
                return nil
            }
            // A fair share, so that no lane sleeps while another has a line.
            let share = state.waiting.count / (state.idle.count + 1)
            let batch = Array(state.waiting.prefix(min(max(share, 1), Self.mostAtOnce)))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }
}
