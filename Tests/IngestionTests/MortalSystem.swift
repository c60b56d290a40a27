// A database, a server and a worker, each a process that can be killed and comes back.

import Accounts
import EmbeddedPostgres
import Foundation
import Glibc
import Library
import Postgres
import Synchronization
import TestSupport
import Vectors

final class MortalSystem: Sendable {
    enum Part: String, CaseIterable { case postmaster, backend, worker, server }

    let shop: Workshop
    /// The server's.
    let port: Int
    /// Of the session's account.
    let key: String
    private let directory: String
    private let state: Mutex<State>

    private struct State {
        var generator: SplitMix64
        var cluster: EmbeddedCluster
        var worker: Process
        var server: Process
    }

    private init(
        _ shop: Workshop, port: Int, key: String, directory: String, state: sending State
    ) {
        self.shop = shop
        self.port = port
        self.key = key
        self.directory = directory
        self.state = Mutex(state)
    }

    /// Over an empty, migrated database of its own.
    static func start(seed: UInt64) async throws -> MortalSystem {
        let directory = try TestDirectory.make("kills-\(UUID().uuidString.prefix(8))")
        let cluster = try await cluster(directory)
        let connection = try await Connection.open(PostgresConfiguration(url: cluster.url))
        try await Roles.prepare(on: connection)
        try await Migrator().up(on: connection)
        await connection.close()
        let url = cluster.url(database: "carrel", user: "carrel_app")
        let shop = try await workshop(
            over: Pool(try PostgresConfiguration(url: url), size: 6), blobs: directory + "/blobs")
        let key = try await shop.pool.withTransaction(as: .service) { db in
            try await KeyService.create(
                profileID: shop.session.profileID, name: "test", scopes: Set(Scope.allCases), on: db
            ).secret.text
        }
        let port = try freePort()
        return MortalSystem(
            shop, port: port, key: key, directory: directory,
            state: State(
                generator: SplitMix64(seed: seed), cluster: cluster,
                worker: try victim(url, directory, "reembed"),
                server: try victim(url, directory, "serve", "\(port)")))
    }

    func end() async {
        let cluster = state.withLock { state in
            kill(state.worker.processIdentifier, SIGKILL)
            kill(state.server.processIdentifier, SIGKILL)
            return state.cluster
        }
        await shop.pool.shutdown()
        cluster.kill()
    }

    /// A number below another.
    func draw(_ limit: Int) -> Int {
        state.withLock { Int($0.generator.next() % UInt64(limit)) }
    }

    /// Kills one of its parts, drawn at random, and starts it again.
    func killOne() async throws -> Part {
        let part = Part.allCases[draw(Part.allCases.count)]
        let url = shop.pool.configuration.url
        switch part {
        case .postmaster:
            let postmaster = state.withLock { $0.cluster.processID }
            kill(postmaster, SIGKILL)
            // It is our child; as a zombie it would be taken for one that runs.
            waitpid(postmaster, nil, 0)
            let cluster = try await Self.cluster(directory)
            state.withLock { $0.cluster = cluster }
        case .backend: try await killBackend()
        case .worker:
            try state.withLock { state in
                kill(state.worker.processIdentifier, SIGKILL)
                state.worker = try Self.victim(url, directory, "reembed")
            }
        case .server:
            try state.withLock { state in
                kill(state.server.processIdentifier, SIGKILL)
                state.server.waitUntilExit()
                state.server = try Self.victim(url, directory, "serve", "\(port)")
            }
        }
        return part
    }

    // MARK: Parts

    /// PostgreSQL takes the end of one process for a crash, ends all others and recovers.
    private func killBackend() async throws {
        let statement = Statement(
            "test.backends",
            """
            SELECT pid FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
            ORDER BY pid
            """)
        do {
            let pids = try await shop.pool.withConnection(as: .service) { db in
                try await db.query(statement).map { row throws(PostgresError) -> Int in
                    try row.get(0)
                }
            }
            if !pids.isEmpty { kill(Int32(pids[draw(pids.count)]), SIGKILL) }
        } catch is PostgresError {
            // It is dead already.
        }
    }

    private static func victim(
        _ url: String, _ directory: String, _ arguments: String...
    ) throws -> Process {
        let runner = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let victim = Process()
        victim.executableURL = URL(filePath: runner).deletingLastPathComponent()
            .appending(path: "ingestion-victim")
        victim.arguments = [url, directory + "/victim", "-"] + arguments
        try victim.run()
        return victim
    }

    /// Orphans of the one before may hold its memory for a moment longer.
    private static func cluster(_ directory: String) async throws -> EmbeddedCluster {
        var failure: any Error = CancellationError()
        for _ in 0..<600 {
            do {
                return try await EmbeddedCluster.attachOrStart(
                    runtime: EmbeddedCluster.defaultRuntime(), directory: directory + "/postgres",
                    durability: .none)
            } catch {
                failure = error
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw failure
    }
}
