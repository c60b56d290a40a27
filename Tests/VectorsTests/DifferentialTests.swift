import Foundation
import Testing
import Vectors

/// Random searches against the meaning of a search, and not one difference.
///
/// A few thousand in the suite. `CARREL_DIFFERENTIAL_QUERIES=100000` asks for as many as that, a few
/// hundred of them of blocks of 140,000 rows, which several cores search, and prints what they were.
@Suite("A hundred thousand searches")
struct DifferentialTests {
    private static let queries =
        ProcessInfo.processInfo.environment["CARREL_DIFFERENTIAL_QUERIES"].flatMap { Int($0) }

    /// Where the rows come from: the populations, and real embeddings where there are any.
    enum Source: CustomStringConvertible, Sendable {
        case made(Population)
        case real

        static var all: [Source] {
            Population.allCases.map(Source.made) + (RealVectors.present ? [.real] : [])
        }

        var description: String {
            switch self {
            case .made(let population): population.rawValue
            case .real: "real"
            }
        }

        /// Real rows, and when they do not suffice, what lies near them.
        private static func real(
            _ count: Int, _ random: inout SplitMix64
        ) throws -> [UnitVector] {
            let real = try RealVectors.load("pool.f16.npy", count: min(max(count, 20_000), 58_000))
                .shuffled(using: &random)
            if count <= real.count { return Array(real.prefix(count)) }
            return real
                + (real.count..<count).map { _ in
                    random.unitVector(
                        near: real.randomElement(using: &random)!,
                        distance: Float.random(in: 0.2...0.6, using: &random))
                }
        }

        func rows(_ count: Int, _ random: inout SplitMix64) throws -> [UnitVector] {
            switch self {
            case .made(let population): population.rows(&random, count: count)
            case .real:
                try Self.real(count, &random)
            }
        }
    }

    /// Sizes for which a block is cut as one of a million rows is.
    private static let huge = 140_000

    @Test(
        "So is every answer of a huge block",
        .enabled(if: queries != nil),
        arguments: Source.all.filter {
            ["random", "clustered", "duplicated", "real"].contains($0.description)
        })
    func hugeDifferential(source: Source) throws {
        let seed: UInt64 = 61
        var random = SplitMix64(seed: seed)
        var tally = Tally()
        // A search of so many rows in double takes as long as a thousand of those above.
        let population = try Searchable(source.rows(Self.huge, &random), &random, isHuge: true)
        for _ in 0..<max(10, Self.queries! / 500) {
            let search = Search(population, &random, isHuge: true)
            let meant = search.meant(population)
            let (answer, isProven) = try search.answer(population)
            #expect(answer == meant, "\(source), huge, \(search), seed \(seed)")
            tally.count(search, isProven, isDifferent: answer != meant)
        }
        #expect(tally.differences == 0)
        print("huge differential \(source): \(tally)")
    }

    /// Sizes about a group of codes, one the byte scan is chosen for and one the bit scan is.
    private static let sizes = [0, 1, 2, 63, 64, 65, 700, 3_000]

    @Test("Every answer is brute force's in double, bit for bit", arguments: Source.all)
    func differential(source: Source) throws {
        let seed: UInt64 = 60
        var random = SplitMix64(seed: seed)
        var tally = Tally()
        let wanted = (Self.queries ?? 2_500) / Source.all.count + 1
        for size in Self.sizes {
            // Most of what can go wrong goes wrong with many rows.
            let share = size < 100 ? wanted / 12 : size < 1_000 ? wanted / 4 : wanted / 4
            let population = try Searchable(source.rows(size, &random), &random)
            for _ in 0..<share + 1 {
                let search = Search(population, &random)
                let meant = search.meant(population)
                let (answer, isProven) = try search.answer(population)
                #expect(answer == meant, "\(source), \(size) rows, \(search), seed \(seed)")
                tally.count(search, isProven, isDifferent: answer != meant)
            }
        }
        #expect(tally.differences == 0)
        if Self.queries != nil { print("differential \(source): \(tally)") }
    }
}

/// Rows cut into segments, each in bytes alone and with codes about the first one's centroid.
private struct Searchable {
    let rows: [UnitVector]
    let widened: Widened
    let staged: [SessionBlock]
    let coded: [SessionBlock]
    /// The first row of each segment, and the end.
    let starts: [Int]
    /// Where a row stands among rows at its distance.
    let place: [Int]

    /// A huge one is a single segment; of the others some are cut into stretches as only huge ones are.
    init(_ rows: [UnitVector], _ random: inout SplitMix64, isHuge: Bool = false) throws {
        self.rows = rows
        widened = Widened(rows)
        let cuts = (0..<2).map { _ in Int.random(in: 0...rows.count, using: &random) }.sorted()
        let starts = isHuge ? [0, rows.count] : [0] + cuts + [rows.count]
        self.starts = starts
        let stretch =
            isHuge || Bool.random(using: &random)
            ? SessionBlock.rowsOfStretch : [64, 192].randomElement(using: &random)!
        staged = try zip(starts, starts.dropFirst()).map {
            try SessionBlock(Block(Array(rows[$0..<$1])), rowsOfStretch: stretch)
        }
        var centroid: [Float]?
        coded = try staged.map { block in
            let block = try block.withCodes(rotation: CascadeTests.rotation, centroid: centroid)
            centroid = centroid ?? block.centroid
            return block
        }
        place = Array(rows.indices).shuffled(using: &random)
    }
}

/// One search: what is asked, of which rows, and which way it is answered.
private struct Search: CustomStringConvertible {
    let query: UnitVector
    let k: Int
    let exactness: Exactness
    let first: FirstStep?
    let isStaged: Bool
    let filter: [Bool]?
    let limit: Float

    /// Of a huge block mostly what prunes: the usual search, by bits.
    init(_ all: Searchable, _ random: inout SplitMix64, isHuge: Bool = false) {
        let row = all.rows.randomElement(using: &random) ?? random.unitVector()
        query =
            switch Int.random(in: 0..<5, using: &random) {
            case 0: random.unitVector()
            case 1: row
            case 2: random.unitVector(near: row, distance: 1e-4)
            case 3: try! UnitVector(normalizing: row.values.map { -$0 })
            default: random.unitVector(near: row, distance: 0.5)
            }
        k = [1, 3, 10, 10, 10, 50].randomElement(using: &random)!
        exactness = Int.random(in: 0..<10, using: &random) < (isHuge ? 8 : 5) ? .probable : .proven
        first = [.bits, .bits, .bytes, nil].randomElement(using: &random)!
        isStaged = Int.random(in: 0..<(isHuge ? 20 : 5), using: &random) == 0
        let count = all.rows.count
        let filters = [nil, nil, 0, 1, 2, count / 100, count / 2, count - 1, count]
        let kept =
            isHuge && Int.random(in: 0..<3, using: &random) > 0
            ? nil : filters.randomElement(using: &random)!
        filter = kept.map { kept in
            let flags = (0..<count).map { $0 < kept }
            return flags.shuffled(using: &random)
        }
        limit = [.infinity, .infinity, 1, 0.3, 1e-6].randomElement(using: &random)!
    }

    var description: String {
        "k \(k), \(exactness), first \(String(describing: first)), staged \(isStaged), "
            + "\(filter.map { String($0.count { $0 }) } ?? "all") match, limit \(limit)"
    }

    /// Segment after segment, none farther than the k-th so far.
    func answer(_ all: Searchable) throws -> ([Ranked], isProven: Bool) {
        let prepared = PreparedQuery(query)
        let scratch = try SearchScratch()
        var best: [Ranked] = []
        var isProven = true
        for (segment, block) in (isStaged ? all.staged : all.coded).enumerated() {
            let start = all.starts[segment]
            var rows: RowSet?
            if let filter {
                rows = RowSet(universe: block.count)
                for row in 0..<block.count where filter[start + row] { rows!.insert(row) }
            }
            let bar = best.count == k ? min(limit, best.last!.distance) : limit
            let answer = try Cascade.nearest(
                k, to: prepared, in: block, exactness: exactness, first: first, filter: rows,
                limit: bar, scratch: scratch,
                tieBreak: { all.place[start + $0] < all.place[start + $1] })
            if answer.certificate != .proven { isProven = false }
            best += answer.ranked.map { Ranked(index: start + $0.index, distance: $0.distance) }
            best.sort { ($0.distance, all.place[$0.index]) < ($1.distance, all.place[$1.index]) }
            best = Array(best.prefix(k))
        }
        return (best, isProven)
    }

    /// Every row's distance, sorted.
    func meant(_ all: Searchable) -> [Ranked] {
        let query = Widened([query])
        let distances = all.rows.indices.compactMap { row -> Ranked? in
            if let filter, !filter[row] { return nil }
            let distance = 1 - Float(all.widened.product(row, query))
            return distance <= limit ? Ranked(index: row, distance: distance) : nil
        }
        let sorted = distances.sorted {
            ($0.distance, all.place[$0.index]) < ($1.distance, all.place[$1.index])
        }
        return Array(sorted.prefix(k))
    }
}

/// Vectors widened once, for sums in double in the order that `kernels.h` names, written anew: 32
/// running sums, folded by halves.
private struct Widened {
    /// Eight elements each.
    private let values: [SIMD8<Double>]
    private static let stride = UnitVector.dimension / 8

    init(_ vectors: [UnitVector]) {
        var values: [SIMD8<Double>] = []
        values.reserveCapacity(vectors.count * Self.stride)
        for vector in vectors {
            for start in Swift.stride(from: 0, to: vector.values.count, by: 8) {
                var eight = SIMD8<Double>()
                for lane in 0..<8 { eight[lane] = Double(vector.values[start + lane]) }
                values.append(eight)
            }
        }
        self.values = values
    }

    /// Σ aᵢ·bᵢ with the first vector of another set.
    func product(_ row: Int, _ query: Widened) -> Double {
        var (s0, s1, s2, s3) = (SIMD8<Double>(), SIMD8<Double>(), SIMD8<Double>(), SIMD8<Double>())
        let start = row * Self.stride
        for i in Swift.stride(from: 0, to: Self.stride, by: 4) {
            s0 += values[start + i] * query.values[i]
            s1 += values[start + i + 1] * query.values[i + 1]
            s2 += values[start + i + 2] * query.values[i + 2]
            s3 += values[start + i + 3] * query.values[i + 3]
        }
        let eight = (s0 + s2) + (s1 + s3)
        let four = eight.lowHalf + eight.highHalf
        let two = four.lowHalf + four.highHalf
        return two.x + two.y
    }
}

/// What was asked and what came of it.
private struct Tally: CustomStringConvertible {
    var proofsAsked = 0
    var proven = 0
    var probable = 0
    var filtered = 0
    var differences = 0

    mutating func count(_ search: Search, _ isProven: Bool, isDifferent: Bool) {
        proofsAsked += search.exactness == .proven ? 1 : 0
        proven += isProven ? 1 : 0
        probable += isProven ? 0 : 1
        filtered += search.filter == nil ? 0 : 1
        differences += isDifferent ? 1 : 0
    }

    var description: String {
        "\(proven + probable) searches (\(proofsAsked) asked a proof, \(filtered) had a filter): "
            + "\(proven) answers proven, \(probable) probable, \(differences) differences"
    }
}
