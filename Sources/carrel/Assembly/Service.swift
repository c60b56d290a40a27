// The parts put together into a running server, and taken down again in the opposite order.
//
//   database ─► migrated ─► fenced ─► key ─► embedders ─► snapshots, searcher, ingestor ─► listening + one worker
//                                                                                │ until `body` returns
//   database ◄──── pool closed ◄──── worker stopped ◄──── drained ◄──────────────┘

import Accounts
import Clouds
import Documents
import Embedding
import Foundation
import Ingestion
import Library
import Logging
import Postgres
import Retrieval
import Server

struct Service {
    let database: Database
    var embedders = EmbedderChoice()
    var blobs = BlobChoice.files
    /// Which addresses people's clouds may be at.
    var cloudAddresses = AddressRule()
    var host = "127.0.0.1"
    /// 0 takes a free one.
    var port = 0
    var poolSize = 8
    /// How much memory sessions may take; those searched last stay.
    var cacheBytes = SnapshotCache.Limits.standard.bytes
    /// Whether a database that was given is migrated too; the embedded one always is.
    var migrates = false
    /// Whether anybody may make an account.
    var isRegistrationOpen = false
    /// Whether client.json points to this server afterwards.
    ///
    /// A server that lives for one command only leaves an address that is written there already as
    /// it is.
    var announces = true

    /// Listens, lends the address and a key to `body`, and stops when it returns.
    func run<R: Sendable>(_ body: (ClientFile) async throws -> R) async throws -> R {
        let embedders = try embedders.registry(home)
        return try await database.withAddresses { addresses in
            try await prepareSchema(addresses)
            let configuration = try PostgresConfiguration(url: addresses.app)
            let pool = Pool(configuration, size: poolSize)
            let background = Pool(configuration, size: Self.backgroundConnections) {
                connection throws(PostgresError) in
                addresses.lowerPriority(connection.processID)
                try await connection.script("SET max_parallel_workers_per_gather = 0")
            }
            return try await ensuring {
                try await serve(pool, background, embedders, body)
            } finally: {
                await background.shutdown()
                await pool.shutdown()
            }
        }
    }

    /// For jobs and the graph: one of each kind may run, and renews its lease meanwhile.
    private static let backgroundConnections = 6

    private var home: Home { database.home }

    private var configuration: ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.host = host
        configuration.port = port
        return configuration
    }

    /// A server for one command says only what went wrong; what it refused, its one client is told.
    private var logger: Logger {
        var logger = Logger(label: "carrel.server")
        logger.logLevel = announces ? .info : .warning
        return logger
    }

    private func serve<R: Sendable>(
        _ pool: Pool, _ background: Pool, _ embedders: EmbedderRegistry,
        _ body: (ClientFile) async throws -> R
    ) async throws -> R {
        try await Fence.check(pool)
        let known = try ClientFile.read(home.clientFile)
        let key = try await clientKey(known?.apiKey, pool)
        let snapshots = SnapshotCache(
            pool, limits: .init(bytes: cacheBytes),
            files: SnapshotFiles(directory: home.snapshots, limitBytes: 4 * cacheBytes))
        let sealer = Sealer(try home.keyRing())
        let clouds = CloudVault(sealer: sealer, rule: cloudAddresses)
        let ingestor = Ingestor(
            pool: pool, blobs: try await blobs.store(home), scratch: home.scratch,
            extractor: Extractor(), embedders: embedders,
            openCloud: { try await clouds.opened($0, of: $1, pool) },
            didCommit: { await snapshots.committed($0) },
            willCommit: { try await snapshots.prepare($0, on: $1) })
        let gatekeeper = Gatekeeper(
            pool: pool, passwords: PasswordLane(), sealer: sealer,
            isRegistrationOpen: isRegistrationOpen)
        let searcher = Searcher(pool: pool, embedders: embedders, snapshots: snapshots)
        await searcher.warmUp()
        let server = CarrelServer(
            configuration,
            Services(
                pool: pool, embedders: embedders,
                searcher: searcher,
                ingestor: ingestor, gatekeeper: gatekeeper, sealer: sealer,
                clouds: clouds, uploadDirectory: home.uploads, logger: logger))
        let address = ClientFile(host: host, port: try await server.start(), apiKey: key)
        let worker = Task { await ingestor.working(on: background).run() }
        let resealing = Task {
            try await pool.withConnection(as: .service) { connection in
                for column in Resealing.all { try await column.run(sealer, on: connection) }
            }
        }
        let following = Task { await snapshots.follow() }
        let graph = Task {
            await GraphBuilder(
                pool: background,
                demand: .init(
                    needsGraph: { !snapshots.holds($0) }, activity: { snapshots.activity })
            ).run()
        }
        return try await ensuring {
            try announce(address, known)
            return try await body(address)
        } finally: {
            await server.drain(within: .seconds(10))
            worker.cancel()
            resealing.cancel()
            following.cancel()
            graph.cancel()
            await worker.value
            _ = await resealing.result
            await following.value
            await graph.value
            await snapshots.close()
        }
    }

    private func announce(_ address: ClientFile, _ known: ClientFile?) throws {
        if announces {
            try address.write(home.clientFile)
        } else if known?.apiKey != address.apiKey {
            // The key outlives this server, its port does not.
            try ClientFile(host: host, port: Serve.usualPort, apiKey: address.apiKey)
                .write(home.clientFile)
        }
    }

    private func prepareSchema(_ addresses: Database.Addresses) async throws {
        if database.isEmbedded || migrates {
            try await database.lend(addresses.migrate) { connection in
                _ = try await Migrator().up(on: connection) {
                    Terminal.note("carrel: applied migration \($0.number) \($0.name)")
                }
            }
        }
        try await database.lend(addresses.app) { connection in
            let pending = try await Migrator().status(on: connection).filter { $0.applied == nil }
            guard pending.isEmpty else {
                throw Failure(
                    "\(pending.count) migrations are not applied: run `carrel migrate up`, "
                        + "or serve with --migrate")
            }
        }
    }

    /// The key in client.json while it works; else a new one, for the first account, which is made if
    /// there is none.
    private func clientKey(_ known: String?, _ pool: Pool) async throws -> String {
        try await pool.withTransaction(as: .service) { transaction in
            if let known, (try? await KeyService.authenticate(known, on: transaction)) != nil {
                return known
            }
            if let first = try await KeyService.createFirst(on: transaction) {
                Terminal.note("carrel: made an account and a key, kept in \(home.clientFile)")
                try await first.created.key.recordCreation(by: "carrel serve", on: transaction)
                return first.created.secret.text
            }
            guard let profile = try await ProfileRepository.first(on: transaction) else {
                throw Failure("another process is making the first account; try again")
            }
            let name = "client \(Date().formatted(.iso8601))"
            let created = try await KeyService.create(
                profileID: profile.id, name: name, scopes: Set(Scope.allCases), on: transaction)
            try await created.key.recordCreation(by: "carrel serve", on: transaction)
            Terminal.note("carrel: \(home.clientFile) held no valid key; made \"\(name)\"")
            return created.secret.text
        }
    }
}
