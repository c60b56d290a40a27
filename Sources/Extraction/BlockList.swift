// What every reader produces: blocks in reading order, each with the page it stands on. Joining them
// is the only place where text is written and offsets are counted, so pages, sections and text agree
// for every format by construction.

import Documents

/// One paragraph, heading, line of code or row of a table.
struct Block {
    enum Kind: Equatable {
        /// 1 is the outermost.
        case heading(level: Int)
        case paragraph
        /// Line breaks and indentation mean something: code, tables.
        case verbatim
    }

    /// What stands between this block and the one before it.
    enum Join: String {
        case paragraph = "\n\n"
        case line = "\n"
        /// The block goes on with the sentence of the one before, on a new page or in a new column.
        case sentence = " "
    }

    var kind: Kind
    var text: String
    var page = 1
    var join = Join.paragraph
    /// Where a file has no headings, sections begin at these.
    var opensSection = false
}

struct BlockList {
    let limits: ExtractionLimits
    var title: String?
    /// Pages the file has, at least those that blocks name.
    var pageCount = 1
    /// Why there may be no text; said when there is none.
    var emptyReason = "it holds only white space"

    fileprivate(set) var blocks: [Block] = []
    private var bytes = 0

    init(limits: ExtractionLimits) {
        self.limits = limits
    }

    /// Adds a block, cleaned; one without visible text is dropped.
    mutating func append(_ block: Block) throws(DocumentError) {
        var block = block
        block.text = cleaned(block.text, keepingIndent: block.kind == .verbatim)
        guard !block.text.isEmpty else { return }
        bytes += block.text.utf8.count + 2
        guard bytes <= limits.textBytes else {
            throw .tooLarge(.textBytes, limit: limits.textBytes, got: nil)
        }
        pageCount = max(pageCount, block.page)
        blocks.append(block)
    }

    /// Joins the blocks.
    ///
    /// Throws `empty` when there are none.
    func document(_ type: FileType) throws(DocumentError) -> ExtractedDocument {
        guard !blocks.isEmpty else { throw .empty(emptyReason) }
        var text = ""
        var length = 0
        var starts: [Int] = []
        var verbatim: [Range<Int>] = []
        for (index, block) in blocks.enumerated() {
            if index > 0 {
                text += block.join.rawValue
                length += block.join.rawValue.unicodeScalars.count
            }
            starts.append(length)
            text += block.text
            length += block.text.unicodeScalars.count
            if block.kind == .verbatim {
                if let last = verbatim.last, block.join == .line,
                    last.upperBound + 1 == starts[index]
                {
                    verbatim[verbatim.count - 1] = last.lowerBound..<length
                } else {
                    verbatim.append(starts[index]..<length)
                }
            }
        }
        let pages = pageSpans(starts: starts, length: length)
        return ExtractedDocument(
            fileType: type,
            title: title.map { folded($0) }.flatMap { $0.isEmpty ? nil : $0 } ?? firstHeading,
            text: text, pages: pages,
            sections: sectionSpans(starts: starts, length: length), verbatim: verbatim)
    }

    private var firstHeading: String? {
        let first =
            blocks.first { $0.level == 1 } ?? blocks.first.flatMap { $0.level == nil ? nil : $0 }
        return first.map { folded($0.text) }
    }

    /// A page begins with its first block and ends where the next one that has any begins.
    private func pageSpans(starts: [Int], length: Int) -> [PageSpan] {
        var firsts = [Int](repeating: length, count: pageCount + 2)
        for (block, start) in zip(blocks, starts).reversed() { firsts[block.page] = start }
        firsts[1] = 0
        for page in (1...pageCount).reversed() {
            firsts[page] = min(firsts[page], firsts[page + 1])
        }
        return (1...pageCount).map {
            PageSpan(number: $0, start: firsts[$0], end: firsts[$0 + 1])
        }
    }

    private func sectionSpans(starts: [Int], length: Int) -> [SectionSpan] {
        let hasHeadings = blocks.contains { $0.level != nil }
        let opening = blocks.indices.filter { index in
            index == 0 || (hasHeadings ? blocks[index].level != nil : blocks[index].opensSection)
        }
        var path: [(level: Int, heading: String)] = []
        var page = 0
        var indexOnPage = 0
        return opening.enumerated().map { position, index in
            let block = blocks[index]
            indexOnPage = block.page == page ? indexOnPage + 1 : 0
            page = block.page
            if let level = block.level {
                path.removeAll { $0.level >= level }
                path.append((level, folded(block.text)))
            }
            return SectionSpan(
                page: page, index: indexOnPage,
                heading: block.level.map { _ in folded(block.text) },
                headingPath: path.map(\.heading), start: starts[index],
                end: position + 1 < opening.count ? starts[opening[position + 1]] : length)
        }
    }
}

extension Block {
    fileprivate var level: Int? {
        if case .heading(let level) = kind { level } else { nil }
    }
}

/// A single line: white space folded to single spaces, none at the ends.
func folded(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
}

/// Text fit to be stored: no control characters but tab and line feed (U+0000 would end it for
/// libpq), no byte order marks, no soft hyphens (invisible, and they tear words apart for a
/// tokenizer); nothing blank at the ends, nor at the end of a line.
private func cleaned(_ text: String, keepingIndent: Bool) -> String {
    var result = String.UnicodeScalarView()
    var space: [Unicode.Scalar] = []
    var isAtStart = true
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\n", "\u{85}", "\u{2028}", "\u{2029}":
            space.removeAll { $0 != "\n" }
            space.append("\n")
        case "\t", " ", "\u{a0}", "\u{3000}":
            space.append(scalar == "\u{a0}" ? " " : scalar)
        case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{ad}", "\u{feff}":
            continue
        default:
            if isAtStart {
                let indent = space.split(separator: "\n", omittingEmptySubsequences: false).last
                if keepingIndent, let indent { result.append(contentsOf: indent) }
                isAtStart = false
            } else {
                result.append(contentsOf: space)
            }
            space.removeAll(keepingCapacity: true)
            result.append(scalar)
        }
    }
    return String(result)
}

extension BlockList {
    /// Gives the last block another text, already clean.
    mutating func replaceLast(with text: String) {
        blocks[blocks.count - 1].text = text
    }
}
