import Foundation
import Library
import Retrieval
import Testing

@Suite("Packing hits")
struct PackingTests {
    private let parents = (0..<3).map { _ in UUID() }

    /// Chunks found in this order; `family` is an index into `parents`, or nil.
    private func found(_ families: [Int?], tokens: Int = 10) -> [FoundChunk] {
        families.enumerated().map { index, family in
            FoundChunk(
                hit: Hit(
                    chunk: UUID(), type: .child, score: 1 - Float(index) / 100, rank: index + 1,
                    text: "\(index)", span: index * 10..<index * 10 + 10, documentID: UUID(),
                    fileName: "f", pages: 1...1, section: []),
                tokens: tokens, parentID: family.map { parents[$0] })
        }
    }

    private func rows(tokens: Int = 100) -> [UUID: FoundParent] {
        Dictionary(
            uniqueKeysWithValues: parents.map { id in
                (id, FoundParent(chunk: id, text: "parent", span: 0..<100, tokens: tokens))
            })
    }

    /// All chunks an answer speaks of, in order of their rank.
    private func chunks(_ hits: [Hit]) -> Set<UUID> {
        Set(hits.flatMap { hit in hit.parent?.children.map(\.chunk) ?? [hit.chunk] })
    }

    @Test("Every child that was found stays, with its score and span, in its parent's hit")
    func keepsChildren() {
        let found = found([0, 1, 0, nil, 1, 0])
        let hits = Packing.hits(found, parents: rows(), tokenBudget: nil)
        #expect(hits.map(\.rank) == [1, 2, 3])
        #expect(hits.map { $0.parent?.children.count } == [3, 2, nil])
        for (hit, places) in zip(hits, [[0, 2, 5], [1, 4], [3]]) {
            #expect(hit.chunk == found[places[0]].hit.chunk)
            guard let children = hit.parent?.children else { continue }
            #expect(children.map(\.chunk) == places.map { found[$0].hit.chunk })
            #expect(children.map(\.score) == places.map { found[$0].hit.score })
            #expect(children.map(\.span) == places.map { found[$0].hit.span })
        }
    }

    @Test("The budget is never exceeded, and expansion never costs a hit that had room")
    func budget() {
        let found = found([0, 1, 0, nil, 1, 2])
        let plain = { budget in Packing.hits(found, parents: [:], tokenBudget: budget) }
        for budget in stride(from: 5, through: 400, by: 5) {
            let hits = Packing.hits(found, parents: rows(), tokenBudget: budget)
            let spent = hits.reduce(0) { $0 + ($1.parent == nil ? 10 : 100) }
            #expect(spent <= budget, "budget \(budget)")
            #expect(chunks(hits) == chunks(plain(budget)), "budget \(budget)")
            #expect(hits.map(\.rank) == Array(1..<hits.count + 1))
        }
    }

    @Test("What does not fit is left out, and a smaller hit after it still comes")
    func skipsTheLarge() {
        var found = found([nil, nil, nil])
        found[1].tokens = 1_000
        let hits = Packing.hits(found, parents: [:], tokenBudget: 20)
        #expect(hits.map(\.text) == ["0", "2"])
        #expect(hits.map(\.rank) == [1, 2])
    }

    @Test("A family that cannot be folded gives back its children in the order of their scores")
    func unfolded() {
        let found = found([0, 1, 0])
        let hits = Packing.hits(found, parents: rows(), tokenBudget: 30)
        #expect(hits.map(\.text) == ["0", "1", "2"])
        #expect(hits.allSatisfy { $0.parent == nil })
    }
}
