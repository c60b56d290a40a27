// Sessions in files: what they answer, what is noticed about them, who has to go.

import Foundation
import Library
import Postgres
import Retrieval
import TestSupport
import Testing
import Vectors

@Suite("A session's file")
struct SnapshotFileTests {
    private static let limits = SnapshotCache.Limits(bytes: 1 << 30)

    private func files(limitBytes: Int = 1 << 30) throws -> SnapshotFiles {
        SnapshotFiles(
            directory: try TestDirectory.make("files-\(UUID())"), limitBytes: limitBytes,
            leastRows: 1)
    }

    private func session(
        _ pool: Pool, rows: Int, handle: String = "ada", _ generator: inout Seeded
    ) async throws -> UUID {
        let session = try await plantSession(on: pool, handle: handle).id
        try await write(pool, session, rows: rows, &generator)
        return session
    }

    @discardableResult
    private func write(
        _ pool: Pool, _ session: UUID, rows: Int, _ generator: inout Seeded
    ) async throws -> UUID {
        let vectors = (0..<rows).map { _ in generator.unitVector() }
        let topics = [generator.uuid()]
        return try await plant(vectors, topics: topics, in: session, using: &generator, on: pool)[0]
            .document
    }

    /// Builds a session with files and waits until it has one.
    private func file(_ session: UUID, _ pool: Pool, _ files: SnapshotFiles) async throws {
        let cache = SnapshotCache(pool, limits: Self.limits, files: files)
        _ = try #require(try await cache.build(session))
        while cache.statistics.filed == 0 { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// What a snapshot says to a few questions.
    private func answers(_ snapshot: SessionSnapshot, seed: UInt64) throws -> [[Hit]] {
        var generator = Seeded(seed)
        let scratch = try SnapshotScratch()
        return try (0..<10).map { index in
            let request = SearchRequest(
                as: .service, session: snapshot.version.id, query: .vector(generator.unitVector()),
                k: 10,
                expansion: index % 2 == 0 ? .parent : .none,
                exactness: index % 3 == 0 ? .proven : .probable)
            guard case .vector(let vector) = request.query else { return [] }
            return try SnapshotSearch.search(request, vector, in: snapshot, scratch: scratch).hits
        }
    }

    /// Builds the session twice, with files and without, and compares; whether a file was of use.
    private func compare(_ session: UUID, _ pool: Pool, _ files: SnapshotFiles) async throws -> Bool
    {
        let fresh = try #require(try await SnapshotCache(pool, limits: Self.limits).build(session))
        let cache = SnapshotCache(pool, limits: Self.limits, files: files)
        let mapped = try #require(try await cache.build(session))
        #expect(mapped.revision == fresh.revision)
        let meant = try answers(fresh, seed: 5)
        #expect(try answers(mapped, seed: 5) == meant)
        #expect(meant.allSatisfy { !$0.isEmpty })
        let wasMapped = cache.statistics.mapped == 1
        // Leave no writer behind that would put a file where the test wants none.
        while cache.statistics.filed == 0, !wasMapped {
            try await Task.sleep(for: .milliseconds(5))
        }
        return wasMapped
    }

    @Test("It answers as the database does, also after what was written and deleted since")
    func caughtUp() async throws {
        try await withMigratedDatabase { pool in
            var generator = Seeded(70)
            // Enough children for codes.
            let session = try await session(pool, rows: 2_400, &generator)
            let gone = try await write(pool, session, rows: 20, &generator)
            let files = try files()
            try await file(session, pool, files)
            #expect(try await compare(session, pool, files))
            try await write(pool, session, rows: 7, &generator)
            #expect(try await compare(session, pool, files))
            _ = try await pool.withTransaction(as: .service) { db in
                try await DocumentRepository.delete(sessionID: session, id: gone, on: db)
            }
            #expect(try await compare(session, pool, files))
        }
    }

    @Test("A file that does not fit any more is read once, not again for every search")
    func outgrown() async throws {
        try await withMigratedDatabase { pool in
            var generator = Seeded(72)
            let session = try await session(pool, rows: 30, &generator)
            let files = try files()
            try await file(session, pool, files)
            let cache = SnapshotCache(
                pool, limits: .init(bytes: 1 << 20, sessionBytes: 1 << 10), files: files)
            #expect(try await cache.build(session) == nil)
            for _ in 0..<3 { try await cache.arrival(of: session) }
            #expect(cache.statistics.builds == 1)
        }
    }

    @Test("One that is damaged, cut, of another format or of another session is made anew")
    func damaged() async throws {
        try await withMigratedDatabase { pool in
            var generator = Seeded(71)
            let session = try await session(pool, rows: 30, &generator)
            let files = try files()
            try await file(session, pool, files)
            let url = URL(fileURLWithPath: files.path(session))
            let good = try Data(contentsOf: url)
            func harm(_ what: String, _ change: (inout Data) -> Void) async throws {
                var bad = good
                change(&bad)
                try bad.write(to: url)
                #expect(try await compare(session, pool, files) == false, "\(what)")
                #expect(try await compare(session, pool, files), "after \(what)")
            }
            try await harm("a bit of the header") { $0[57] ^= 1 }
            try await harm("another format") { $0[8] += 1 }
            try await harm("another seed") { $0[64] ^= 1 }
            try await harm("a bit of the vectors") { $0[good.count / 2] ^= 16 }
            try await harm("the last byte") { $0[good.count - 1] ^= 128 }
            try await harm("half of it") { $0 = $0.prefix(good.count / 2) }
            try await harm("none of it") { $0 = Data() }

            let other = try await self.session(pool, rows: 30, handle: "bob", &generator)
            try await file(other, pool, files)
            let otherFile = try Data(contentsOf: URL(fileURLWithPath: files.path(other)))
            try await harm("another session") { $0 = otherFile }
        }
    }

    @Test("One that is newer than the database is not believed")
    func newer() async throws {
        try await withMigratedDatabase { pool in
            var generator = Seeded(72)
            let session = try await session(pool, rows: 30, &generator)
            let files = try files()
            try await write(pool, session, rows: 5, &generator)
            try await file(session, pool, files)
            let old = SnapshotCache(pool, limits: Self.limits)
            let revision = try #require(try await old.build(session)).revision
            #expect(revision == 2)
            try await pool.withConnection(as: .service) { db in
                _ = try await db.query(
                    Statement(
                        "test.goBack",
                        "UPDATE carrel.study_sessions SET revision = revision - 1 WHERE id = $1"),
                    session)
            }
            let cache = SnapshotCache(pool, limits: Self.limits, files: files)
            #expect(try await cache.build(session)?.revision == 1)
            #expect(cache.statistics.mapped == 1)
        }
    }

    @Test("Files are bounded in bytes, and that of a deleted session goes")
    func room() async throws {
        try await withMigratedDatabase { pool in
            var generator = Seeded(73)
            var sessions: [UUID] = []
            for handle in ["ada", "bob", "cyd"] {
                sessions.append(
                    try await session(pool, rows: 30, handle: handle, &generator))
            }
            let roomy = try files()
            try await file(sessions[0], pool, roomy)
            let bytes = try Data(contentsOf: URL(fileURLWithPath: roomy.path(sessions[0]))).count

            let files = try files(limitBytes: bytes * 5 / 2)
            func present() -> [Bool] {
                sessions.map { FileManager.default.fileExists(atPath: files.path($0)) }
            }
            try await file(sessions[0], pool, files)
            try await file(sessions[1], pool, files)
            #expect(present() == [true, true, false])
            // Reading it makes it the last to go.
            #expect(try await compare(sessions[0], pool, files))
            try await file(sessions[2], pool, files)
            #expect(present() == [true, false, true])

            let gone = sessions[2]
            try await pool.withTransaction(as: .service) { db in
                let versions = try await SessionRepository.revision(ids: [gone], on: db)
                let owner = try #require(versions[gone]).profileID
                _ = try await SessionRepository.delete(id: gone, profileID: owner, on: db)
            }
            let cache = SnapshotCache(pool, limits: Self.limits, files: files)
            #expect(try await cache.build(gone) == nil)
            #expect(present() == [true, false, false])
        }
    }
}
