// Directories for the life of a test process: /tmp/carrel-test-PID-xxxxxxxx.

internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// Temporary directories, removed when the process exits.
package enum TestDirectory {
    private static let prefix = "carrel-test-"

    /// One root per process.
    private static let root: String = {
        let path = "/tmp/\(prefix)\(getpid())-\(UUID().uuidString.prefix(8))"
        atexit { TestDirectory.removeRoot() }
        return path
    }()

    /// Makes a new directory that other users may enter, as the database server's must.
    package static func make(_ name: String) throws -> String {
        let path = "\(root)/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private static func removeRoot() {
        // The server, just told to stop, may still be writing its last files.
        for _ in 0..<50 {
            try? FileManager.default.removeItem(atPath: root)
            if unsafe access(root, F_OK) != 0 { return }
            usleep(20_000)
        }
    }

    /// Removes the directories of test processes that are gone, and stops their servers.
    static func removeLeftovers() {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? []
        for entry in entries where entry.hasPrefix(prefix) {
            let parts = entry.dropFirst(prefix.count).split(separator: "-")
            guard let owner = parts.first.flatMap({ pid_t($0) }), kill(owner, 0) != 0,
                errno == ESRCH
            else { continue }
            let path = "/tmp/\(entry)"
            let file = "\(path)/postgres/data/postmaster.pid"
            if let text = try? String(contentsOfFile: file, encoding: .utf8),
                let server = text.split(separator: "\n").first.flatMap({ pid_t($0) }),
                isServer(server, of: path)
            {
                kill(server, SIGQUIT)
                usleep(100_000)
            }
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// Process ids are reused: the command line must name the directory.
    private static func isServer(_ processID: pid_t, of path: String) -> Bool {
        let command = try? String(contentsOfFile: "/proc/\(processID)/cmdline", encoding: .utf8)
        return command?.contains(path) == true
    }
}
