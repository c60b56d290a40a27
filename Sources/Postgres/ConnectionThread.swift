// The serial executor of one connection: a thread of its own, so that waiting for the database
// never takes a thread from Swift's cooperative pool.
//
// The thread sleeps in one poll(2) on two descriptors: a pipe that wakes it for work or for a
// cancellation, and the connection's socket. So a connection that lies idle in the pool notices at
// once that its server has gone, and a listening one its notifications, without any timer.
//
// A dispatch queue would do the first half only, and its wake-up costs the same.

internal import Glibc
internal import Synchronization

/// Runs the jobs of one `Connection`, one after another, on one thread.
///
/// `@unchecked Sendable`: all mutable state is in `queue`; descriptors are constants.
final class ConnectionThread: SerialExecutor, @unchecked Sendable {
    private struct Queue {
        var jobs: [UnownedJob] = []
        /// Work for when no job is left: closing a socket after its caller has been answered.
        var chores: [@Sendable () -> Void] = []
        var isAsleep = false
        var isStopping = false
        var idleSocket: Int32 = -1
        var onIdleInput: (@Sendable () -> Void)?
    }

    private enum Turn {
        case jobs([UnownedJob])
        case chores([@Sendable () -> Void])
        case sleep(Int32)
        case stop
    }

    private let queue = Mutex(Queue())
    private let wakeReader: Int32
    private let wakeWriter: Int32
    private let threadID = Atomic<UInt>(0)

    init() {
        var ends: [Int32] = [-1, -1]
        let made = unsafe pipe(&ends)
        precondition(made == 0, "no file descriptors left for a connection (errno \(errno))")
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        wakeReader = ends[0]
        wakeWriter = ends[1]

        var thread = pthread_t()
        let me = unsafe Unmanaged.passRetained(self).toOpaque()
        let failure = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<ConnectionThread>.fromOpaque(argument).takeRetainedValue().main()
                return nil
            }, me)
        precondition(failure == 0, "cannot start a thread for a connection (error \(failure))")
        pthread_detach(thread)
    }

    deinit {
        close(wakeReader)
        close(wakeWriter)
    }

    // MARK: Called from anywhere

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = queue.withLock { queue in
            queue.jobs.append(job)
            defer { queue.isAsleep = false }
            return queue.isAsleep
        }
        if mustWake { wake() }
    }

    /// Runs `chore` once no job is waiting.
    func afterJobs(_ chore: @escaping @Sendable () -> Void) {
        let mustWake = queue.withLock { queue in
            queue.chores.append(chore)
            defer { queue.isAsleep = false }
            return queue.isAsleep
        }
        if mustWake { wake() }
    }

    /// Ends the thread after what is queued.
    ///
    /// Nothing may be enqueued afterwards.
    func stop(finally chore: @escaping @Sendable () -> Void) {
        queue.withLock { queue in
            queue.idleSocket = -1
            queue.onIdleInput = nil
            queue.chores.append(chore)
            queue.isStopping = true
        }
        wake()
    }

    /// Interrupts a poll, whether idle or inside `wait`.
    func wake() {
        var byte: UInt8 = 1
        _ = unsafe write(wakeWriter, &byte, 1)
    }

    /// From now on, input arriving while no job runs calls `handler` on this thread.
    ///
    /// A socket of -1 ends that.
    func watch(_ socket: Int32, _ handler: (@Sendable () -> Void)?) {
        queue.withLock { queue in
            queue.idleSocket = socket
            queue.onIdleInput = handler
        }
    }

    func isIsolatingCurrentContext() -> Bool? {
        threadID.load(ordering: .acquiring) == UInt(pthread_self())
    }

    func checkIsolated() {
        precondition(isIsolatingCurrentContext() == true, "not on the connection's thread")
    }

    // MARK: Called on the thread

    enum Event { case ready, woken, timedOut }

    /// Blocks until the socket can be read (or written), somebody calls `wake`, or time is up.
    func wait(
        _ socket: Int32, writable: Bool, until deadline: ContinuousClock.Instant?
    ) -> Event {
        let events = Int16(POLLIN) | (writable ? Int16(POLLOUT) : 0)
        var timeout: Int32 = -1
        if let deadline {
            let left = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
            if left <= 0 { return .timedOut }
            // Rounded up, so that the deadline has passed when poll says so.
            timeout = Int32(min(left.rounded(.up), 1e9))
        }
        let ready = pollBoth(socket, events, timeout)
        if ready.woken { drainPipe() }
        if ready.socket { return .ready }
        if ready.woken { return .woken }
        return deadline.map { $0 <= ContinuousClock.now } == true ? .timedOut : .woken
    }

    private func main() {
        blockSignals()
        threadID.store(UInt(pthread_self()), ordering: .releasing)
        while true {
            switch nextTurn() {
            case .jobs(let jobs):
                for job in jobs { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
            case .chores(let chores): for chore in chores { chore() }
            case .sleep(let socket): sleep(watching: socket)
            case .stop: return
            }
        }
    }

    private func nextTurn() -> Turn {
        queue.withLock { queue in
            if !queue.jobs.isEmpty {
                defer { queue.jobs.removeAll(keepingCapacity: true) }
                return .jobs(queue.jobs)
            }
            if !queue.chores.isEmpty {
                defer { queue.chores = [] }
                return .chores(queue.chores)
            }
            if queue.isStopping { return .stop }
            queue.isAsleep = true
            return .sleep(queue.idleSocket)
        }
    }

    private func sleep(watching socket: Int32) {
        let ready = pollBoth(socket, Int16(POLLIN), -1)
        if ready.woken { drainPipe() }
        let handler = queue.withLock { queue in
            queue.isAsleep = false
            return queue.jobs.isEmpty ? queue.onIdleInput : nil
        }
        if ready.socket { handler?() }
    }

    /// poll(2) on the socket (a negative one is ignored) and the pipe.
    private func pollBoth(
        _ socket: Int32, _ events: Int16, _ timeoutMilliseconds: Int32
    ) -> (socket: Bool, woken: Bool) {
        var descriptors = [
            pollfd(fd: socket, events: events, revents: 0),
            pollfd(fd: wakeReader, events: Int16(POLLIN), revents: 0),
        ]
        let count = unsafe poll(&descriptors, 2, timeoutMilliseconds)
        guard count > 0 else { return (false, false) }
        return (descriptors[0].revents != 0, descriptors[1].revents != 0)
    }

    private func drainPipe() {
        var buffer = [UInt8](repeating: 0, count: 64)
        while unsafe read(wakeReader, &buffer, 64) == 64 {}
    }

    /// Signals are for the main thread; a handler here would only interrupt poll.
    private func blockSignals() {
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
    }
}

/// Whether a descriptor has input right now.
///
/// One system call, about half a microsecond.
func hasInput(_ socket: Int32) -> Bool {
    var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&descriptor, 1, 0) != 0
}
