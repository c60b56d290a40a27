import Testing
import Vectors

/// The meaning of a search: the distance of every row, in double, sorted.
private struct BruteForce {
    let distances: [Float]
    /// Where a row stands among rows at its distance.
    let place: [Int]

    init(_ query: UnitVector, _ rows: [UnitVector], place: [Int]) {
        self.place = place
        distances = rows.map { row in
            var product = 0.0
            unsafe query.values.withUnsafeBufferPointer { q in
                unsafe row.values.withUnsafeBufferPointer { v in
                    for i in 0..<q.count { unsafe product += Double(q[i]) * Double(v[i]) }
                }
            }
            return 1 - Float(product)
        }
    }

    func nearest(_ k: Int, filter: RowSet? = nil) -> [Ranked] {
        let rows = distances.indices.filter { filter?.contains($0) ?? true }
        let sorted = rows.sorted { (distances[$0], place[$0]) < (distances[$1], place[$1]) }
        return sorted.prefix(k).map { Ranked(index: $0, distance: distances[$0]) }
    }
}

/// Sets of rows, each awkward in its own way.
enum Population: String, CaseIterable, Sendable {
    case random, padded, clustered, duplicated, nearIdentical, allEqual, opposites, axes, one

    func rows(_ random: inout SplitMix64, count: Int = 700) -> [UnitVector] {
        switch self {
        case .random: return (0..<count).map { _ in random.unitVector() }
        case .padded: return (0..<count).map { _ in random.unitVector(width: 384) }
        case .clustered:
            let centres = (0..<7).map { _ in random.unitVector() }
            return (0..<count).map { random.unitVector(near: centres[$0 % 7], distance: 0.3) }
        case .duplicated:
            let some = (0..<40).map { _ in random.unitVector() }
            return (0..<count).map { _ in some.randomElement(using: &random)! }
        case .nearIdentical:
            let one = random.unitVector()
            return (0..<count).map { _ in random.unitVector(near: one, distance: 3e-7) }
        case .allEqual: return Array(repeating: random.unitVector(), count: count)
        case .opposites:
            let one = random.unitVector()
            let other = try! UnitVector(normalizing: one.values.map { -$0 })
            return (0..<count).map { $0 % 2 == 0 ? one : other }
        case .axes:
            return (0..<count).map { index in
                var values = [Float](repeating: 0, count: 768)
                values[index % 768] = index % 3 == 0 ? -1 : 1
                return try! UnitVector(normalizing: values)
            }
        case .one: return [random.unitVector()]
        }
    }

    /// Something like the rows, one of them, and something unlike them.
    func queries(_ rows: [UnitVector], _ random: inout SplitMix64) -> [UnitVector] {
        let row = rows.randomElement(using: &random)!
        return [
            random.unitVector(), row, random.unitVector(near: row, distance: 0.5),
            random.unitVector(near: row, distance: 1e-4),
        ]
    }
}

/// The ways through a cascade: a block that has no codes yet, one whose codes are read, one of which a
/// proof is asked, and one left to choose.
private enum Way: CaseIterable { case staged, bits, proven, chosen }

@Suite("The cascade")
struct CascadeTests {
    static let rotation = Rotation(seed: 1)

    @Test(
        "It returns what brute force in double returns, bit for bit",
        arguments: Population.allCases)
    func againstBruteForce(population: Population) throws {
        let seed: UInt64 = 20
        var random = SplitMix64(seed: seed)
        let rows = population.rows(&random)
        let bytes = try SessionBlock(Block(rows))
        let both = try bytes.withCodes(rotation: Self.rotation)
        let scratch = try SearchScratch()
        let place = Array(rows.indices).shuffled(using: &random)

        var some = RowSet(universe: rows.count)
        for row in rows.indices where Bool.random(using: &random) { some.insert(row) }
        var single = RowSet(universe: rows.count)
        single.insert(rows.count / 2)
        let filters: [RowSet?] = [
            nil, some, single, RowSet(universe: rows.count),
            RowSet(universe: rows.count, all: true),
        ]

        for query in population.queries(rows, &random) {
            let prepared = PreparedQuery(query)
            let oracle = BruteForce(query, rows, place: place)
            for (index, filter) in filters.enumerated() {
                for k in index < 2 ? [1, 10, rows.count + 1] : [10] {
                    let all = oracle.nearest(k, filter: filter)
                    let limits: [Float] = [.infinity, all.last?.distance ?? 1, 0.2]
                    for limit in limits {
                        let expected = all.filter { $0.distance <= limit }
                        for way in Way.allCases {
                            let answer = try Cascade.nearest(
                                k, to: prepared, in: way == .staged ? bytes : both,
                                exactness: way == .proven ? .proven : .probable,
                                first: way == .bits ? .bits : nil, filter: filter, limit: limit,
                                scratch: scratch, tieBreak: { place[$0] < place[$1] })
                            #expect(
                                answer.ranked == expected,
                                "\(population), k \(k), filter \(index), \(way), seed \(seed)"
                            )
                            if way == .proven || way == .staged {
                                #expect(answer.certificate == .proven)
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("That an empty block holds no answer is proven")
    func nothing() throws {
        let block = try SessionBlock(Block([]), rotation: Self.rotation)
        let query = PreparedQuery(try UnitVector(padding: [1]))
        let answer = try Cascade.nearest(
            10, to: query, in: block, scratch: SearchScratch(), tieBreak: <)
        #expect(answer.ranked.isEmpty && answer.certificate == .proven)
    }

    @Test("An answer that dropped rows on an estimate says so, with the chance of having missed")
    func certificate() throws {
        var random = SplitMix64(seed: 21)
        let rows = (0..<400).map { _ in random.unitVector() }
        let block = try SessionBlock(Block(rows), rotation: Self.rotation)
        let answer = try Cascade.nearest(
            10, to: PreparedQuery(rows[5]), in: block, first: .bits, scratch: SearchScratch(),
            tieBreak: <)
        #expect(answer.ranked.first?.index == 5)
        #expect(answer.certificate == .probable(missProbability: 10 * 9.87e-10))
        #expect(answer.examined.bytes < 700)
    }

    @Test("When every row survived its estimate, the answer is proven")
    func survivors() throws {
        var random = SplitMix64(seed: 22)
        let row = random.unitVector()
        let block = try SessionBlock(
            Block(Array(repeating: row, count: 300)), rotation: Self.rotation)
        let answer = try Cascade.nearest(
            3, to: PreparedQuery(row), in: block, first: .bits, scratch: SearchScratch(),
            tieBreak: >)
        #expect(answer.ranked.map(\.index) == [299, 298, 297])
        #expect(answer.certificate == .proven)
        #expect(answer.examined.bytes == 300 && answer.examined.exactly == 300)
    }

    @Test(
        "One prepared query serves blocks of other centroids, rotations and none, and other queries"
    )
    func manyBlocks() throws {
        var random = SplitMix64(seed: 24)
        let rows = (0..<500).map { _ in random.unitVector() }
        let block = Block(rows)
        let other = Rotation(seed: 2)
        let staged = try SessionBlock(block)
        let blocks = [
            try staged.withCodes(rotation: Self.rotation), staged,
            try staged.withCodes(rotation: Self.rotation, centroid: rows[7].values),
            try staged.withCodes(rotation: other),
        ]
        #expect(blocks.map(\.hasCodes) == [true, false, true, true])
        let scratch = try SearchScratch()
        let prepared = PreparedQuery(rows[0])
        for query in [rows[3], random.unitVector(), random.unitVector()] {
            prepared.restart(query)
            let expected = BruteForce(query, rows, place: Array(rows.indices)).nearest(10)
            for block in blocks + blocks.reversed() {
                let answer = try Cascade.nearest(
                    10, to: prepared, in: block, first: .bits, scratch: scratch, tieBreak: <)
                #expect(answer.ranked == expected)
            }
        }
    }

    @Test("A small block is answered with a proof, without having to rotate the query")
    func small() throws {
        var random = SplitMix64(seed: 25)
        let rows = (0..<400).map { _ in random.unitVector() }
        let block = try SessionBlock(Block(rows), rotation: Self.rotation)
        let answer = try Cascade.nearest(
            10, to: PreparedQuery(rows[5]), in: block, scratch: SearchScratch(), tieBreak: <)
        #expect(answer.certificate == .proven && answer.examined.bytes == 400)
    }

    @Test("A segment that takes its base's centroid is searched with the base's query")
    func segments() throws {
        var random = SplitMix64(seed: 23)
        let rows = (0..<600).map { _ in random.unitVector(width: 384) }
        let base = try SessionBlock(Block(Array(rows[..<400])), rotation: Self.rotation)
        let segment = try SessionBlock(
            Block(Array(rows[400...])), rotation: Self.rotation, centroid: base.centroid)
        let scratch = try SearchScratch()
        for _ in 0..<10 {
            let query = random.unitVector(width: 384)
            let prepared = PreparedQuery(query)
            let first = try Cascade.nearest(
                10, to: prepared, in: base, first: .bits, scratch: scratch, tieBreak: <)
            let second = try Cascade.nearest(
                10, to: prepared, in: segment, first: .bits, limit: first.ranked.last!.distance,
                scratch: scratch, tieBreak: <)
            let both =
                first.ranked
                + second.ranked.map { Ranked(index: $0.index + 400, distance: $0.distance) }
            let merged = both.sorted { ($0.distance, $0.index) < ($1.distance, $1.index) }
            #expect(
                Array(merged.prefix(10))
                    == BruteForce(query, rows, place: Array(rows.indices)).nearest(10))
        }
    }
}
