/// Which rows hold which terms, and how often: the postings of a table of texts. Immutable.
///
/// The postings of term t are `starts[t]..<starts[t + 1]` in `rows` (ascending) and `frequencies`.
package struct LexicalIndex: Sendable {
    package let language: Language
    let terms: ByteStrings
    let starts: [Int]
    let rows: [UInt32]
    let frequencies: [UInt16]
    /// Terms of each row, with repetition.
    package let lengths: [UInt32]
    let totalLength: Int

    package var rowCount: Int { lengths.count }
    package var termCount: Int { terms.count }

    /// Memory held, in bytes.
    package var byteCount: Int {
        terms.byteCount + 8 * starts.count + 4 * rows.count + 2 * frequencies.count
            + 4 * lengths.count
    }

    /// The postings of a term; empty when no row holds it.
    func postings(of term: String) -> Range<Int> {
        var term = term
        guard let number = term.withUTF8({ unsafe terms.number(of: $0.span) }) else { return 0..<0 }
        return starts[number]..<starts[number + 1]
    }
}

extension LexicalIndex {
    /// Indexes one text a row.
    package init(_ texts: [String], language: Language = .english) {
        var builder = LexicalIndexBuilder(language)
        for var text in texts { text.withUTF8 { unsafe builder.append($0.span) } }
        self = builder.finish()
    }

    /// Indexes texts that lie one after the other in UTF-8: row r is `offsets[r]..<offsets[r + 1]`.
    ///
    /// - Precondition: `offsets` ascends, begins at 0 or later and ends within `utf8`.
    package init(utf8: Span<UInt8>, offsets: [Int], language: Language = .english) {
        var builder = LexicalIndexBuilder(language)
        for row in 0..<max(0, offsets.count - 1) {
            builder.append(utf8.extracting(offsets[row]..<offsets[row + 1]))
        }
        self = builder.finish()
    }
}
