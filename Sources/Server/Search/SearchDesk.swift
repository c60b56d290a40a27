// Where the searches of one event loop wait for the end of its turn, so that one read of the
// database vouches for all that came in it.
//
//   line ─► desk ─► cheap ────────► this loop, at the end of the turn
//              │    dear, or many ► SearchPool: threads that compute
//              └─── not here, or the worker could not say ► a task: Searcher.search

import NIOCore
import Retrieval
import Wire

/// A search that has been read and not been answered.
struct PendingSearch: Sendable {
    let request: SearchRequest
    /// The line that answers it, on whatever thread found the answer.
    let line: @Sendable (SearchAnswer) -> ByteBuffer
    /// Called on the event loop: the line, or nil when only a task can tell.
    let deliver: @Sendable (ByteBuffer?) -> Void
}

/// The searches of the connections of one event loop, on which it lives.
final class SearchDesk {
    /// How much work may wait here at a time; the rest of a burst goes to the other cores.
    private static let mostWaiting = Duration.milliseconds(2)

    private let loop: any EventLoop
    private let worker: SearchWorker
    private let pool: SearchPool
    private let cache: SnapshotCache
    private let activity: Activity
    private let longest: Duration
    private var waiting: [PendingSearch] = []
    private var waitingCost = Duration.zero

    init(
        _ worker: SearchWorker, _ pool: SearchPool, _ cache: SnapshotCache, _ activity: Activity,
        longest: Duration, on loop: any EventLoop
    ) {
        self.longest = longest
        self.worker = worker
        self.pool = pool
        self.cache = cache
        self.activity = activity
        self.loop = loop
    }

    /// Takes a search, to be answered after this turn of the loop.
    ///
    /// - Returns: false when only a task can answer it.
    func take(_ search: PendingSearch) -> Bool {
        guard let cost = SearchWorker.cost(of: search.request, in: cache) else { return false }
        if cost > longest || waitingCost > Self.mostWaiting {
            pool.submit(search, from: loop)
            return true
        }
        waiting.append(search)
        waitingCost += cost
        if waiting.count == 1 {
            let this = NIOLoopBound(self, eventLoop: loop)
            loop.execute { this.value.serve() }
        }
        return true
    }

    /// Answers what waits. Each answer may bring further searches, which wait for the next turn.
    private func serve() {
        let searches = waiting
        waiting = []
        waitingCost = .zero
        worker.answer(searches.map(\.request)) { index, outcome in
            let line = searches[index].line(outcome)
            if line != nil { activity.searched(.loop) }
            searches[index].deliver(line)
        }
    }
}

extension PendingSearch {
    /// The line of an answer, if it is one.
    func line(_ outcome: SearchWorker.Outcome) -> ByteBuffer? {
        switch outcome {
        case .answered(let answer): line(answer)
        case .undecided: nil
        }
    }
}
