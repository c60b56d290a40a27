// Recall of the graph on vectors of real text, as a number. Skipped where the shared data is absent.

import Foundation
import Library
import Postgres
import Retrieval
import Testing
import Vectors

@Suite("Recall on real vectors")
struct RecallTests {
    private static var data: String? {
        let home = ProcessInfo.processInfo.environment["CARREL_SHARED_DATA"] ?? "../shared/data"
        let path = "\(home)/vectors"
        return FileManager.default.fileExists(atPath: "\(path)/pool.f16.npy") ? path : nil
    }

    @Test(
        "Walking the graph finds at least .99 of the ten nearest, at a large share and a small one",
        .enabled(if: data != nil))
    func graph() async throws {
        guard let data = Self.data else { return }
        let sessions = [2_500, 800]
        let pool = try vectors("\(data)/pool.f16.npy", count: sessions.reduce(0, +))
        let queries = try vectors("\(data)/queries.f16.npy", count: 50)
        var generator = Seeded(37)
        try await withMigratedDatabase { database in
            var first = 0
            for (number, size) in sessions.enumerated() {
                let session = try await plantSession(on: database, handle: "reader\(number)")
                _ = try await plant(
                    Array(pool[first..<first + size]), in: session.id, using: &generator,
                    on: database)
                try await fillGraph(session.id, on: database)
                first += size
                var found = 0
                var wanted = 0
                for query in queries {
                    let request = SearchRequest(
                        as: .service, session: session.id, query: .vector(query), k: 10)
                    let exact = try await searcher(database, planner: planner(.exact))
                        .search(request)
                    let walked = try await searcher(database, planner: planner(.hnsw))
                        .search(request)
                    // A row as near as the tenth is as good as the tenth: copies are many in real text.
                    let tenth = try #require(exact.hits.last).score
                    found += walked.hits.count { $0.score >= tenth }
                    wanted += exact.hits.count
                }
                let recall = Double(found) / Double(wanted)
                print("recall@10 of the hnsw plan, session of \(size): \(recall)")
                #expect(recall >= 0.99, "session of \(size)")
            }
        }
    }

    /// The first rows of an NPY file of halves (format 1.0: magic, version, header length, header).
    private func vectors(_ path: String, count: Int) throws -> [UnitVector] {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path), options: .alwaysMapped))
        let header = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
        let width = 384
        return try (0..<count).map { row in
            let start = header + row * width * 2
            let values = (0..<width).map { column in
                let at = start + column * 2
                return Float(Float16(bitPattern: UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8))
            }
            return try UnitVector(padding: values)
        }
    }
}
