// Who uses a cluster, told by flock(2), which the kernel releases however a process ends.
//
// Every process that uses the cluster holds a shared lock. Whoever leaves asks for the exclusive
// one: it gets it only if nobody else is there, and then stops the server. Starting happens under
// an exclusive lock on a second file, so that two processes do not both run initdb.

internal import Glibc

/// An advisory lock on a file.
///
/// Released on `release`, on deinit, or with the process.
final class UsageLock: Sendable {
    private let descriptor: Int32

    /// Opens (and makes) the lock file, which stays when the lock goes.
    init(_ path: String) throws(EmbeddedError) {
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .directory(path: path, reason: unsafe String(cString: strerror(errno)))
        }
    }

    deinit { close(descriptor) }

    func tryShared() -> Bool { flock(descriptor, LOCK_SH | LOCK_NB) == 0 }
    func tryExclusive() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }
    func release() { _ = flock(descriptor, LOCK_UN) }

    /// Tries until it succeeds, without holding a thread; false when time is up.
    func wait(_ limit: Duration, until attempt: (UsageLock) -> Bool) async -> Bool {
        let deadline = ContinuousClock.now.advanced(by: limit)
        while !attempt(self) {
            if ContinuousClock.now >= deadline { return false }
            await pause(milliseconds: 20)
        }
        return true
    }
}
