// A PostgreSQL of our own: made, started, found again, stopped.
//
//   prepare directories ─► running already? ── yes ─► attach
//                                │ no
//                     initdb if empty ─► start ─► wait until it answers
//
// It listens on a unix socket only, in a directory that no other user can enter, so it needs no
// passwords. Several processes may use one cluster; the last one to leave stops it. A server left
// behind by a process that was killed is attached to next time.

internal import FoundationEssentials
internal import Glibc

/// A running embedded server.
package struct EmbeddedCluster: Sendable {
    /// How much the server cares about a power failure.
    package enum Durability: Sendable {
        case full
        /// For tests: nothing is flushed to disk.
        case none
    }

    /// Address of the database `carrel` for the superuser; use `url(database:user:)` for others.
    package var url: String { url(database: "carrel") }

    /// Where the cluster is; differs from what was asked for when that could not be used.
    package let directory: String

    package let dataDirectory: String
    package let socketDirectory: String
    package let processID: Int32

    /// False when it was running already.
    package let wasStarted: Bool

    /// What a person should know, one sentence each.
    package let remarks: [String]

    private let usage: UsageLock
    private let child: Child?

    /// The runtime's place: `CARREL_POSTGRES_DIR`, else `runtime/postgres` under `CARREL_HOME`.
    package static func defaultRuntime(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> String {
        environment["CARREL_POSTGRES_DIR"]
            ?? "\(environment["CARREL_HOME"] ?? "data/var")/runtime/postgres"
    }

    /// Attaches to the cluster in `directory` if it is running, or makes and starts it.
    ///
    /// First time about 1.5 s, later 0.2 s.
    ///
    /// - Parameters:
    ///   - runtime: holds `bin/postgres`, `bin/initdb` and their `lib` and `share`.
    ///   - directory: the cluster's own; made if missing.
    ///   - durability: `full` unless the data may be lost.
    ///   - settings: more of `postgresql.conf`: `["work_mem": "64MB"]`.
    ///   - startTimeout: longest wait for the server, which after a crash reads its log again, and
    ///     for others who are starting or stopping it.
    /// - Returns: a cluster whose database `carrel` answers.
    /// - Throws: what is in the way, with the end of the server's log where there is one.
    package static func attachOrStart(
        runtime: String, directory: String, durability: Durability = .full,
        settings: [String: String] = [:], startTimeout: Duration = .seconds(180)
    ) async throws(EmbeddedError) -> EmbeddedCluster {
        let user = try ServerUser.needed()
        let place = try await ClusterPlace.prepare(
            directory: absolute(directory), runtime: absolute(runtime), user: user)

        let starting = try UsageLock("\(place.directory)/starting.lock")
        guard await starting.wait(startTimeout, until: { $0.tryExclusive() }) else {
            throw .startTimedOut(
                seconds: Int(startTimeout.components.seconds),
                log: "another process has been starting it for as long")
        }
        defer { starting.release() }

        let usage = try UsageLock("\(place.directory)/in-use.lock")
        // Whoever is stopping the server holds this lock until it has ended.
        guard await usage.wait(startTimeout, until: { $0.tryShared() }) else {
            throw .startTimedOut(
                seconds: Int(startTimeout.components.seconds),
                log: "another process has been stopping it for as long")
        }
        let launcher = Launcher(
            place: place, user: user, durability: durability, settings: settings,
            timeout: startTimeout)
        let (file, child) = try await launcher.run()
        return EmbeddedCluster(
            directory: place.directory, dataDirectory: place.data,
            socketDirectory: file.socketDirectory, processID: file.processID,
            wasStarted: child != nil, remarks: place.remarks, usage: usage, child: child)
    }

    /// An address for libpq, with the path percent-encoded.
    package func url(database: String, user: String = "carrel") -> String {
        "postgresql:///\(escape(database))?host=\(escape(socketDirectory))&user=\(escape(user))"
    }

    /// Leaves the cluster; the last process to leave stops the server, rolling back what is open.
    ///
    /// Waits until it has ended, at most `limit`; then kills it, which loses nothing committed.
    package func stop(within limit: Duration = .seconds(30)) async {
        usage.release()
        guard usage.tryExclusive() else { return }
        defer { usage.release() }
        // SIGINT is PostgreSQL's "fast" shutdown, SIGQUIT its "immediate" one.
        signal(SIGINT)
        if await !hasEnded(within: limit) {
            signal(SIGQUIT)
            _ = await hasEnded(within: .seconds(10))
        }
        // Ours if it lies outside; an empty directory in /tmp is nobody's treasure.
        if !socketDirectory.hasPrefix(directory) { _ = unsafe rmdir(socketDirectory) }
    }

    /// Kills the server without a checkpoint, for clusters that are thrown away.
    ///
    /// Does not wait; as our child it is taken off the process table when it has ended.
    package func kill() {
        signal(SIGQUIT)
        guard let child else { return }
        Task.detached { while child.exitStatus() == nil { await pause(milliseconds: 10) } }
    }

    /// Lets others run before a process of this server: one of its connections' own, by the id it tells.
    /// What is no child of the server is left alone.
    package func lowerPriority(of process: Int32) {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        guard status.contains("\nPPid:\t\(processID)\n") else { return }
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(process), 10)
    }

    /// Process ids are used again, so the server is asked for its own first.
    private func signal(_ number: Int32) {
        if let running = PostmasterFile(dataDirectory: dataDirectory) {
            _ = Glibc.kill(running.processID, number)
        }
    }

    private func hasEnded(within limit: Duration) async -> Bool {
        let deadline = ContinuousClock.now.advanced(by: limit)
        while ContinuousClock.now < deadline {
            if let child {
                if child.exitStatus() != nil { return true }
            } else if PostmasterFile(dataDirectory: dataDirectory) == nil {
                return true
            }
            await pause(milliseconds: 10)
        }
        return false
    }
}

private func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
}

/// Percent-encodes everything but letters, digits, `-`, `_`, `.`.
private func escape(_ text: String) -> String {
    text.utf8.reduce(into: "") { result, byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: "."):
            result.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let digits = String(byte, radix: 16, uppercase: true)
            result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
        }
    }
}
