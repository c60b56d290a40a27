import Testing
import Vectors

@Suite("Bounds")
struct BoundsTests {
    private func products(_ query: UnitVector, _ rows: [UnitVector]) -> [Double] {
        rows.map { row in Kernels.current.dot(query.values, row.values) }
    }

    @Test("A byte bound is never broken", arguments: Population.allCases)
    func bytes(population: Population) throws {
        var random = SplitMix64(seed: 30)
        let rows = population.rows(&random)
        let block = try SessionBlock(Block(rows), rotation: CascadeTests.rotation)
        for query in population.queries(rows, &random) {
            let prepared = PreparedQuery(query)
            for (row, product) in products(query, rows).enumerated() {
                let bounds = block.bounds(of: row, for: prepared)
                #expect(abs(Double(bounds.byteEstimate) - product) <= Double(bounds.byteError))
                #expect(bounds.byteError < 0.05)
            }
        }
    }

    @Test(
        "The error of a bit estimate is a unit normal in the deviations it claims",
        arguments: [Population.random, .padded, .clustered, .axes])
    func bits(population: Population) throws {
        var random = SplitMix64(seed: 31)
        let rows = population.rows(&random)
        let block = try SessionBlock(Block(rows), rotation: CascadeTests.rotation)
        var errors: [Double] = []
        for _ in 0..<20 {
            let query = random.unitVector(
                near: rows[Int.random(in: 0..<700, using: &random)], distance: 1)
            let prepared = PreparedQuery(query)
            for (row, product) in products(query, rows).enumerated() {
                let bounds = block.bounds(of: row, for: prepared)
                let bits = try #require(bounds.bits)
                errors.append((product - Double(bits.estimate)) / Double(bits.deviation))
            }
        }
        let count = Double(errors.count)
        let mean = errors.reduce(0, +) / count
        let variance = errors.reduce(0) { $0 + $1 * $1 } / count - mean * mean
        #expect(abs(mean) < 0.1)
        #expect(variance > 0.85 && variance < 1.1, "\(population), seed 31")
        #expect(errors.allSatisfy { abs($0) < 6 })
    }

    @Test("A row that is the centroid is estimated exactly")
    func centroid() throws {
        var random = SplitMix64(seed: 32)
        let row = random.unitVector()
        let block = try SessionBlock(Block([row]), rotation: CascadeTests.rotation)
        let query = random.unitVector()
        let bounds = block.bounds(of: 0, for: PreparedQuery(query))
        let estimate = try #require(bounds.bits?.estimate)
        #expect(abs(Double(estimate) - products(query, [row])[0]) < 1e-6)
    }

    @Test("A row costs no more memory than the design allows")
    func memory() throws {
        var random = SplitMix64(seed: 33)
        let rows = (0..<640).map { _ in random.unitVector() }
        let block = try SessionBlock(Block(rows), rotation: CascadeTests.rotation)
        #expect(block.byteCount == 640 * (3_072 + 768 + 8 + 96 + 12))
    }
}
