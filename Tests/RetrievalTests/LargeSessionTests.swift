// Sessions that memory cannot hold: their vectors and texts lie in files.

import Foundation
import Library
import Postgres
import Retrieval
import TestSupport
import Testing
import Vectors

@Suite("A session larger than memory")
struct LargeSessionTests {
    /// 2,880 chunks: enough children for codes.
    private static let children = 2_400
    /// Their vectors, bytes and columns take 11 MB, without the vectors 3.
    private static let limits = SnapshotCache.Limits(
        bytes: 10 << 20, sessionBytes: 5 << 20, heldRows: 1_000)

    private func files() throws -> SnapshotFiles {
        SnapshotFiles(
            directory: try TestDirectory.make("large-\(UUID())"), limitBytes: 1 << 30, leastRows: 1)
    }

    private func vectors(_ generator: inout Seeded) -> [UnitVector] {
        (0..<Self.children).map { _ in generator.unitVector() }
    }

    private func expectBruteForce(
        _ snapshot: SessionSnapshot, _ rows: [Planted], certificate: Retrieval.Certificate? = nil,
        where passes: (Planted) -> Bool = { _ in true }, filter: SearchFilter = SearchFilter(),
        _ generator: inout Seeded
    ) throws {
        let scratch = try SnapshotScratch()
        for _ in 0..<10 {
            let vector = generator.unitVector()
            let request = SearchRequest(
                as: .service, session: snapshot.version.id, query: .vector(vector), k: 10,
                filter: filter)
            let answer = try SnapshotSearch.search(request, vector, in: snapshot, scratch: scratch)
            let meant = bruteForce(vector, rows, k: 10, where: passes)
            #expect(answer.hits.map(\.chunk) == meant.map(\.id))
            #expect(
                answer.hits.allSatisfy { hit in
                    rows.contains { $0.id == hit.chunk && $0.text == hit.text.string }
                })
            if let certificate { #expect(answer.meta.certificate == certificate) }
        }
    }

    @Test("It is answered as brute force does, with a certificate, and stays within the limit")
    func answers() async throws {
        try await withMigratedDatabase { pool in
            var generator = Seeded(80)
            let session = try await plantSession(on: pool).id
            var rows = try await plant(
                vectors(&generator), in: session, using: &generator, on: pool)
            let files = try files()
            let cache = SnapshotCache(pool, limits: Self.limits, files: files)
            cache.warm(session, chunks: rows.count)
            let first = try #require(try await cache.build(session))
            #expect(first.segments[0].children.block.rows.isMapped)
            #expect(first.byteCount < Self.limits.sessionBytes)
            try expectBruteForce(first, rows, certificate: .proven, &generator)
            while cache.statistics.filed == 0 { try await Task.sleep(for: .milliseconds(5)) }
            let coded = try #require(cache.resident(session))
            #expect(coded.segments[0].children.block.hasCodes)
            try expectBruteForce(
                coded, rows,
                certificate: .probable(missProbability: 10 * Cascade.missProbability), &generator)

            // What is written and deleted later is caught up like any other session's.
            let later = try await plant(
                [generator.unitVector(), generator.unitVector()], in: session, using: &generator,
                on: pool)
            rows += later
            let grown = try #require(try await cache.current(session, atLeast: 2))
            try expectBruteForce(grown, rows, &generator)
            try expectBruteForce(
                grown, rows, where: { $0.document == later[0].document },
                filter: SearchFilter(documents: [later[0].document]), &generator)

            // The next process maps the file.
            let next = SnapshotCache(pool, limits: Self.limits, files: files)
            let mapped = try #require(try await next.build(session))
            #expect(next.statistics.mapped == 1)
            #expect(mapped.byteCount < Self.limits.sessionBytes)
            try expectBruteForce(mapped, rows, &generator)
        }
    }

    @Test("Words are ranked there too; without a folder for files it stays with PostgreSQL")
    func wordsAndRefusal() async throws {
        try await withMigratedDatabase { pool in
            var generator = Seeded(81)
            let session = try await plantSession(on: pool).id
            let rows = try await plant(
                vectors(&generator), in: session, using: &generator, on: pool)
            func searcher(_ files: SnapshotFiles?) -> Searcher {
                Searcher(
                    pool: pool, embedders: RetrievalTests.searcher(pool).embedders,
                    snapshots: SnapshotCache(pool, limits: Self.limits, files: files))
            }
            var request = SearchRequest(
                as: .service, session: session, query: .text("child 7"), k: 3)
            request.ranking.mode = .lexical
            let answer = try await searcher(try files()).search(request)
            #expect(answer.hits.first.map { hit in hit.text } == "child 7")
            await #expect(throws: RetrievalError.notResident) {
                try await searcher(nil).search(request)
            }
            let dense = SearchRequest(
                as: .service, session: session, query: .vector(rows[1].vector), k: 1)
            #expect(try await searcher(nil).search(dense).hits[0].chunk == rows[1].id)
        }
    }
}
