// Child processes, by posix_spawn(3).
//
// In a session of its own a child does not get the terminal's Ctrl-C, so the database is still
// there while we finish what we are doing. Waiting is by polling: waitpid(2) would hold a thread.

internal import FoundationEssentials
internal import Glibc

/// A process we started.
final class Child: Sendable {
    let processID: pid_t
    let program: String

    /// POSIX_SPAWN_SETSID of glibc's spawn.h, which Swift's import of it leaves out.
    private static let setSID: Int16 = 0x80

    private init(processID: pid_t, program: String) {
        self.processID = processID
        self.program = program
    }

    /// Starts `command` (found by `PATH`) with output appended to `log`, or thrown away.
    static func start(_ command: [String], log: String?) throws(EmbeddedError) -> Child {
        guard let program = command.first else { preconditionFailure("an empty command") }

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(
            &actions, 1, log ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // A server outlives us: what it inherited would stay open, and somebody may wait for its end. One that
        // is closed by then does no harm.
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in open.compactMap({ Int32($0) }) where descriptor > 2 {
            unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
        }

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // Undo what our process may have blocked or ignored.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(
            &attributes,
            setSID | Int16(POSIX_SPAWN_SETSIGMASK)
                | Int16(POSIX_SPAWN_SETSIGDEF))

        var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var processID: pid_t = 0
        let failure = unsafe posix_spawnp(
            &processID, program, &actions, &attributes, &arguments, environ)
        guard failure == 0 else {
            throw .cannotRun(program: program, reason: unsafe String(cString: strerror(failure)))
        }
        return Child(processID: processID, program: program)
    }

    /// Runs `command` to its end and returns its exit status; a signal counts as 128 + its number.
    static func run(_ command: [String], log: String?) async throws(EmbeddedError) -> Int32 {
        let child = try start(command, log: log)
        while true {
            if let status = child.exitStatus() { return status }
            await pause(milliseconds: 2)
        }
    }

    /// The exit status if the process has ended.
    ///
    /// Asked again after that it says 0.
    func exitStatus() -> Int32? {
        var status: Int32 = 0
        let ended = unsafe waitpid(processID, &status, WNOHANG)
        if ended == 0 { return nil }
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }
}

/// Sleeps even when the calling task has been cancelled.
///
/// Stopping a server happens in just such tasks, and `Task.sleep` would turn waiting into spinning.
func pause(milliseconds: Int) async {
    await Task { try? await Task.sleep(for: .milliseconds(milliseconds)) }.value
}
