import Dispatch
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Threads of their own for encoder work, one queue to each group of them.
///
/// An encoder keeps a core busy for milliseconds to seconds, which the cooperative pool must not
/// see. `BertEmbedder` has two lanes: queries, whose threads have the ordinary priority, and
/// passages, whose threads the system holds back whenever a query (or anything else of the server)
/// wants the core. So a query waits for no batch, and an idle machine still gives all to passages.
final class WorkerLane: Sendable {
    /// What the threads hold on to; the lane itself can go, and stops them when it does.
    private final class Queue: Sendable {
        let waiting = Mutex<[@Sendable (Workspace) -> Void]>([])
        let arrivals = DispatchSemaphore(value: 0)

        /// Waits for the next job; nil when the lane is gone.
        func next() -> (@Sendable (Workspace) -> Void)? {
            arrivals.wait()
            return waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        }
    }

    private let queue = Queue()
    private let threads: Int

    /// A `niceness` of 0 is ordinary; larger gives way, up to 19. An idle lane runs when nothing else
    /// of the machine does.
    init(name: String, threads: Int, niceness: Int, isIdle: Bool = false) {
        precondition(threads > 0, "a lane needs a thread")
        self.threads = threads
        for number in 0..<threads {
            let thread = Thread { [queue] in
                // Linux keeps a priority per thread under the thread's own id, which 0 means here.
                if niceness > 0 { lowerPriority(by: niceness) }
                if isIdle { runWhenIdle() }
                let workspace = Workspace()
                while let job = queue.next() { job(workspace) }
            }
            thread.name = "\(name)-\(number)"
            thread.start()
        }
    }

    deinit {
        // Jobs hold the lane alive through their caller, so by now there are none.
        for _ in 0..<threads { queue.arrivals.signal() }
    }

    /// Runs `body` on one of the threads, in order of arrival.
    func run<R: Sendable>(_ body: @escaping @Sendable (Workspace) -> R) async -> R {
        await withCheckedContinuation { continuation in
            queue.waiting.withLock { waiting in
                waiting.append { continuation.resume(returning: body($0)) }
            }
            queue.arrivals.signal()
        }
    }
}

/// A nice thread still gets its share, 1.5 % against one of ordinary priority; a thread of SCHED_IDLE
/// gives way as soon as another wakes (sched(7)). Where there is no such policy, nice must do.
private func runWhenIdle() {
    #if os(Linux)
        // The header has it for GNU sources only; the number is the kernel's.
        let idlePolicy: CInt = 5
        var parameters = sched_param()
        _ = unsafe sched_setscheduler(0, idlePolicy, &parameters)
    #endif
}

private func lowerPriority(by niceness: Int) {
    #if canImport(Glibc)
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, CInt(niceness))
    #else
        _ = setpriority(PRIO_PROCESS, 0, CInt(niceness))
    #endif
}
