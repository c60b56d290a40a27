// The pieces the chunker packs: sentences of prose, lines of code and tables; parts of those where a
// single one is longer than a whole chunk may be.

/// A piece of text that starts and ends with something other than white space.
struct TextUnit {
    var start: Int
    var end: Int
    var tokens: Int
    /// Index of its section.
    var section: Int
    /// Whether a paragraph begins with it.
    var opensParagraph: Bool
}

/// Cuts a document into units, in order.
struct UnitCutter {
    private let scalars: [Unicode.Scalar]
    private let limit: Int
    private let countTokens: (String) -> Int
    private(set) var units: [TextUnit] = []

    /// Units of at most `limit` tokens, counted without the markers a model adds around an input.
    init(scalars: [Unicode.Scalar], limit: Int, countTokens: @escaping (String) -> Int) {
        self.scalars = scalars
        self.limit = limit
        self.countTokens = countTokens
    }

    /// Cuts one section, given the verbatim spans that touch it.
    mutating func cut(_ range: Range<Int>, section: Int, verbatim: ArraySlice<Range<Int>>) {
        var position = range.lowerBound
        for span in verbatim {
            let span = span.clamped(to: range)
            cutProse(position..<max(position, span.lowerBound), section)
            cutLines(max(position, span.lowerBound)..<span.upperBound, section)
            position = max(position, span.upperBound)
        }
        cutProse(position..<range.upperBound, section)
    }

    private mutating func cutProse(_ range: Range<Int>, _ section: Int) {
        for paragraph in paragraphs(range) {
            cutSentences(paragraph, section, opensParagraph: true)
        }
    }

    private mutating func cutLines(_ range: Range<Int>, _ section: Int) {
        var opens = true
        var start = range.lowerBound
        while start < range.upperBound {
            let end = scalars[start..<range.upperBound].firstIndex(of: "\n") ?? range.upperBound
            if let line = trimmed(start..<end, keepingIndent: true) {
                if !appendIfItFits(line, section, opensParagraph: opens) {
                    cutSentences(line, section, opensParagraph: opens)
                }
                opens = false
            }
            start = end + 1
        }
    }

    private mutating func cutSentences(_ range: Range<Int>, _ section: Int, opensParagraph: Bool) {
        var opens = opensParagraph
        let starts = sentenceStarts(in: scalars, range)
        for (index, start) in starts.enumerated() {
            let end = index + 1 < starts.count ? starts[index + 1] : range.upperBound
            guard let sentence = trimmed(start..<end) else { continue }
            if !appendIfItFits(sentence, section, opensParagraph: opens) {
                cutWords(sentence, section, opensParagraph: opens)
            }
            opens = false
        }
    }

    private mutating func appendIfItFits(
        _ range: Range<Int>, _ section: Int, opensParagraph: Bool
    ) -> Bool {
        let tokens = count(range)
        guard tokens <= limit else { return false }
        units.append(
            TextUnit(
                start: range.lowerBound, end: range.upperBound, tokens: tokens,
                section: section, opensParagraph: opensParagraph))
        return true
    }

    /// Packs as many words as fit, again and again.
    private mutating func cutWords(_ range: Range<Int>, _ section: Int, opensParagraph: Bool) {
        var piece: TextUnit?
        var position = range.lowerBound
        func flush(_ units: inout [TextUnit]) {
            if let done = piece { units.append(done) }
            piece = nil
        }
        var opens = opensParagraph
        while position < range.upperBound {
            while position < range.upperBound, isSpace(scalars[position]) { position += 1 }
            let start = position
            while position < range.upperBound, !isSpace(scalars[position]) { position += 1 }
            guard start < position else { break }
            for part in partsWithinLimit(start..<position) {
                if let open = piece, open.tokens + part.tokens <= limit {
                    piece?.end = part.range.upperBound
                    piece?.tokens += part.tokens
                } else {
                    flush(&units)
                    piece = TextUnit(
                        start: part.range.lowerBound, end: part.range.upperBound,
                        tokens: part.tokens, section: section, opensParagraph: opens)
                    opens = false
                }
            }
        }
        flush(&units)
    }

    /// A word, halved until each part fits. A half never begins with a combining mark or joiner.
    private func partsWithinLimit(_ word: Range<Int>) -> [(range: Range<Int>, tokens: Int)] {
        let tokens = count(word)
        guard tokens > limit, word.count > 1 else { return [(word, tokens)] }
        var middle = word.lowerBound + word.count / 2
        while middle < word.upperBound, continuesCharacter(at: middle) { middle += 1 }
        if middle == word.upperBound { middle = word.lowerBound + word.count / 2 }
        return partsWithinLimit(word.lowerBound..<middle)
            + partsWithinLimit(middle..<word.upperBound)
    }

    private func continuesCharacter(at position: Int) -> Bool {
        scalars[position].properties.isGraphemeExtend || scalars[position] == "\u{200d}"
            || scalars[position - 1] == "\u{200d}"
    }

    /// Runs of text between empty lines.
    private func paragraphs(_ range: Range<Int>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var start = range.lowerBound
        var position = start
        while position < range.upperBound {
            let isBlank =
                scalars[position] == "\n" && position + 1 < range.upperBound
                && scalars[position + 1] == "\n"
            if isBlank {
                if let paragraph = trimmed(start..<position) { found.append(paragraph) }
                while position < range.upperBound, scalars[position] == "\n" { position += 1 }
                start = position
            } else {
                position += 1
            }
        }
        if let paragraph = trimmed(start..<range.upperBound) { found.append(paragraph) }
        return found
    }

    private func trimmed(_ range: Range<Int>, keepingIndent: Bool = false) -> Range<Int>? {
        var (start, end) = (range.lowerBound, range.upperBound)
        while end > start, isSpace(scalars[end - 1]) { end -= 1 }
        if start == end { return nil }
        if !keepingIndent { while isSpace(scalars[start]) { start += 1 } }
        return start..<end
    }

    private func count(_ range: Range<Int>) -> Int {
        countTokens(string(scalars[range]))
    }
}

/// The text of a run of scalars.
func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
}
