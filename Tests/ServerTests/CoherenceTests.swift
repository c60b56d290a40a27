// Two servers, each with its own pool and its own snapshots, on one database. Whatever is done through
// one is in the very next answer of the other.
//
// CARREL_COHERENCE_ROUNDS says how many interleavings; a few hundred unless it does.

import Accounts
import Documents
import Embedding
import Foundation
import Ingestion
import Library
import Logging
import Postgres
import Retrieval
import Server
import Synchronization
import TestSupport
import Testing
import Vectors
import Wire

/// A server as a process of its own would run it, but for the process.
private struct Node: Sendable {
    let server: CarrelServer
    let port: Int
    let pool: Pool
    let snapshots: SnapshotCache
    let following: Task<Void, Never>

    static func start(_ configuration: PostgresConfiguration) async throws -> Node {
        let pool = Pool(configuration, size: 6)
        let snapshots = SnapshotCache(pool, limits: .init(bytes: 1 << 28))
        let directory = try TestDirectory.make("node-\(UUID().uuidString)")
        let embedders = EmbedderRegistry([HashingEmbedder()])
        let ingestor = Ingestor(
            pool: pool, blobs: LocalBlobStore(directory: directory + "/blobs"),
            scratch: directory + "/scratch", extractor: Extractor(),
            embedders: embedders, didCommit: { await snapshots.committed($0) })
        var configuration = ServerConfiguration()
        configuration.port = 0
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let sealer = Sealer(.unkept())
        let gatekeeper = Gatekeeper(pool: pool, passwords: PasswordLane(), sealer: sealer)
        let server = CarrelServer(
            configuration,
            Services(
                pool: pool, embedders: embedders,
                searcher: Searcher(pool: pool, embedders: embedders, snapshots: snapshots),
                ingestor: ingestor, gatekeeper: gatekeeper, sealer: sealer,
                uploadDirectory: directory + "/uploads", logger: logger))
        return Node(
            server: server, port: try await server.start(), pool: pool, snapshots: snapshots,
            following: Task { await snapshots.follow() })
    }

    func stop() async {
        await server.drain(within: .milliseconds(100))
        following.cancel()
        await following.value
        await pool.shutdown()
    }

    /// A connection that has introduced itself.
    func client(_ key: String) async throws -> LineClient {
        let client = try await LineClient.connect(port)
        let answer = try await client.call(
            0, "initialize",
            """
            {"protocolVersions":["2026-11-01"],"client":{"name":"test","version":"1"},\
            "auth":{"apiKey":"\(key)"}}
            """)
        guard answer.at("result") != nil else { throw LineClient.Failure.noAnswer(answer.text) }
        return client
    }
}

/// One writer and reader of its own sessions, which knows what every answer must hold.
private struct Actor {
    /// A client of each node, and the session's handle there.
    private struct Seat {
        var client: LineClient
        var handle: String
    }

    private let nodes: [Node]
    private let profile: UUID
    private var generator: Seeded
    private var key: KeyService.Created
    private var seats: [Seat] = []
    private var session = ""
    /// Chunks by document.
    private var expected: [String: Set<String>] = [:]
    private var calls = 1
    private var documents = 0

    private(set) var searches = 0
    private(set) var scans = 0
    private(set) var stale: [String] = []

    init(_ nodes: [Node], profile: UUID, seed: UInt64) async throws {
        self.nodes = nodes
        self.profile = profile
        generator = Seeded(state: seed)
        key = try await Self.key(of: profile, on: nodes[0].pool)
        try await connect()
        try await newSession()
    }

    mutating func act() async throws {
        let writer = Int.random(in: 0..<2, using: &generator)
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<55: try await add(through: writer)
        case 55..<88: try await remove(through: writer)
        case 88..<94: try await endSession(through: writer)
        default: try await revokeKey(through: writer)
        }
        // The other first, and then both again: what was just caught up must stay so.
        for reader in [1 - writer, writer, 1 - writer] { try await check(reader) }
    }

    // MARK: What is done

    private mutating func add(through node: Int) async throws {
        documents += 1
        let count = Int.random(in: 1...4, using: &generator)
        let chunks = (0..<count).map { _ in
            "{\"text\":\"\(documents)\",\"vector\":\(vector())}"
        }
        let answer = try await call(
            node, "chunk.import",
            "\"document\":\"\(documents)\",\"chunks\":[\(chunks.joined(separator: ","))]")
        let document = try #require(answer.at("result", "document", "id")?.string, "\(answer.text)")
        let ids = try #require(answer.at("result", "chunks")?.array).compactMap(\.string)
        expected[document, default: []].formUnion(ids)
    }

    private mutating func remove(through node: Int) async throws {
        guard let document = expected.keys.sorted().randomElement(using: &generator) else { return }
        let answer = try await call(node, "document.delete", "\"document\":\"\(document)\"")
        #expect(answer.at("result", "deleted")?.bool == true, "\(answer.text)")
        expected[document] = nil
    }

    private mutating func endSession(through node: Int) async throws {
        calls += 1
        let answer = try await seats[node].client.call(
            calls, "session.delete", "{\"session\":\"\(session)\"}")
        #expect(answer.at("result", "deleted")?.bool == true, "\(answer.text)")
        let gone = try await search(1 - node)
        searches += 1
        if gone.at("result") != nil { stale.append("a deleted session: \(gone.text)") }
        try await newSession()
    }

    private mutating func revokeKey(through node: Int) async throws {
        try await nodes[node].pool.withTransaction(as: .service) { db in
            try await KeyService.revoke(id: key.key.id, profileID: profile, on: db)
        }
        let refused = try await search(1 - node)
        searches += 1
        if refused.errorKind != "unauthenticated" { stale.append("a revoked key: \(refused.text)") }
        for seat in seats { await seat.client.close() }
        key = try await Self.key(of: profile, on: nodes[node].pool)
        try await connect()
        for node in seats.indices { seats[node].handle = try await handle(node) }
    }

    // MARK: What is seen

    private mutating func check(_ node: Int) async throws {
        let answer = try await search(node)
        let hits = try #require(answer.at("result", "hits")?.array, "\(answer.text)")
        let found = Set(hits.compactMap { $0.at("chunk")?.string })
        searches += 1
        if answer.at("result", "meta", "plan")?.string == "scan" { scans += 1 }
        let wanted = expected.values.reduce(into: Set()) { $0.formUnion($1) }
        if found != wanted {
            stale.append(
                "node \(node): \(found.subtracting(wanted)) too many, "
                    + "\(wanted.subtracting(found)) missing, "
                    + "revision \(answer.at("result", "meta", "revision")?.int ?? -1)")
        }
    }

    private mutating func search(_ node: Int) async throws -> JSONValue {
        try await call(node, "search", "\"k\":1000,\"vector\":\(vector())")
    }

    // MARK: Around it

    private mutating func call(
        _ node: Int, _ method: String, _ members: String
    ) async throws -> JSONValue {
        calls += 1
        return try await seats[node].client.call(
            calls, method, "{\"session\":\"\(seats[node].handle)\",\(members)}")
    }

    private mutating func connect() async throws {
        seats = []
        for node in nodes {
            seats.append(Seat(client: try await node.client(key.secret.text), handle: ""))
        }
    }

    private mutating func newSession() async throws {
        calls += 1
        let created = try await seats[0].client.call(calls, "session.create", "{\"title\":\"x\"}")
        session = try #require(
            created.at("result", "session", "id")?.string, "\(created.text)")
        expected = [:]
        for node in seats.indices { seats[node].handle = try await handle(node) }
    }

    private mutating func handle(_ node: Int) async throws -> String {
        calls += 1
        let opened = try await seats[node].client.call(
            calls, "session.open", "{\"session\":\"\(session)\"}")
        return try #require(opened.at("result", "handle")?.string, "\(opened.text)")
    }

    private mutating func vector() -> String {
        let values = (0..<UnitVector.dimension).map { _ in
            String(Int.random(in: -9...9, using: &generator))
        }
        return "[1,\(values.dropFirst().joined(separator: ","))]"
    }

    private static func key(of profile: UUID, on pool: Pool) async throws -> KeyService.Created {
        try await pool.withConnection(as: .service) { db in
            try await KeyService.create(
                profileID: profile, name: UUID().uuidString, scopes: Set(Scope.allCases), on: db)
        }
    }
}

@Suite("Two servers on one database", .serialized)
struct CoherenceTests {
    private static let rounds =
        ProcessInfo.processInfo.environment["CARREL_COHERENCE_ROUNDS"].flatMap { Int($0) } ?? 200
    private static let actors = 4

    @Test("What is done through one is in the other's next answer")
    func coherent() async throws {
        try await interleave(seed: 20_261_121)
    }

    @Test("So it is while the connections that listen are killed again and again")
    func withoutNotifications() async throws {
        let killed = Mutex(0)
        try await interleave(seed: 20_261_122) { pool in
            // Only the owner may end others' connections.
            try await withOwner(of: pool) { db in
                while !Task.isCancelled {
                    let ended = try await db.query(
                        Statement(
                            "kill",
                            """
                            SELECT pg_terminate_backend(pid)
                            FROM pg_stat_activity
                            WHERE query LIKE 'LISTEN%' AND datname = current_database()
                            """)
                    ).count
                    killed.withLock { $0 += ended }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
        }
        #expect(killed.withLock { $0 } > 0)
    }

    private func interleave(
        seed: UInt64, meanwhile disturb: @escaping @Sendable (Pool) async throws -> Void = { _ in }
    ) async throws {
        try await withDatabase(migrated: true, size: 4) { pool in
            let nodes = [
                try await Node.start(pool.configuration), try await Node.start(pool.configuration),
            ]
            let disturbance = Task {
                do {
                    try await disturb(pool)
                } catch is CancellationError {
                } catch PostgresError.cancelled {
                    // In the middle of a statement.
                }
            }
            let result: Result<Void, any Error>
            do {
                try await run(nodes, pool, seed: seed)
                result = .success(())
            } catch { result = .failure(error) }
            disturbance.cancel()
            let disturbed = await disturbance.result
            for node in nodes { await node.stop() }
            try result.get()
            try disturbed.get()
        }
    }

    private func run(_ nodes: [Node], _ pool: Pool, seed: UInt64) async throws {
        let profile = try await pool.withTransaction(as: .service) { db in
            try await ProfileRepository.create(
                handle: "ada", email: "ada@example.org", passwordHash: "!", on: db)
        }
        let counts = try await withThrowingTaskGroup(of: (searches: Int, scans: Int).self) {
            group in
            for index in 0..<Self.actors {
                group.addTask {
                    var actor = try await Actor(
                        nodes, profile: profile.id, seed: seed &+ UInt64(index))
                    for round in 0..<Self.rounds / Self.actors {
                        try await actor.act()
                        #expect(
                            actor.stale.isEmpty,
                            "seed \(seed), actor \(index), round \(round): \(actor.stale)")
                        if !actor.stale.isEmpty { break }
                    }
                    return (actor.searches, actor.scans)
                }
            }
            return try await group.reduce(into: (searches: 0, scans: 0)) {
                $0.searches += $1.searches
                $0.scans += $1.scans
            }
        }
        print("\(Self.rounds) interleavings, \(counts.searches) searches, \(counts.scans) by scan")
        // Answers that PostgreSQL gave would prove nothing about the snapshots.
        #expect(counts.scans > counts.searches / 2)
        #expect(counts.searches > Self.rounds * 2)
    }
}
