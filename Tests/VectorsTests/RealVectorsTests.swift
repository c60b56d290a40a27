import Foundation
import Testing
import Vectors

/// Real text embeddings (MiniLM, 384 wide) from the shared data; skipped where there are none.
enum RealVectors {
    static let directory =
        (ProcessInfo.processInfo.environment["CARREL_SHARED_DATA"] ?? "../shared/data") + "/vectors"

    static var present: Bool {
        FileManager.default.fileExists(atPath: directory + "/pool.f16.npy")
    }

    /// The first rows of a NumPy file of halves, version 1.0, row-major.
    static func load(_ name: String, count: Int) throws -> [UnitVector] {
        let file = try #require(FileHandle(forReadingAtPath: directory + "/" + name))
        let magic = try #require(try file.read(upToCount: 10))
        _ = try file.read(upToCount: Int(magic[8]) + Int(magic[9]) << 8)
        let bytes = try [UInt8](#require(try file.read(upToCount: count * 384 * 2)))
        return try (0..<count).map { row in
            let halves = (row * 384..<(row + 1) * 384).map {
                UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8
            }
            return try UnitVector(padding: Kernels.current.widened(halves: halves))
        }
    }
}

@Suite("Real embeddings", .enabled(if: RealVectors.present))
struct RealVectorsTests {
    @Test("Every answer is that of scoring all rows, and few rows are read for it")
    func exact() throws {
        let rows = Block(try RealVectors.load("pool.f16.npy", count: 4_000))
        let block = try SessionBlock(rows, rotation: CascadeTests.rotation)
        let scratch = try SearchScratch()
        var read = 0
        var scored = 0
        for query in try RealVectors.load("queries.f16.npy", count: 100) {
            let all = TopK.select(
                10, distances: Scorer.distances(from: query, to: rows), tieBreak: <)
            let prepared = PreparedQuery(query)
            for exactness in [Exactness.probable, .proven] {
                let answer = try Cascade.nearest(
                    10, to: prepared, in: block, exactness: exactness, first: .bits,
                    scratch: scratch, tieBreak: <)
                #expect(answer.ranked == all)
                if exactness == .probable { read += answer.examined.bytes }
                scored += answer.examined.exactly
            }
        }
        #expect(read < 100 * 800, "\(read / 100) rows read in bytes on average")
        #expect(scored < 200 * 30, "\(scored / 200) rows scored on average")
    }
}
