import Testing
import Vectors

@Suite("Exact scores")
struct ScorerTests {
    @Test("A distance is the true one rounded once, as long arithmetic finds it")
    func againstDoubles() throws {
        var random = SplitMix64(seed: 5)
        let query = try UnitVector(normalizing: random.floats(768))
        let rows = try (0..<300).map { _ in try UnitVector(normalizing: random.floats(768)) }
        let distances = Scorer.distances(from: query, to: Block(rows))
        for (row, distance) in zip(rows, distances) {
            let exact = zip(query.values, row.values).reduce(0.0) {
                $0 + Double($1.0) * Double($1.1)
            }
            #expect(distance == 1 - Float(exact))
        }
    }

    @Test("Equal rows score equal bits wherever they lie")
    func duplicates() throws {
        var random = SplitMix64(seed: 6)
        let query = try UnitVector(normalizing: random.floats(768))
        let row = try UnitVector(normalizing: random.floats(768))
        for count in 1...40 {
            let distances = Scorer.distances(
                from: query, to: Block(Array(repeating: row, count: count)))
            #expect(Set(distances).count == 1, "\(count) copies")
        }
    }

    @Test(
        "Ranking by BLAS first gives the very answer of scoring every row exactly",
        arguments: [1, 10, 99, 300, 400])
    func nearest(k: Int) throws {
        var random = SplitMix64(seed: UInt64(k))
        let query = try UnitVector(normalizing: random.floats(768))
        // Far rows, rows a last bit apart around one point, and copies of one row.
        let centre = try UnitVector(normalizing: random.floats(768)).values
        var rows = try (0..<100).map { _ in try UnitVector(normalizing: random.floats(768)) }
        rows += try (0..<100).map { _ in
            try UnitVector(normalizing: zip(centre, random.floats(768)).map { $0 + 1e-7 * $1 })
        }
        rows += Array(repeating: try UnitVector(normalizing: centre), count: 100)
        rows.shuffle(using: &random)
        let block = Block(rows)
        let descending = { (a: Int, b: Int) in a > b }
        let expected = TopK.select(
            k, distances: Scorer.distances(from: query, to: block), tieBreak: descending)
        #expect(Scorer.nearest(k, to: query, in: block, tieBreak: descending) == expected)
    }

    @Test("An empty block has no distances")
    func empty() throws {
        let query = try UnitVector(padding: [1])
        #expect(Scorer.distances(from: query, to: Block([])).isEmpty)
    }
}
