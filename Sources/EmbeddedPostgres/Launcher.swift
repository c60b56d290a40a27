// Making a cluster and getting its server to answer.

internal import FoundationEssentials
internal import Glibc
internal import Postgres

/// One attempt to have a server in `place`.
struct Launcher: Sendable {
    let place: ClusterPlace
    let user: ServerUser?
    let durability: EmbeddedCluster.Durability
    let settings: [String: String]
    let timeout: Duration

    /// The running server, and the child if we started it.
    func run() async throws(EmbeddedError) -> (PostmasterFile, Child?) {
        try await initialize()
        if let running = PostmasterFile(dataDirectory: place.data) {
            return (try await waitUntilReady(nil, running), nil)
        }
        let child = try Child.start(
            user.command(["\(place.runtime)/bin/postgres", "-D", place.data] + options),
            log: place.log)
        return (try await waitUntilReady(child, nil), child)
    }

    // MARK: initdb

    /// Makes the cluster unless there is one.
    ///
    /// A cluster exists once it is renamed into place, so an initdb that was killed half-way leaves
    /// nothing that looks like one.
    private func initialize() async throws(EmbeddedError) {
        let versionFile = "\(place.data)/PG_VERSION"
        if let found = try? String(contentsOfFile: versionFile, encoding: .utf8) {
            let version = found.trimmed
            let runtime = try await runtimeVersion()
            if version != runtime { throw .wrongVersion(found: version, runtime: runtime) }
            return
        }
        let partial = "\(place.data).partial"
        let log = "\(place.directory)/initdb.log"
        try? FileManager.default.removeItem(atPath: partial)
        try? FileManager.default.removeItem(atPath: log)
        try ClusterPlace.make(partial, mode: 0o700)
        try ClusterPlace.give(partial, to: user)
        var command = [
            "\(place.runtime)/bin/initdb", "--pgdata=\(partial)", "--username=carrel",
            "--auth=trust", "--encoding=UTF8", "--locale=C", "--lc-ctype=C.UTF-8",
            "--no-instructions",
        ]
        if durability == .none { command.append("--no-sync") }
        guard try await Child.run(user.command(command), log: log) == 0 else {
            throw .initdbFailed(log: tail(log))
        }
        // Replaces an empty directory, and nothing else.
        if unsafe rename(partial, place.data) != 0 {
            throw .directory(path: place.data, reason: unsafe String(cString: strerror(errno)))
        }
    }

    /// `16` of "postgres (PostgreSQL) 16.14".
    private func runtimeVersion() async throws(EmbeddedError) -> String {
        let output = "\(place.directory)/version.\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: output) }
        let status = try await Child.run(
            user.command(["\(place.runtime)/bin/postgres", "--version"]), log: output)
        let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        guard status == 0, let number = text.trimmed.split(separator: " ").last,
            let major = number.split(separator: ".").first
        else { throw .cannotRun(program: "\(place.runtime)/bin/postgres", reason: text) }
        return String(major)
    }

    // MARK: The server

    private var options: [String] {
        var all = [
            "listen_addresses": "",
            "unix_socket_directories": place.socketDirectory,
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            // One machine, other work beside it: an eighth of what dedicated servers are given.
            "shared_buffers": "256MB",
            "maintenance_work_mem": "256MB",
            "max_wal_size": "2GB",
            "log_timezone": "UTC",
            "timezone": "UTC",
            "cluster_name": "carrel",
        ]
        if durability == .none {
            for name in ["fsync", "synchronous_commit", "full_page_writes"] { all[name] = "off" }
            all["shared_buffers"] = "64MB"
        }
        all.merge(settings) { $1 }
        return all.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
    }

    /// Waits until the server accepts a connection and has the database `carrel`.
    private func waitUntilReady(
        _ child: Child?, _ running: PostmasterFile?
    ) async throws(EmbeddedError) -> PostmasterFile {
        let deadline = ContinuousClock.now.advanced(by: timeout)
        var lastFailure = ""
        while ContinuousClock.now < deadline {
            if let child, child.exitStatus() != nil { throw .startFailed(log: tail(place.log)) }
            if let file = PostmasterFile(dataDirectory: place.data), file.isReady {
                do throws(PostgresError) {
                    try await createDatabase(file.socketDirectory)
                    return file
                } catch {
                    lastFailure = "\(error)"
                }
            } else if running != nil, child == nil,
                PostmasterFile(dataDirectory: place.data) == nil
            {
                throw .startFailed(log: "the running server ended\n\(tail(place.log))")
            }
            await pause(milliseconds: 10)
        }
        if let child { kill(child.processID, SIGQUIT) }
        throw .startTimedOut(
            seconds: Int(timeout.components.seconds), log: "\(lastFailure)\n\(tail(place.log))")
    }

    private func createDatabase(_ sockets: String) async throws(PostgresError) {
        // Key=value form: no percent-encoding; quotes and backslashes are escaped.
        let host = sockets.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
        let connection = try await Connection.open(
            PostgresConfiguration(url: "host='\(host)' user=carrel dbname=postgres"))
        let exists = try await connection.query(
            Statement("database_exists", "SELECT FROM pg_database WHERE datname = 'carrel'"))
        if exists.isEmpty { try await connection.script("CREATE DATABASE carrel") }
        await connection.close()
    }
}

/// The last lines of a log, for a message.
private func tail(_ path: String) -> String {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? "(no log at \(path))"
    return text.split(separator: "\n").suffix(20).joined(separator: "\n")
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
