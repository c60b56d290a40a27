// The cache: who builds, who waits, who leaves.

import Embedding
import Foundation
import Library
import Postgres
import Retrieval
import Synchronization
import Testing
import Vectors

@Suite("The snapshot cache")
struct SnapshotCacheTests {
    private func session(_ pool: Pool, _ handle: String, rows: Int, seed: UInt64) async throws
        -> UUID
    {
        var generator = Seeded(seed)
        let session = try await plantSession(on: pool, handle: handle)
        _ = try await plant(
            (0..<rows).map { _ in generator.unitVector() }, in: session.id, using: &generator,
            on: pool)
        return session.id
    }

    private func write(_ pool: Pool, _ session: UUID, seed: UInt64) async throws -> UUID {
        var generator = Seeded(seed)
        return try await plant(
            [generator.unitVector()], in: session, using: &generator, on: pool)[0].document
    }

    /// Waits for what happens in the background; the test run's own limit ends a wait in vain.
    private func until(_ isSo: () -> Bool) async throws {
        while !isSo() { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test("However many ask, a session is built once, and caught up once")
    func singleFlight() async throws {
        try await withMigratedDatabase { pool in
            let session = try await session(pool, "ada", rows: 50, seed: 1)
            let cache = SnapshotCache(pool, limits: .init(bytes: 1 << 30))
            #expect(cache.resident(session) == nil)
            try await withThrowingTaskGroup(of: Int64?.self) { group in
                for _ in 0..<30 {
                    group.addTask { try await cache.build(session)?.revision }
                    group.addTask {
                        cache.warm(session, chunks: 60)
                        return 1
                    }
                }
                for try await revision in group { #expect(revision == 1) }
            }
            #expect(cache.statistics.builds == 1)
            _ = try await write(pool, session, seed: 2)
            try await withThrowingTaskGroup(of: Int64?.self) { group in
                for _ in 0..<30 {
                    group.addTask { try await cache.current(session, atLeast: 2)?.revision }
                }
                for try await revision in group { #expect(revision == 2) }
            }
            #expect(cache.statistics.catchUps == 1)
            #expect(cache.statistics.builds == 1)
        }
    }

    @Test(
        "Of many searches of a session that is not there, a few ask PostgreSQL and the others wait for it"
    )
    func admission() async throws {
        try await withMigratedDatabase { pool in
            let session = try await session(pool, "ada", rows: 2_000, seed: 1)
            let searcher = Searcher(
                pool: pool, embedders: EmbedderRegistry([HashingEmbedder()]),
                snapshots: SnapshotCache(pool, limits: .init(bytes: 1 << 30)))
            // However long the first of them wait for a connection.
            let busy = (0..<4).map { _ in
                Task {
                    try await pool.withConnection(as: .service) { _ in
                        try await Task.sleep(for: .milliseconds(400))
                    }
                }
            }
            try await Task.sleep(for: .milliseconds(50))
            let plans = try await withThrowingTaskGroup(of: PlanKind.self) { group in
                for seed in 0..<40 {
                    group.addTask {
                        var generator = Seeded(UInt64(seed))
                        return try await searcher.search(
                            SearchRequest(
                                as: .service, session: session,
                                query: .vector(generator.unitVector()), k: 3)
                        ).meta.plan
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for task in busy { try await task.value }
            #expect(plans.count == 40)
            #expect(plans.count { $0 != .scan } >= 1)
            // All forty would ask, were they not held back: none of them finds it there.
            #expect(plans.count { $0 == .scan } >= 20)
        }
    }

    @Test(
        "However many searches of sessions that are not there wait, connections are left to others")
    func connectionsLeft() async throws {
        try await withMigratedDatabase { pool in
            var sessions: [UUID] = []
            for index in 0..<3 {
                sessions.append(
                    try await session(pool, "s\(index)", rows: 20, seed: UInt64(index + 1)))
            }
            let owner = Pool(pool.configuration, size: 1)
            // Neither those that come into memory, nor those that are too large for it.
            for limits in [
                SnapshotCache.Limits(bytes: 1 << 30), .init(bytes: 1 << 30, sessionBytes: 1_000),
            ] {
                let searcher = Searcher(
                    pool: pool, embedders: EmbedderRegistry([HashingEmbedder()]),
                    snapshots: SnapshotCache(pool, limits: limits))
                let searches = Mutex<[Task<Int, any Error>]>([])
                try await owner.withTransaction(as: .service) { db in
                    // No chunk is read until the end of this.
                    _ = try await db.execute(
                        Statement("block", "LOCK TABLE carrel.document_chunks"))
                    for number in 0..<60 {
                        let session = sessions[number % 3]
                        searches.withLock {
                            $0.append(
                                Task {
                                    var generator = Seeded(UInt64(number))
                                    return try await searcher.search(
                                        SearchRequest(
                                            as: .service, session: session,
                                            query: .vector(generator.unitVector()), k: 3)
                                    ).hits.count
                                })
                        }
                    }
                    let most = (pool.size - limits.buildsAtOnce) / 2
                    try await until { pool.statistics.inUse >= most }
                    try await Task.sleep(for: .milliseconds(200))
                    #expect(pool.statistics.waiting == 0)
                    let one: Int = try await pool.withConnection(as: .service) { db in
                        try await db.query(Statement("one", "SELECT 1")).single()
                    }
                    #expect(one == 1)
                }
                for search in searches.withLock({ $0 }) { #expect(try await search.value == 3) }
            }
            await owner.shutdown()
        }
    }

    @Test("It holds no more bytes than it may, and the least recently used leaves first")
    func bounded() async throws {
        try await withMigratedDatabase { pool in
            var sessions: [UUID] = []
            for index in 0..<4 {
                sessions.append(
                    try await session(pool, "s\(index)", rows: 40, seed: UInt64(index + 1)))
            }
            let size = try #require(
                try await SnapshotCache(pool, limits: .init(bytes: 1 << 30)).build(sessions[0])
            ).byteCount
            let limit = size * 2 + size / 2
            let cache = SnapshotCache(pool, limits: .init(bytes: limit, sessionBytes: size * 2))
            _ = try await cache.build(sessions[0])
            _ = try await cache.build(sessions[1])
            #expect(cache.resident(sessions[0]) != nil)
            _ = try await cache.build(sessions[2])
            #expect(cache.resident(sessions[1]) == nil)
            #expect(cache.resident(sessions[0]) != nil)
            #expect(cache.resident(sessions[2]) != nil)
            for _ in 0..<3 {
                for session in sessions {
                    _ = try await cache.build(session)
                    #expect(cache.statistics.bytes <= limit)
                    #expect(cache.statistics.sessions <= 2)
                }
            }
            #expect(cache.statistics.evictions > 8)
        }
    }

    @Test("A session larger than one may be is not kept, nor read again and again")
    func tooLarge() async throws {
        try await withMigratedDatabase { pool in
            let session = try await session(pool, "ada", rows: 50, seed: 1)
            // The rows alone would fit; their texts and columns do not.
            let cache = SnapshotCache(
                pool, limits: .init(bytes: 1 << 30, sessionBytes: 60 * 3_940))
            cache.warm(session, chunks: 60)
            try await until { cache.statistics.builds == 1 }
            #expect(try await cache.build(session) == nil)
            let builds = cache.statistics.builds
            cache.warm(session, chunks: 60)
            #expect(cache.statistics.builds == builds)
            #expect(cache.statistics.bytes == 0)
            // One that cannot fit is not even begun.
            let other = try await self.session(pool, "eve", rows: 100, seed: 2)
            cache.warm(other, chunks: 120)
            #expect(cache.statistics.builds == builds)
        }
    }

    @Test("A snapshot in the hand stays what it was while newer ones are made")
    func immutable() async throws {
        try await withMigratedDatabase { pool in
            let session = try await session(pool, "ada", rows: 20, seed: 1)
            let cache = SnapshotCache(pool, limits: .init(bytes: 1 << 30))
            let old = try #require(try await cache.build(session))
            let document = try await write(pool, session, seed: 2)
            let middle = try #require(try await cache.current(session, atLeast: 2))
            _ = try await pool.withTransaction(as: .service) { db in
                try await DocumentRepository.delete(sessionID: session, id: document, on: db)
            }
            let new = try #require(try await cache.current(session, atLeast: 3))
            #expect(old.segments.count == 1)
            #expect(middle.segments.count == 2)
            #expect(middle.segments[1].liveCount == 2)
            #expect(new.segments[1].liveCount == 0)
            #expect(new.segments[0].children.columns === old.segments[0].children.columns)
        }
    }

    @Test(
        "What this process commits is in its snapshot when it is told so; a deleted session is out")
    func committed() async throws {
        try await withMigratedDatabase { pool in
            let session = try await session(pool, "ada", rows: 20, seed: 1)
            let cache = SnapshotCache(pool, limits: .init(bytes: 1 << 30))
            await cache.committed(session)
            #expect(cache.resident(session) == nil)
            _ = try await cache.build(session)
            _ = try await write(pool, session, seed: 2)
            await cache.committed(session)
            #expect(cache.resident(session)?.revision == 2)
            let owner = try #require(cache.resident(session)).version.profileID
            _ = try await pool.withTransaction(as: .service) { db in
                try await SessionRepository.delete(id: session, profileID: owner, on: db)
            }
            await cache.committed(session)
            #expect(cache.resident(session) == nil)
            #expect(cache.statistics.bytes == 0)
        }
    }

    @Test("A revision that the database does not have, restored as it was, is not waited for")
    func restored() async throws {
        try await withMigratedDatabase { pool in
            let session = try await session(pool, "ada", rows: 20, seed: 1)
            let cache = SnapshotCache(pool, limits: .init(bytes: 1 << 30))
            _ = try await cache.build(session)
            #expect(try await cache.current(session, atLeast: 10_000) == nil)
            #expect(cache.statistics.sessions == 0)
            #expect(try await cache.build(session)?.revision == 1)
        }
    }

    @Test("Others' commits arrive by notification, and are looked for after listening broke")
    func notifications() async throws {
        try await withMigratedDatabase { pool in
            let session = try await session(pool, "ada", rows: 20, seed: 1)
            let cache = SnapshotCache(pool, limits: .init(bytes: 1 << 30))
            _ = try await cache.build(session)
            // Nobody listened when this was announced.
            _ = try await write(pool, session, seed: 2)
            let following = Task { await cache.follow() }
            try await until { cache.resident(session)?.revision == 2 }
            for revision in 3..<20 {
                _ = try await write(pool, session, seed: UInt64(revision))
                if revision % 3 == 0 {
                    try await pool.withConnection(as: .service) { db in
                        _ = try await db.query(
                            Statement(
                                "kill",
                                """
                                SELECT pg_terminate_backend(pid)
                                FROM pg_stat_activity
                                WHERE query LIKE 'LISTEN%' AND datname = current_database()
                                """))
                    }
                    _ = try await write(pool, session, seed: UInt64(revision + 100))
                }
            }
            let last = try await pool.withConnection(as: .service) { db in
                try await SessionRepository.revision(ids: [session], on: db)[session]?.revision
            }
            try await until { cache.resident(session)?.revision == last }
            following.cancel()
            await following.value
        }
    }

    @Test("Many small writes are joined, and many deletions give their memory back")
    func upkeep() async throws {
        try await withMigratedDatabase { pool in
            let session = try await session(pool, "ada", rows: 30, seed: 1)
            let cache = SnapshotCache(pool, limits: .init(bytes: 1 << 30))
            _ = try await cache.build(session)
            for index in 0..<12 {
                _ = try await write(pool, session, seed: UInt64(index + 10))
                await cache.committed(session)
            }
            try await until { (cache.resident(session)?.segments.count ?? 0) <= 6 }
            var generator = Seeded(99)
            let bulk = try await plant(
                (0..<600).map { _ in generator.unitVector() }, in: session, using: &generator,
                on: pool)
            await cache.committed(session)
            // More than half of it is new: one segment again.
            try await until { cache.resident(session)?.segments.count == 1 }
            let full = try #require(cache.resident(session)).byteCount
            _ = try await pool.withTransaction(as: .service) { db in
                try await DocumentRepository.delete(
                    sessionID: session, id: bulk[0].document, on: db)
            }
            await cache.committed(session)
            try await until { (cache.resident(session)?.byteCount ?? .max) < full / 4 }
            let snapshot = try #require(cache.resident(session))
            #expect(snapshot.segments.reduce(0) { $0 + $1.liveCount } == 36 + 24)
        }
    }
}
