// One run of `carrel-extract`, seen from outside: spawned with an empty environment and three open
// files (the document, a socket for the answer, /dev/null), watched against the clock and the size of
// its answer, and always reaped.
//
// The thread that spawns also waits: Linux delivers the parent-death signal when the *thread* that
// forked ends, so a child must not outlive it (prctl(2), PR_SET_PDEATHSIG).

import Glibc
import Synchronization

final class HelperProcess: Sendable {
    /// waiting → running → ended; cancelled from either of the first two.
    private enum State {
        case waiting
        case running(pid_t)
        case cancelled
        case ended
    }

    private let executable: String
    private let arguments: [String]
    private let limits: ExtractionLimits
    private let state = Mutex(State.waiting)

    init(executable: String, arguments: [String], limits: ExtractionLimits) {
        self.executable = executable
        self.arguments = arguments
        self.limits = limits
    }

    /// Kills the child, or keeps it from being started.
    ///
    /// The lock is what makes the kill safe: the child is reaped under it, so its number cannot have
    /// passed to another process.
    func cancel() {
        state.withLock { state in
            switch state {
            case .running(let pid):
                kill(pid, SIGKILL)
                state = .cancelled
            case .waiting:
                state = .cancelled
            case .cancelled, .ended:
                break
            }
        }
    }

    /// Runs the helper over the file and returns what it wrote. Blocks the calling thread.
    func run(readingFrom path: String) -> Result<[UInt8], DocumentError> {
        do throws(DocumentError) {
            let input = try openedDocument(path)
            defer { close(input) }
            let (reader, pid) = try spawned(input)
            defer { close(reader) }
            let (answer, stopped) = collect(from: reader)
            if stopped != nil { kill(pid, SIGKILL) }
            let status = reap(pid)
            return interpret(answer, stopped: stopped, status: status)
        } catch {
            return .failure(error)
        }
    }
}

extension HelperProcess {
    private func openedDocument(_ path: String) throws(DocumentError) -> Int32 {
        let input = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard input >= 0 else { throw .unreadable(reason(errno)) }
        var facts = stat()
        guard unsafe fstat(input, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            close(input)
            throw .unreadable("it is not a regular file")
        }
        guard facts.st_size <= limits.fileBytes else {
            close(input)
            throw .tooLarge(.fileBytes, limit: limits.fileBytes, got: facts.st_size)
        }
        guard facts.st_size > 0 else {
            close(input)
            throw .empty("it is zero bytes long")
        }
        return input
    }

    private func spawned(
        _ input: Int32
    ) throws(DocumentError) -> (reader: Int32, pid: pid_t) {
        // A socket pair rather than a pipe: it can be close-on-exec from birth, so that a process
        // started elsewhere at this moment cannot inherit our end and keep it open.
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw .extractorFailed(reason(errno))
        }
        let (reader, writer) = (ends[0], ends[1])
        defer { close(writer) }

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, writer, 1)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)

        // The parent may block or ignore signals; the child starts with none of that.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var words = unsafe ([executable] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var environment: [UnsafeMutablePointer<CChar>?] = unsafe [nil]
        var pid: pid_t = 0
        let failure = state.withLock { state -> Int32 in
            guard case .waiting = state else { return ECANCELED }
            let code = unsafe posix_spawn(
                &pid, executable, &actions, &attributes, &words, &environment)
            if code == 0 { state = .running(pid) }
            return code
        }
        guard failure == 0 else {
            close(reader)
            throw failure == ECANCELED
                ? .cancelled
                : .extractorFailed("\(executable) cannot be started (\(reason(failure)))")
        }
        return (reader, pid)
    }

    /// Everything the child writes until it closes the socket, or why that was not waited for.
    private func collect(from reader: Int32) -> (answer: [UInt8], stopped: DocumentError?) {
        let deadline = ContinuousClock.now + .seconds(limits.wallSeconds)
        // The header is at most a few hundred bytes a section; a quarter of the text and a floor
        // is room for any honest document.
        let ceiling = limits.textBytes + limits.textBytes / 4 + (4 << 20)
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let left = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
            guard left > 0 else { return (answer, .timedOut(seconds: limits.wallSeconds)) }
            var event = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&event, 1, Int32(min(left, 1e9)) + 1)
            if ready < 0 && errno != EINTR { return (answer, .extractorFailed(reason(errno))) }
            guard ready > 0 else { continue }
            let count = unsafe read(reader, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return (answer, nil) }
            answer += piece[..<count]
            if answer.count > ceiling {
                return (answer, .tooLarge(.textBytes, limit: limits.textBytes, got: nil))
            }
        }
    }

    /// Waits for the child's end and takes it off the process table; `nil` when it was cancelled.
    ///
    /// A child that closed its output but does not end is killed after a second.
    private func reap(_ pid: pid_t) -> Int32? {
        var status: Int32 = 0
        var waits = 0
        while true {
            let done = state.withLock { state -> Bool? in
                let result = unsafe waitpid(pid, &status, WNOHANG)
                guard result == pid || (result < 0 && errno != EINTR) else { return nil }
                defer { state = .ended }
                if case .cancelled = state { return false }
                return true
            }
            if let done { return done ? status : nil }
            waits += 1
            if waits == 1_000 { kill(pid, SIGKILL) }
            usleep(waits < 20 ? 100 : 1_000)
        }
    }

    /// What an end means. The child answers in words whenever it can; a bare end is read here.
    private func interpret(
        _ answer: [UInt8], stopped: DocumentError?, status: Int32?
    ) -> Result<[UInt8], DocumentError> {
        guard let status else { return .failure(.cancelled) }
        if let stopped { return .failure(stopped) }
        let signal = status & 0x7f
        if signal == 0 {
            switch (status >> 8) & 0xff {
            case 0: return .success(answer)
            case HelperExit.outOfMemory:
                return .failure(.outOfMemory(limitBytes: limits.memoryBytes))
            case HelperExit.badRequest: return .failure(.extractorFailed("versions do not match"))
            case HelperExit.unconfined: return .failure(.extractorFailed("it cannot be confined"))
            // Poppler's allocator ends the process with 1 when malloc fails (goo/gmem.h).
            case 1: return .failure(.outOfMemory(limitBytes: limits.memoryBytes))
            case let code: return .failure(.extractorFailed("it ended with code \(code)"))
            }
        }
        return switch signal {
        case SIGXCPU: .failure(.timedOut(seconds: limits.processorSeconds))
        // Not killed by us: the kernel ran short of memory, or the hard processor limit struck.
        case SIGKILL: .failure(.outOfMemory(limitBytes: limits.memoryBytes))
        default: .failure(.damaged("reading it broke the reader (signal \(signal))"))
        }
    }

    private func reason(_ code: Int32) -> String {
        unsafe String(cString: strerror(code))
    }
}

/// Exit codes by which the child says what it can no longer say in words.
package enum HelperExit {
    package static let outOfMemory: Int32 = 12
    package static let badRequest: Int32 = 64
    package static let unconfined: Int32 = 77
}
