// postmaster.pid: what a running (or dead) server says about itself.
// Its lines: process id, data directory, start time, port, socket directory, listen address,
// shared memory key, status (src/include/utils/pidfile.h).

internal import FoundationEssentials
internal import Glibc

/// A `postmaster.pid` that names a live process.
struct PostmasterFile: Sendable {
    let processID: pid_t
    let socketDirectory: String
    let isReady: Bool

    /// Nil when there is none, it is unreadable, or its process is gone or is not a PostgreSQL of
    /// this data directory: process ids are reused, after a reboot especially.
    init?(dataDirectory: String) {
        guard
            let text = try? String(
                contentsOfFile: "\(dataDirectory)/postmaster.pid", encoding: .utf8)
        else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 5, let pid = pid_t(lines[0]), pid > 1,
            PostmasterFile.isPostgres(pid, of: dataDirectory)
        else { return nil }
        processID = pid
        socketDirectory = String(lines[4])
        isReady = lines.count >= 8 && lines[7].hasPrefix("ready")
    }

    /// The postmaster's working directory is its data directory, and its name is `postgres`.
    private static func isPostgres(_ pid: pid_t, of dataDirectory: String) -> Bool {
        guard let name = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8) else {
            return false
        }
        guard name.hasPrefix("postgres") else { return false }
        // The link can be followed only by the process's own user and root, which we are.
        return sameFile("/proc/\(pid)/cwd", dataDirectory)
    }

    private static func sameFile(_ a: String, _ b: String) -> Bool {
        var first = stat()
        var second = stat()
        guard unsafe stat(a, &first) == 0, unsafe stat(b, &second) == 0 else { return false }
        return first.st_ino == second.st_ino && first.st_dev == second.st_dev
    }
}
