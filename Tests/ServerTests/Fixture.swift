// A server on a free port over a database of its own, with two accounts: ada looks after it, bob
// does not.

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
import TestSupport
import Vectors
import Wire

struct TestServer: Sendable {
    let server: CarrelServer
    let port: Int
    let pool: Pool
    let ingestor: Ingestor
    let passwords: PasswordLane
    let snapshots: SnapshotCache
    /// Where documents' bytes are.
    let blobDirectory: String
    /// What changes the server's statements, where something does.
    let proxy: StatementProxy?
    /// Keys of two accounts that know nothing of each other.
    let key: String
    let otherKey: String

    /// A connection that has introduced itself.
    func client(key: String? = nil, strict: Bool = false) async throws -> LineClient {
        let client = try await LineClient.connect(port)
        let answer = try await client.call(
            0, "initialize",
            """
            {"protocolVersions":["2026-11-01"],"client":{"name":"test","version":"1"},\
            "auth":{"apiKey":"\(key ?? self.key)"},"strict":\(strict)}
            """)
        guard answer.at("result") != nil else { throw LineClient.Failure.noAnswer(answer.text) }
        return client
    }

    /// A connection with a new session open; its handle and id.
    func session(
        key: String? = nil, title: String = "Analysis"
    ) async throws -> (client: LineClient, handle: String, id: String) {
        let client = try await client(key: key)
        let created = try await client.call(1, "session.create", "{\"title\":\"\(title)\"}")
        let id = created.at("result", "session", "id")?.string ?? ""
        let opened = try await client.call(2, "session.open", "{\"session\":\"\(id)\"}")
        guard let handle = opened.at("result", "handle")?.string else {
            throw LineClient.Failure.noAnswer(created.text + opened.text)
        }
        return (client, handle, id)
    }
}

/// Hashing, but a text that begins with "slow" takes as long as the caller waits.
struct SlowEmbedder: Embedder {
    private let hashing = HashingEmbedder()

    var identity: ModelIdentity { hashing.identity }

    func embed(
        _ texts: [String], as kind: TextKind
    ) async throws(EmbeddingError) -> Block {
        if texts.contains(where: { $0.hasPrefix("slow") }) {
            do {
                try await Task.sleep(for: .seconds(60))
            } catch {
                throw .cancelled
            }
        }
        if texts.contains(where: { $0.hasPrefix("brief") }) {
            do {
                try await Task.sleep(for: .milliseconds(700))
            } catch {
                throw .cancelled
            }
        }
        return try await hashing.embed(texts, as: kind)
    }

    func countTokens(_ text: String) -> Int { hashing.countTokens(text) }
}

/// What time it is for second factors.
struct Timepiece: Sendable {
    /// Since 1970.
    let seconds: @Sendable () -> Int64

    static let system = Timepiece(seconds: Gatekeeper.systemClock)
}

/// Starts a server for one test and ends it.
///
/// Passwords are hashed at a thousandth of the price. `asking` are the addresses inside that clouds may have:
/// one of loopback, for servers of the tests. With `rewriting` each statement goes through that before the
/// database has it.
func withServer(
    registration: Bool = false, lifetimes: Gatekeeper.Lifetimes = .init(),
    clock: Timepiece = .system, asking allowed: [AddressRange] = [AddressRange("127.0.0.1")!],
    rewriting: Rewriting? = nil,
    _ configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (TestServer) async throws -> Void
) async throws {
    try await withDatabase(migrated: true, size: 6) { pool in
        var proxy: StatementProxy?
        if let rewriting { proxy = try await StatementProxy(before: pool, rewriting) }
        let served = proxy.map { Pool($0.configuration, size: 6) } ?? pool
        let directory = try TestDirectory.make("server")
        let blobDirectory = directory + "/blobs"
        let embedders = EmbedderRegistry([SlowEmbedder(), NoiseEmbedder()])
        let snapshots = SnapshotCache(served, limits: .init(bytes: 1 << 28))
        let sealer = Sealer(.unkept())
        let clouds = CloudVault(sealer: sealer, rule: AddressRule(allowing: allowed))
        let ingestor = Ingestor(
            pool: served, blobs: LocalBlobStore(directory: blobDirectory),
            scratch: directory + "/scratch",
            extractor: Extractor(), embedders: embedders,
            openCloud: { try await clouds.opened($0, of: $1, served) },
            didCommit: { await snapshots.committed($0) })
        let keys = try await pool.withTransaction(as: .service) { db in
            var keys: [String] = []
            for (handle, role) in [("ada", AccountRole.admin), ("bob", .user)] {
                let profile = try await ProfileRepository.create(
                    handle: handle, email: "\(handle)@example.org", passwordHash: "!", role: role,
                    on: db)
                let created = try await KeyService.create(
                    profileID: profile.id, name: "test", scopes: Set(Scope.allCases), on: db)
                keys.append(created.secret.text)
            }
            return keys
        }
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.checksDeclarations = true
        configure(&configuration)
        let passwords = PasswordLane(Argon2.Cost(kibibytes: 64, passes: 1))
        let gatekeeper = Gatekeeper(
            pool: served, passwords: passwords, sealer: sealer, isRegistrationOpen: registration,
            lifetimes: lifetimes, clock: clock.seconds)
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let server = CarrelServer(
            configuration,
            Services(
                pool: served, embedders: embedders,
                searcher: Searcher(pool: served, embedders: embedders, snapshots: snapshots),
                ingestor: ingestor, gatekeeper: gatekeeper, sealer: sealer,
                clouds: clouds, uploadDirectory: directory + "/uploads", logger: logger))
        let port = try await server.start()
        let test = TestServer(
            server: server, port: port, pool: pool, ingestor: ingestor, passwords: passwords,
            snapshots: snapshots, blobDirectory: blobDirectory, proxy: proxy, key: keys[0],
            otherKey: keys[1])
        let result: Result<Void, any Error>
        do { result = .success(try await body(test)) } catch { result = .failure(error) }
        await server.drain(within: .milliseconds(100))
        if let proxy {
            await served.shutdown()
            try await proxy.close()
        }
        try result.get()
    }
}
