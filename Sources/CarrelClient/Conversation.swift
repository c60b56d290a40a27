// Who waits for what on one connection. Lines come in on the event loop, calls from any task, so
// the state is a value behind a lock that is held for a line or two.

internal import NIOCore
internal import Synchronization
internal import Wire

final class Conversation: Sendable {
    struct Reply: Sendable {
        /// The whole line as it came.
        let line: ByteBuffer
        /// The same, parsed.
        let message: JSONObject
    }
    typealias Waiting = CheckedContinuation<Result<Reply, ClientError>, Never>

    /// One listener to one job.
    struct Subscription: Sendable {
        fileprivate let job: String
        fileprivate let number: Int
    }

    private struct State {
        var lastID = 0
        /// Before its answer has come, a call is here.
        var waiting: [Int: Waiting] = [:]
        var listeners: [String: [Int: AsyncStream<JobProgress>.Continuation]] = [:]
        /// Why the connection is over; set once.
        var ended: ClientError?
    }
    private let state = Mutex(State())

    /// An id that this connection has not used.
    func nextID() -> Int {
        state.withLock {
            $0.lastID += 1
            return $0.lastID
        }
    }

    /// Waits for an answer; at once a failure if the connection is over.
    ///
    /// - Returns: whether the request should be sent.
    func expect(_ id: Int, _ waiting: Waiting) -> Bool {
        let ended = state.withLock { state in
            if state.ended == nil { state.waiting[id] = waiting }
            return state.ended
        }
        if let ended { waiting.resume(returning: .failure(ended)) }
        return ended == nil
    }

    /// Gives up waiting for an answer.
    ///
    /// - Returns: whether anybody still waited.
    @discardableResult
    func fail(_ id: Int, _ error: ClientError) -> Bool {
        let waiting = state.withLock { $0.waiting.removeValue(forKey: id) }
        waiting?.resume(returning: .failure(error))
        return waiting != nil
    }

    /// Takes in a line of the server.
    func receive(_ line: ByteBuffer, _ document: JSONDocument) {
        guard let message = document.root.object else { return }
        if let id = message["id"]?.int {
            let waiting = state.withLock { $0.waiting.removeValue(forKey: id) }
            if let error = message["error"]?.object {
                waiting?.resume(returning: .failure(.refused(ClientError.Refusal(error))))
            } else {
                waiting?.resume(returning: .success(Reply(line: line, message: message)))
            }
        } else if message["method"]?.string == "$/progress",
            let params = message["params"]?.object, let job = params["job"]?.string,
            let progress = JobProgress(job: job, params)
        {
            report(progress)
        }
    }

    /// Fails everything under way, and everything after.
    func end(_ reason: ClientError) {
        let (waiting, listeners) = state.withLock { state in
            if state.ended == nil { state.ended = reason }
            defer {
                state.waiting = [:]
                state.listeners = [:]
            }
            return (state.waiting, state.listeners)
        }
        for one in waiting.values { one.resume(returning: .failure(reason)) }
        for listener in listeners.values.flatMap(\.values) { listener.finish() }
    }

    // MARK: Jobs

    func subscribe(
        to job: String, _ listener: AsyncStream<JobProgress>.Continuation
    ) -> Subscription {
        state.withLock { state in
            state.lastID += 1
            state.listeners[job, default: [:]][state.lastID] = listener
            return Subscription(job: job, number: state.lastID)
        }
    }

    func drop(_ subscription: Subscription) {
        state.withLock { state in
            state.listeners[subscription.job]?[subscription.number] = nil
            if state.listeners[subscription.job]?.isEmpty == true {
                state.listeners[subscription.job] = nil
            }
        }
    }

    /// Passes on how far a job has come; the end of the job ends its streams.
    func report(_ progress: JobProgress) {
        let listeners = state.withLock { state in
            progress.isOver
                ? state.listeners.removeValue(forKey: progress.job) : state.listeners[progress.job]
        }
        for listener in (listeners ?? [:]).values {
            listener.yield(progress)
            if progress.isOver { listener.finish() }
        }
    }
}
