import Testing
import Vectors

@Suite("The k nearest")
struct TopKTests {
    @Test("They are the first k of the whole sorted list, ties by the caller's order")
    func againstSorting() {
        var random = SplitMix64(seed: 7)
        for count in [0, 1, 2, 9, 10, 11, 100, 1000] {
            for distinct in [1, 3, 1000] {
                let distances = (0..<count).map { _ in
                    Float(Int.random(in: 0..<distinct, using: &random)) / 8
                }
                let place = Array(0..<count).shuffled(using: &random)
                let sorted = distances.indices.sorted {
                    (distances[$0], place[$0]) < (distances[$1], place[$1])
                }
                for k in [0, 1, 2, 10, 2000] {
                    let best = TopK.select(k, distances: distances) { place[$0] < place[$1] }
                    #expect(best.map(\.index) == Array(sorted.prefix(k)))
                    #expect(best.map(\.distance) == sorted.prefix(k).map { distances[$0] })
                }
            }
        }
    }
}
