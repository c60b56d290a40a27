// From ranked chunks to what is given back: children folded into their parents, and the whole kept
// within a budget of tokens. A pure function of what was found; the rows were read before.

package import Foundation

/// A chunk that was found, with what the answer needs to say about it.
package struct FoundChunk {
    package var hit: Hit
    package var tokens: Int
    package var parentID: UUID?

    package init(hit: Hit, tokens: Int, parentID: UUID?) {
        self.hit = hit
        self.tokens = tokens
        self.parentID = parentID
    }
}

/// What chunks are folded into: their parent, or a passage around them.
package struct FoundParent {
    /// Nil for a passage that is no chunk of its own.
    package var chunk: UUID?
    package var text: HitText
    package var span: Range<Int>
    package var tokens: Int

    package init(chunk: UUID?, text: HitText, span: Range<Int>, tokens: Int) {
        self.chunk = chunk
        self.text = text
        self.span = span
        self.tokens = tokens
    }
}

package enum Packing {
    /// The hits of an answer, ranked from 1, as `found` is.
    ///
    /// Without `parents` each chunk is a hit. With them, chunks of one parent become one hit: the
    /// best of them, carrying the parent and every child that was found in it. Order is that of the
    /// best child.
    ///
    /// The budget is spent on found chunks first, best first, and only what is left buys parents:
    /// so expansion never pushes out a hit. A folded hit costs its parent's tokens, because the
    /// children's texts stand inside the parent's. A chunk that does not fit is left out and a
    /// smaller one after it may still fit; a parent that does not fit leaves its children as hits.
    package static func hits(
        _ found: [FoundChunk], parents: [UUID: FoundParent], tokenBudget: Int?
    ) -> [Hit] {
        if parents.isEmpty, tokenBudget == nil { return found.map(\.hit) }
        var left = tokenBudget ?? .max
        let kept = found.filter { chunk in
            guard chunk.tokens <= left else { return false }
            if tokenBudget != nil { left -= chunk.tokens }
            return true
        }
        var hits: [Hit] = []
        for group in families(kept) {
            guard let id = group[0].parentID, let parent = parents[id] else {
                hits += group.map(\.hit)
                continue
            }
            let price = parent.tokens - group.reduce(0) { $0 + $1.tokens }
            guard tokenBudget == nil || price <= left else {
                hits += group.map(\.hit)
                continue
            }
            // A family can be cheaper folded: its children overlap. What that saves is spent again.
            if tokenBudget != nil { left -= price }
            hits.append(folded(group, into: parent))
        }
        // A family that could not be folded gave its hits back one by one, out of order.
        hits.sort { $0.rank < $1.rank }
        for index in hits.indices { hits[index].rank = index + 1 }
        return hits
    }

    /// Chunks that share a parent, together; families and members in the order they were found.
    private static func families(_ found: [FoundChunk]) -> [[FoundChunk]] {
        var families: [[FoundChunk]] = []
        var place: [UUID: Int] = [:]
        for chunk in found {
            if let parent = chunk.parentID, let index = place[parent] {
                families[index].append(chunk)
            } else {
                if let parent = chunk.parentID { place[parent] = families.count }
                families.append([chunk])
            }
        }
        return families
    }

    private static func folded(_ group: [FoundChunk], into parent: FoundParent) -> Hit {
        var hit = group[0].hit
        hit.parent = ParentHit(
            chunk: parent.chunk, text: parent.text, span: parent.span,
            children: group.map {
                ChildHit(chunk: $0.hit.chunk, score: $0.hit.score, span: $0.hit.span)
            })
        return hit
    }
}
