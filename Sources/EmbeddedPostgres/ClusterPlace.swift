// Where a cluster lives: directories that the server's user can reach and nobody else can.

internal import FoundationEssentials
internal import Glibc

/// The directories of one cluster, made and owned as PostgreSQL wants them.
struct ClusterPlace: Sendable {
    /// The cluster's home: `data`, `log`, `run` and the lock files.
    let directory: String
    /// Where `bin/postgres` is.
    let runtime: String
    let socketDirectory: String
    /// What the user should know, such as that another directory is used.
    let remarks: [String]

    var data: String { "\(directory)/data" }
    var log: String { "\(directory)/server.log" }

    /// Unix socket paths hold 107 bytes; PostgreSQL adds "/.s.PGSQL.5432" and ".lock".
    private static let longestSocketDirectory = 85

    /// Finds directories for `user` and makes them.
    static func prepare(
        directory wanted: String, runtime: String, user: ServerUser?
    ) async throws(EmbeddedError) -> ClusterPlace {
        for program in ["postgres", "initdb"] {
            let path = "\(runtime)/bin/\(program)"
            if unsafe access(path, X_OK) != 0 { throw .runtimeMissing(path: path) }
        }
        var remarks: [String] = []
        var directory = wanted
        var usableRuntime = runtime

        try make(directory, mode: 0o755)
        if let user, try await !Optional(user).can("-x", directory) {
            directory = "/var/lib/carrel/\(hash(wanted))"
            try make(directory, mode: 0o755)
            remarks.append(
                "the user \(user.name), as whom PostgreSQL runs, cannot reach \(wanted); "
                    + "the database is in \(directory)")
        }
        if let user, try await !Optional(user).can("-x", "\(runtime)/bin/postgres") {
            usableRuntime = try await copy(runtime)
            remarks.append(
                "the user \(user.name) cannot reach \(runtime); a copy is in \(usableRuntime)")
        }

        var sockets = "\(directory)/run"
        if sockets.utf8.count > longestSocketDirectory {
            sockets = "/tmp/carrel-\(hash(directory))"
        }
        try make(sockets, mode: 0o700)
        try requirePrivate(sockets, user)
        try give(sockets, to: user)
        return ClusterPlace(
            directory: directory, runtime: usableRuntime, socketDirectory: sockets,
            remarks: remarks)
    }

    static func make(_ path: String, mode: Int) throws(EmbeddedError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: mode])
        } catch {
            throw .directory(path: path, reason: "\(error)")
        }
    }

    /// A directory in /tmp that somebody else made first would let them pose as the server.
    private static func requirePrivate(_ path: String, _ user: ServerUser?) throws(EmbeddedError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw .directory(path: path, reason: "not a directory")
        }
        guard status.st_uid == geteuid() || status.st_uid == user?.uid else {
            throw .directory(path: path, reason: "it belongs to another user")
        }
        if unsafe chmod(path, 0o700) != 0 {
            throw .directory(path: path, reason: unsafe String(cString: strerror(errno)))
        }
    }

    static func give(_ path: String, to user: ServerUser?) throws(EmbeddedError) {
        guard let user else { return }
        if unsafe chown(path, user.uid, user.gid) != 0 {
            throw .directory(path: path, reason: unsafe String(cString: strerror(errno)))
        }
    }

    /// Copies a runtime once to where every user can read it.
    private static func copy(_ runtime: String) async throws(EmbeddedError) -> String {
        let target = "/var/lib/carrel/runtime-\(hash(runtime))"
        if unsafe access("\(target)/bin/postgres", X_OK) == 0 { return target }
        try make("/var/lib/carrel", mode: 0o755)
        let partial = "\(target).\(getpid())"
        let status = try await Child.run(["cp", "-a", runtime, partial], log: nil)
        guard status == 0, try await Child.run(["chmod", "-R", "a+rX", partial], log: nil) == 0
        else { throw .directory(path: target, reason: "copying \(runtime) failed") }
        // Whoever renames first wins; the copies are equal.
        if unsafe rename(partial, target) != 0 {
            try? FileManager.default.removeItem(atPath: partial)
        }
        return target
    }

    /// FNV-1a, 64 bits, as 16 hexadecimal digits: a short name for a path, not a secret.
    static func hash(_ path: String) -> String {
        let value = path.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
