// What `server.status` says about the database and about this process.

import Library
import Postgres

#if canImport(Glibc)
    import Glibc
#endif

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Versions and queues, read at once.
struct DatabaseStatus: Sendable {
    struct Version: Sendable {
        /// `16.14`
        let postgres: String
        let vector: String?
    }

    let version: Version
    /// The number of the last migration applied.
    let migrations: Int
    let jobs: (queued: Int, running: Int)

    init(_ services: Services) async throws {
        self = try await services.pool.withConnection(as: .service) { db in
            let versions = try await Requirements.read(on: db)
            return DatabaseStatus(
                version: Version(
                    postgres: "\(versions.server / 10_000).\(versions.server % 10_000)",
                    vector: versions.installed),
                migrations: try await Migrator().history(on: db).current,
                jobs: try await JobRepository.counts(on: db))
        }
    }

    private init(version: Version, migrations: Int, jobs: (queued: Int, running: Int)) {
        self.version = version
        self.migrations = migrations
        self.jobs = jobs
    }
}

enum ProcessMemory {
    /// Bytes of this process that lie in memory: the second number of `/proc/self/statm`, in pages
    /// (proc(5)). 0 where there is no such file.
    static func residentBytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else {
            return 0
        }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
    }
}
