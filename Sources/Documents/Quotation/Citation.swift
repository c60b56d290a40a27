// Does a quotation still stand where it stood? The question of whoever kept a citation while its
// document was revised and taken in again.

/// A quotation with the place it was taken from.
package struct Citation: Sendable, Equatable {
    package let snippet: String
    package let page: Int
    /// `start..<end` of the text it was taken from; nil when only the page is known.
    package let span: Range<Int>?

    package init(snippet: String, page: Int, span: Range<Int>? = nil) {
        self.snippet = snippet
        self.page = page
        self.span = span
    }

    /// What became of it in a text.
    package enum Verdict: Sendable, Equatable {
        /// There, at the same place.
        case unchanged(Place)
        /// The same words, elsewhere.
        case moved(Place)
        /// Other words, but most of them the same.
        case edited(Place, FoldedText.Likeness)
        case gone
    }

    package struct Place: Sendable, Equatable {
        /// The page it begins on.
        package let page: Int
        package let span: Range<Int>

        package init(page: Int, span: Range<Int>) {
            self.page = page
            self.span = span
        }
    }

    /// What is less alike than this is not the same sentence any more. A label and its amount of which
    /// one stayed come to 0.5.
    package static let leastSimilarity = 0.5

    /// Looks for the snippet in a text with these pages, contiguous and in order.
    ///
    /// Of several places the one it was at counts, else the one on the nearest page and there
    /// nearest to the old span.
    package func check(in text: String, pages: [PageSpan]) -> Verdict {
        let (text, snippet) = (FoldedText(text), FoldedText(snippet))
        let places = text.occurrences(of: snippet).map { Place($0, pages) }
        if let nearest = places.min(by: { distance(to: $0) < distance(to: $1) }) {
            let isThere = nearest.page == page && (span ?? nearest.span) == nearest.span
            return isThere ? .unchanged(nearest) : .moved(nearest)
        }
        guard let likeness = text.nearest(to: snippet),
            likeness.similarity >= Self.leastSimilarity
        else { return .gone }
        return .edited(Place(likeness.span, pages), likeness)
    }

    private func distance(to place: Place) -> (Int, Int) {
        (
            abs(place.page - page),
            span.map { abs($0.lowerBound - place.span.lowerBound) } ?? place.span.lowerBound
        )
    }
}

extension Citation.Place {
    fileprivate init(_ span: Range<Int>, _ pages: [PageSpan]) {
        self.span = span
        // The last page that begins at or before it; empty pages share their beginning.
        page = pages.last { $0.start <= span.lowerBound && $0.end > span.lowerBound }?.number ?? 1
    }
}
