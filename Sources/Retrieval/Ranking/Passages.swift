// The text around hits: which spans, and which of them are one.

package import Foundation

/// A stretch of a document's text that is to come back with a hit.
package struct PassageSpan: Sendable, Equatable {
    package var document: UUID
    /// Unicode scalar offsets in the document's text.
    package var span: Range<Int>

    package init(document: UUID, span: Range<Int>) {
        self.document = document
        self.span = span
    }
}

package enum Passages {
    /// One passage for every run of overlapping spans, and the members each was made of: indexes of `spans`,
    /// ascending. Passages are in the order of their first member; nil spans belong to none.
    ///
    /// Spans that only touch stay apart: two neighbouring sections are two.
    package static func merge(
        _ spans: [PassageSpan?]
    ) -> [(passage: PassageSpan, members: [Int])] {
        var merged: [(passage: PassageSpan, members: [Int])] = []
        let order = spans.indices.filter { spans[$0] != nil }.sorted { a, b in
            let (left, right) = (spans[a]!, spans[b]!)
            return left.document == right.document
                ? left.span.lowerBound < right.span.lowerBound
                : left.document.isBefore(right.document)
        }
        for index in order {
            let next = spans[index]!
            if let last = merged.last?.passage, last.document == next.document,
                next.span.lowerBound < last.span.upperBound
            {
                let end = max(last.span.upperBound, next.span.upperBound)
                merged[merged.count - 1].passage.span = last.span.lowerBound..<end
                merged[merged.count - 1].members.append(index)
            } else {
                merged.append((next, [index]))
            }
        }
        for index in merged.indices { merged[index].members.sort() }
        return merged.sorted { $0.members[0] < $1.members[0] }
    }
}
