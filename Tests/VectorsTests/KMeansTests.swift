import Testing
import Vectors

@Suite("k-means of directions")
struct KMeansTests {
    private static let dimension = 64

    /// `count` unit rows, each near one of `groups` random directions, in turn.
    private func rows(_ count: Int, groups: Int, spread: Float, seed: UInt64) throws -> Block {
        var random = SplitMix64(seed: seed)
        let centres = (0..<groups).map { _ in random.floats(Self.dimension) }
        let rows = (0..<count).map { row in
            unit(
                zip(centres[row % groups], random.floats(Self.dimension)).map {
                    $0 + spread * $1
                })
        }
        return try Block(rows: rows, dimension: Self.dimension)
    }

    private func unit(_ values: [Float]) -> [Float] {
        let norm = values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        return values.map { Float(Double($0) / norm) }
    }

    private func dot(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    @Test("Rows around a few directions are sorted by those directions", arguments: 1...8)
    func findsGroups(groups: Int) throws {
        for seed in [1, 2, 3] as [UInt64] {
            let rows = try rows(300, groups: groups, spread: 0.2, seed: seed)
            let found = (0..<4).map { KMeans.cluster(rows, k: groups, seed: seed &+ $0) }
                .max { $0.cohesion < $1.cohesion }!
            for row in 0..<300 {
                #expect(
                    found.assignment[row] == found.assignment[row % groups], "seed \(seed)")
            }
            #expect(Set(found.assignment).count == groups, "seed \(seed)")
        }
    }

    @Test("Every row belongs to the nearest direction, as plain sums see it")
    func againstPlainSums() throws {
        let rows = try rows(700, groups: 5, spread: 1.5, seed: 11)
        let found = KMeans.cluster(rows, k: 9, seed: 4)
        let centroids = (0..<found.centroids.count).map(found.centroids.row)
        for row in 0..<rows.count {
            let cosines = centroids.map { dot($0, rows.row(row)) }
            #expect(abs(Double(found.similarities[row]) - cosines.max()!) < 1e-5)
            #expect(abs(cosines[found.assignment[row]] - cosines.max()!) < 1e-5)
            #expect(abs(Double(found.runnersUp[row]) - cosines.sorted().dropLast().last!) < 1e-5)
        }
    }

    @Test("It rests: every direction is that of its rows' sum")
    func isAFixedPoint() throws {
        let rows = try rows(700, groups: 5, spread: 1, seed: 12)
        let found = KMeans.cluster(rows, k: 6, seed: 5, rounds: 500)
        for cluster in 0..<found.centroids.count {
            var sum = [Double](repeating: 0, count: Self.dimension)
            for row in 0..<rows.count where found.assignment[row] == cluster {
                for (column, value) in rows.row(row).enumerated() { sum[column] += Double(value) }
            }
            #expect(dot(found.centroids.row(cluster), unit(sum.map(Float.init))) > 0.99999)
        }
    }

    @Test("More rounds never make the rows less alike within their clusters")
    func cohesionRises() throws {
        let rows = try rows(500, groups: 20, spread: 2, seed: 13)
        let cohesions = [0, 1, 2, 4, 8, 50].map {
            KMeans.cluster(rows, k: 12, seed: 6, rounds: $0).cohesion
        }
        #expect(zip(cohesions, cohesions.dropFirst()).allSatisfy { $0 <= $1 + 1e-6 })
    }

    @Test("The same seed gives the same clustering")
    func isRepeatable() throws {
        let rows = try rows(500, groups: 7, spread: 1, seed: 14)
        let first = KMeans.cluster(rows, k: 7, seed: 8)
        let second = KMeans.cluster(rows, k: 7, seed: 8)
        #expect(first.assignment == second.assignment)
        #expect(first.similarities == second.similarities)
    }

    @Test("Equal rows are one cluster, and there are no more clusters than rows")
    func degenerate() throws {
        let row = unit((0..<Self.dimension).map(Float.init))
        let equal = try Block(rows: Array(repeating: row, count: 50), dimension: Self.dimension)
        let one = KMeans.cluster(equal, k: 5, seed: 1)
        #expect(one.centroids.count == 1)
        #expect(one.cohesion > 0.99999)
        let three = try rows(3, groups: 3, spread: 0, seed: 2)
        #expect(Set(KMeans.cluster(three, k: 8, seed: 1).assignment).count == 3)
    }
}
