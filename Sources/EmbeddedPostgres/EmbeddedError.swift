// What can keep the embedded server from running, each with what to do about it.

/// Why there is no embedded PostgreSQL.
package enum EmbeddedError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The runtime directory lacks a program.
    case runtimeMissing(path: String)
    /// A directory cannot be made, entered or given away.
    case directory(path: String, reason: String)
    /// No unprivileged user to run as, though we are root.
    case noUser(String)
    /// The directory holds a cluster of another major version.
    case wrongVersion(found: String, runtime: String)
    case cannotRun(program: String, reason: String)
    case initdbFailed(log: String)
    /// The server ended instead of becoming ready. `log` is the end of its log.
    case startFailed(log: String)
    case startTimedOut(seconds: Int, log: String)

    package var description: String {
        switch self {
        case .runtimeMissing(let path):
            """
            the embedded PostgreSQL is not installed: \(path) is missing; \
            run scripts/setup, or set CARREL_POSTGRES_DIR
            """
        case .directory(let path, let reason): "cannot use the directory \(path): \(reason)"
        case .noUser(let name):
            """
            PostgreSQL refuses to run as root and there is no user “\(name)”; \
            create it or name another in CARREL_PG_USER
            """
        case .wrongVersion(let found, let runtime):
            """
            the database directory was made by PostgreSQL \(found), the installed one is \
            \(runtime); dump it with the old version or choose another CARREL_HOME
            """
        case .cannotRun(let program, let reason): "cannot run \(program): \(reason)"
        case .initdbFailed(let log): "initdb failed:\n\(log)"
        case .startFailed(let log): "PostgreSQL did not start; its log ends with:\n\(log)"
        case .startTimedOut(let seconds, let log):
            "PostgreSQL was not ready after \(seconds) s; its log ends with:\n\(log)"
        }
    }
}
