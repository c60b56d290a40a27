// Plain text has no marks, only habits: form feeds between pages, empty lines between paragraphs,
// headings that are underlined, numbered, or say "CHAPTER". A heading must stand alone between empty
// lines, so a table of contents and a numbered list are not taken for headings.

import Documents

enum TextReader {
    static func read(_ text: String, into blocks: inout BlockList) throws(DocumentError) {
        var page = 1
        var blankLines = 2
        var paragraph: [Substring] = []
        var found: [Paragraph] = []

        func close() {
            if !paragraph.isEmpty {
                found.append(Paragraph(lines: paragraph, page: page, blankLinesBefore: blankLines))
                paragraph = []
                blankLines = 0
            }
        }
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: isLineBreak) {
            var pieces = line.split(separator: "\u{c}", omittingEmptySubsequences: false)[...]
            while let piece = pieces.popFirst() {
                if piece.allSatisfy(\.isWhitespace) {
                    close()
                    if pieces.isEmpty { blankLines += 1 }
                } else {
                    paragraph.append(piece)
                }
                if !pieces.isEmpty {
                    close()
                    page += 1
                    blankLines = 2
                }
            }
        }
        close()
        blocks.pageCount = page
        for (index, paragraph) in found.enumerated() {
            let neighbours = (
                before: index > 0 ? found[index - 1] : nil,
                after: index + 1 < found.count ? found[index + 1] : nil
            )
            try append(paragraph, between: neighbours, into: &blocks)
        }
    }

    private static func isLineBreak(_ c: Character) -> Bool {
        c == "\n" || c == "\r\n" || c == "\r" || c == "\u{85}" || c == "\u{2028}" || c == "\u{2029}"
    }

    private static func append(
        _ paragraph: Paragraph, between neighbours: (before: Paragraph?, after: Paragraph?),
        into blocks: inout BlockList
    ) throws(DocumentError) {
        if let (text, level) = paragraph.heading(between: neighbours) {
            return try blocks.append(
                Block(kind: .heading(level: level), text: text, page: paragraph.page))
        }
        try blocks.append(
            Block(
                kind: paragraph.isVerbatim ? .verbatim : .paragraph,
                text: paragraph.lines.joined(separator: "\n"), page: paragraph.page,
                opensSection: paragraph.blankLinesBefore > 1))
    }
}

/// Lines with no empty line between them.
private struct Paragraph {
    var lines: [Substring]
    var page: Int
    var blankLinesBefore: Int

    /// Indented throughout, or columns held apart by spaces or tabs in most lines.
    var isVerbatim: Bool {
        if lines.count == 1 { return lines[0].hasPrefix("    ") || lines[0].hasPrefix("\t") }
        if lines.allSatisfy({ $0.hasPrefix("    ") || $0.hasPrefix("\t") }) { return true }
        let columns = lines.count {
            let line = $0.drop(while: \.isWhitespace)
            return line.contains("\t") || line.firstRange(ofSpaces: 3)
        }
        return columns * 2 > lines.count
    }

    /// The heading this paragraph is, if it is one, and its level.
    func heading(
        between neighbours: (before: Paragraph?, after: Paragraph?)
    ) -> (text: String, level: Int)? {
        let text = folded(String(lines[0]))
        guard text.count <= 120, text.contains(where: \.isLetter) else { return nil }
        if lines.count == 2, let level = underlineLevel(lines[1]) { return (text, level) }
        guard lines.count == 1, !isVerbatim || text.count <= 60 else { return nil }
        if let level = Numbering.namedLevel(text) { return (text, level) }
        guard neighbours.after != nil, text.count <= 80, let last = text.last,
            !".,;:!?*|".contains(last)
        else {
            return nil
        }
        if let depth = Numbering.depth(text) {
            // Items of a list follow one another; a heading is followed by something else.
            let isListed =
                neighbours.before?.numberedDepth == depth
                || neighbours.after?.numberedDepth == depth
            return isListed ? nil : (text, depth)
        }
        let letters = text.filter(\.isLetter)
        if letters.count >= 4, letters.allSatisfy(\.isUppercase), text.first?.isLetter == true {
            return (text, 1)
        }
        return nil
    }

    private var numberedDepth: Int? {
        lines.count == 1 ? Numbering.depth(folded(String(lines[0]))) : nil
    }

    private func underlineLevel(_ line: Substring) -> Int? {
        let marks = line.filter { !$0.isWhitespace }
        guard marks.count >= 3, let first = marks.first, marks.allSatisfy({ $0 == first }) else {
            return nil
        }
        switch first {
        case "=", "#": return 1
        case "-", "*": return 2
        case "~", "^", "\"": return 3
        default: return nil
        }
    }
}

extension Substring {
    fileprivate func firstRange(ofSpaces count: Int) -> Bool {
        var run = 0
        for byte in utf8 {
            run = byte == 32 ? run + 1 : 0
            if run == count { return true }
        }
        return false
    }
}
