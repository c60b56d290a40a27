// Who the server runs as. PostgreSQL refuses root, so root lends the server another user's identity
// with setpriv(1), which replaces itself by the program: the process id stays ours to wait for.

internal import FoundationEssentials
internal import Glibc

/// An account the server can run as; nil stands for our own.
struct ServerUser: Sendable, Equatable {
    let name: String
    let uid: uid_t
    let gid: gid_t

    /// The user to change to: none unless we are root.
    ///
    /// `CARREL_PG_USER`, else `carrel` if there is one, else `nobody`.
    static func needed(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(EmbeddedError) -> ServerUser? {
        if geteuid() != 0 { return nil }
        if let chosen = environment["CARREL_PG_USER"] {
            guard let user = ServerUser(named: chosen), user.uid != 0 else {
                throw .noUser(chosen)
            }
            return user
        }
        guard let user = ServerUser(named: "carrel") ?? ServerUser(named: "nobody") else {
            throw .noUser("nobody")
        }
        return user
    }

    init?(named name: String) {
        var entry = unsafe passwd()
        var buffer = [CChar](repeating: 0, count: 16_384)
        var found: UnsafeMutablePointer<passwd>?
        let failure = unsafe getpwnam_r(name, &entry, &buffer, buffer.count, &found)
        guard failure == 0, unsafe found != nil else { return nil }
        self.name = name
        uid = unsafe entry.pw_uid
        gid = unsafe entry.pw_gid
    }

    /// The command that runs `program` as this user.
    func command(_ program: [String]) -> [String] {
        ["setpriv", "--reuid=\(uid)", "--regid=\(gid)", "--clear-groups", "--"] + program
    }
}

extension ServerUser? {
    func command(_ program: [String]) -> [String] { self?.command(program) ?? program }

    /// Whether `test(1)` run as this user agrees: with `-x`, that it can enter a directory.
    ///
    /// Asking the kernel this way also counts access lists and mounts, which adding up mode bits
    /// would not.
    func can(_ flag: String, _ path: String) async throws(EmbeddedError) -> Bool {
        try await Child.run(command(["test", flag, path]), log: nil) == 0
    }
}
