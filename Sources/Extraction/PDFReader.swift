// A PDF as blocks: words to lines, lines to paragraphs, and the lines that are headings.
//
// A PDF says where each word stands and in which font, nothing about what it is. Poppler puts the
// words into lines; `PDFReadingOrder` puts those into columns. The rest is inferred from the page:
// running heads repeat at the same height, a heading is larger or bolder than the text and stands
// apart (or is what the outline says it is), a paragraph ends at a gap or an indentation. A word
// hyphenated at a line end is put together again *before* offsets are counted, so they stay true.

import Documents

enum PDFReader {
    static func read(_ bytes: [UInt8], into blocks: inout BlockList) throws(DocumentError) {
        try checkWhole(bytes)
        let content = try Poppler.content(of: bytes, limits: blocks.limits)
        blocks.title = content.title
        blocks.pageCount = content.pages.count
        blocks.emptyReason = "its pages are pictures, as from a scanner, without recognised text"

        var lines: [PDFLine] = []
        for (index, page) in content.pages.enumerated() {
            lines += PDFLine.lines(of: page, number: index + 1)
        }
        lines = PDFRunningHeads.removed(from: lines, pageCount: content.pages.count)
        let headings = PDFHeadings(lines: lines, outline: content.outline)
        var writer = PDFParagraphs(words: PDFVocabulary(lines), headings: headings)
        try writer.write(lines, into: &blocks)
    }

    /// A PDF ends with `%%EOF` (ISO 32000-1 §7.5.5; readers look for it in the last 1,024 bytes).
    ///
    /// Poppler mends a file that was cut off and would return the first half of it as the whole.
    private static func checkWhole(_ bytes: [UInt8]) throws(DocumentError) {
        // Mail and web servers append; be more patient than the standard.
        guard firstIndex(of: "%%EOF", in: bytes.suffix(8_192)) != nil else {
            throw .damaged("its end is missing, as if the upload had been cut off")
        }
    }
}

/// Joins lines to paragraphs and writes them.
private struct PDFParagraphs {
    let words: PDFVocabulary
    let headings: PDFHeadings

    private var text = ""
    private var first: PDFLine?
    private var last: PDFLine?
    private var lineCount = 0
    private var brokenLines = 0
    private var right = 0.0

    init(words: PDFVocabulary, headings: PDFHeadings) {
        self.words = words
        self.headings = headings
    }

    mutating func write(_ lines: [PDFLine], into blocks: inout BlockList) throws(DocumentError) {
        var index = 0
        while index < lines.count {
            if let heading = headings.starting[index] {
                try flush(into: &blocks)
                let text = lines[index..<heading.end].map(\.text).joined(separator: " ")
                try blocks.append(
                    Block(
                        kind: .heading(level: heading.level), text: text, page: lines[index].page))
                index = heading.end
                continue
            }
            let line = lines[index]
            let next = index + 1 < lines.count ? lines[index + 1] : nil
            if let last, !continues(last, line, next) { try flush(into: &blocks) }
            add(line, columnRight: columnRight(lines, around: index))
            index += 1
        }
        try flush(into: &blocks)
    }

    /// How far right the lines around this one in its column reach.
    private func columnRight(_ lines: [PDFLine], around index: Int) -> Double {
        let line = lines[index]
        var right = line.right
        for neighbour in lines[max(0, index - 6)..<min(lines.count, index + 7)]
        where neighbour.page == line.page && neighbour.overlapsColumn(of: line) {
            right = max(right, neighbour.right)
        }
        return right
    }

    private func continues(_ last: PDFLine, _ line: PDFLine, _ next: PDFLine?) -> Bool {
        let size = max(last.size, line.size)
        guard line.page == last.page, line.top > last.top - 1,
            line.top - last.bottom < 0.7 * size, line.overlapsColumn(of: last),
            abs(line.size - last.size) < 0.25 * size
        else { return false }
        if line.beginsListItem { return false }
        if line.isTabular != last.isTabular { return false }
        // Indented against both neighbours: a first line.
        let indent = line.left - last.left
        if indent > 0.7 * size, indent < 5 * size {
            guard let next, next.page == line.page, next.top > line.top,
                next.top - line.bottom < 0.7 * size
            else { return !last.endsSentence }
            return line.left - next.left < 0.7 * size
        }
        return true
    }

    private mutating func add(_ line: PDFLine, columnRight: Double) {
        defer {
            last = line
            right = columnRight
            lineCount += 1
        }
        guard let last, first != nil else {
            first = line
            text = line.text
            return
        }
        if last.page == line.page, let joined = words.joined(text, line.text) {
            text = joined
            return
        }
        // A line that stops well short of the column was broken on purpose: verse, code, addresses.
        let width = max(1, right - min(last.left, line.left))
        let isBroken =
            last.isMonospaced || last.isTabular
            || right - last.right > max(0.2 * width, 3 * last.size)
        if isBroken { brokenLines += 1 }
        text += (isBroken ? "\n" : " ") + line.text
    }

    private mutating func flush(into blocks: inout BlockList) throws(DocumentError) {
        guard let first, last != nil else { return }
        var block = Block(kind: .paragraph, text: text, page: first.page)
        if first.isMonospaced || first.isTabular
            || (lineCount >= 3 && brokenLines * 4 >= (lineCount - 1) * 3)
        {
            block.kind = .verbatim
        } else if let previous = blocks.blocks.last, previous.kind == .paragraph,
            goesOn(previous.text, block.text)
        {
            block.join = .sentence
            if previous.page == block.page, let joined = words.joined(previous.text, block.text) {
                // The column broke inside a word.
                blocks.replaceLast(with: joined)
                return reset()
            }
        }
        try blocks.append(block)
        reset()
    }

    private mutating func reset() {
        self = PDFParagraphs(words: words, headings: headings)
    }

    /// Whether a paragraph was interrupted by the end of its column or page.
    private func goesOn(_ before: String, _ after: String) -> Bool {
        guard let end = before.last(where: { !$0.isWhitespace }), let start = after.first else {
            return false
        }
        return start.isLowercase && (end.isLetter || end == "," || end == "-" || end == "\u{2013}")
    }
}

/// The words of the document as they stand inside lines: what tells `well-` + `known`, which keeps
/// its hyphen, from `lay-` + `out`, which does not.
struct PDFVocabulary {
    private var words: Set<Substring> = []

    init(_ lines: [PDFLine]) {
        for line in lines {
            for word in line.text.split(separator: " ").dropLast() {
                words.insert(Self.core(word))
            }
        }
    }

    /// Both texts as one when the first ends in a hyphenated half of a word; `nil` when it does not.
    func joined(_ before: String, _ after: String) -> String? {
        guard let hyphen = before.last, hyphen == "-" || hyphen == "\u{2010}",
            let letter = before.dropLast().last, letter.isLetter,
            let next = after.first, next.isLowercase
        else { return nil }
        let start =
            before.dropLast().lastIndex { !$0.isLetter }.map { before.index(after: $0) }
            ?? before.startIndex
        let head = before.dropLast()[start...]
        let tail = after.prefix { $0.isLetter }
        // German: "Haupt- und Nebensatz" is no hyphenation.
        if ["und", "oder", "and", "or", "bis", "to"].contains(tail) { return nil }
        let isCompound =
            !words.contains(Substring(head + tail).lowercasedSubstring)
            && words.contains(Substring("\(head)-\(tail)").lowercasedSubstring)
        return (isCompound ? before[...] : before.dropLast()) + after
    }

    private static func core(_ word: Substring) -> Substring {
        var word = word
        while let last = word.last, !last.isLetter { word.removeLast() }
        return word.drop { !$0.isLetter }.lowercasedSubstring
    }
}

extension Substring {
    fileprivate var lowercasedSubstring: Substring { Substring(lowercased()) }
}
