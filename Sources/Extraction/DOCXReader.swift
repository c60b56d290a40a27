// A Word document (ECMA-376 Part 1, WordprocessingML): paragraphs with their styles, tables, lists,
// foot- and endnotes. A footnote follows the paragraph that refers to it, so that it stays on its
// page and near what it explains; endnotes close the text.
//
// Pages: Word notes where its last layout broke them (`lastRenderedPageBreak`); if it did, those
// count. Other programs leave only breaks that the author asked for, and then those count. A file
// with neither is one page.

import Documents

enum DOCXReader {
    static func read(_ bytes: [UInt8], into blocks: inout BlockList) throws(DocumentError) {
        let archive = try ZipArchive(bytes)
        let limit = blocks.limits.unpackedBytes
        guard let body = try archive.content(of: "word/document.xml", limit: limit) else {
            throw .damaged("its text is missing")
        }
        let styles = DOCXParts(
            styles: try DOCXStyles(try archive.content(of: "word/styles.xml", limit: limit)),
            footnotes: try notes(archive, "word/footnotes.xml", limit),
            endnotes: try notes(archive, "word/endnotes.xml", limit))
        let lists = try DOCXLists(try archive.content(of: "word/numbering.xml", limit: limit))
        if let core = try archive.content(of: "docProps/core.xml", limit: limit) {
            blocks.title = try title(core)
        }
        var document = DOCXBody(
            blocks: blocks, parts: styles, lists: lists,
            hasRenderedBreaks: firstIndex(of: "lastRenderedPageBreak", in: body[...]) != nil)
        try Markup.walkXML(body, named: "word/document.xml") { event throws(DocumentError) in
            try document.take(event)
        }
        try document.finish()
        blocks = document.blocks
        blocks.emptyReason = "it may hold only pictures"
    }

    /// The text of each note by its id. Word's separators have types, real notes have none.
    private static func notes(
        _ archive: borrowing ZipArchive, _ name: String, _ limit: Int
    ) throws(DocumentError) -> [String: String] {
        guard let part = try archive.content(of: name, limit: limit) else { return [:] }
        var found: [String: String] = [:]
        var id: String?
        var isText = false
        try Markup.walkXML(part, named: name) { event in
            switch event {
            case .open("footnote", let attributes), .open("endnote", let attributes):
                id = attributes["type"] == nil ? attributes["id"] : nil
            case .open("t", _): isText = true
            case .close("t"): isText = false
            case .open("tab", _), .open("br", _), .close("p"):
                if let id { found[id, default: ""] += " " }
            case .text(let text):
                if isText, let id { found[id, default: ""] += text }
            default: break
            }
        }
        return found.mapValues { folded($0) }
    }

    private static func title(_ part: [UInt8]) throws(DocumentError) -> String? {
        var title: String?
        var isTitle = false
        try Markup.walkXML(part, named: "docProps/core.xml") { event in
            switch event {
            case .open("title", _): isTitle = true
            case .close("title"): isTitle = false
            case .text(let text): if isTitle { title = (title ?? "") + text }
            default: break
            }
        }
        return title
    }
}

private struct DOCXParts {
    var styles: DOCXStyles
    var footnotes: [String: String]
    var endnotes: [String: String]
}

private struct DOCXBody {
    var blocks: BlockList
    private let parts: DOCXParts
    private var lists: DOCXLists
    private let hasRenderedBreaks: Bool

    private var page = 1
    private var skipped = 0
    private var isText = false
    private var paragraphs: [Paragraph] = []
    private var tables: [Table] = []
    /// Notes to be written after the paragraph or row that refers to them.
    private var pendingNotes: [String] = []
    private var endnotes: [String] = []
    private var noteCount = 0
    private var last = Previous.other

    private enum Previous: Equatable {
        case other
        case code
        case listItem(DOCXListReference)
        case row
    }

    private struct Paragraph {
        var style: String?
        var outlineLevel: Int?
        var list: DOCXListReference?
        var text = ""
        /// What of it stood on earlier pages.
        var earlier: [(text: String, page: Int)] = []
    }

    private struct Table {
        var cells: [String] = []
        var cell = ""
    }

    init(blocks: BlockList, parts: DOCXParts, lists: DOCXLists, hasRenderedBreaks: Bool) {
        self.blocks = blocks
        self.parts = parts
        self.lists = lists
        self.hasRenderedBreaks = hasRenderedBreaks
    }

    mutating func take(_ event: MarkupEvent) throws(DocumentError) {
        switch event {
        case .open(let name, let attributes):
            // Fallback repeats what Choice says; the rest was deleted, moved away or is no text.
            if skipped > 0 || leftOut.contains(name) {
                skipped += 1
            } else {
                open(name, attributes)
            }
        case .close(let name):
            if skipped > 0 { skipped -= 1 } else { try close(name) }
        case .text(let text):
            if isText, skipped == 0, !paragraphs.isEmpty { write(text) }
        }
    }

    private mutating func open(_ name: String, _ attributes: [String: String]) {
        switch name {
        case "p": paragraphs.append(Paragraph())
        case "pStyle": change { $0.style = attributes["val"] }
        case "outlineLvl": change { $0.outlineLevel = attributes["val"].flatMap { Int($0) } }
        case "ilvl":
            let level = attributes["val"].flatMap { Int($0) } ?? 0
            change { $0.list = DOCXListReference(id: $0.list?.id ?? "", level: level) }
        case "numId":
            change {
                $0.list = DOCXListReference(id: attributes["val"] ?? "", level: $0.list?.level ?? 0)
            }
        case "pageBreakBefore":
            let isOff = ["0", "false", "off"].contains(attributes["val"] ?? "")
            if !hasRenderedBreaks, !isOff { breakPage() }
        case "t": isText = true
        case "tab": if !paragraphs.isEmpty { write("\t") }
        case "noBreakHyphen": write("-")
        case "cr": write("\n")
        case "br":
            if attributes["type"] == "page" {
                if !hasRenderedBreaks { breakPage() }
            } else {
                write("\n")
            }
        case "lastRenderedPageBreak": breakPage()
        case "footnoteReference": note(parts.footnotes[attributes["id"] ?? ""], isEndnote: false)
        case "endnoteReference": note(parts.endnotes[attributes["id"] ?? ""], isEndnote: true)
        case "tbl": tables.append(Table())
        default: break
        }
    }

    private mutating func close(_ name: String) throws(DocumentError) {
        switch name {
        case "t": isText = false
        case "p":
            guard let paragraph = paragraphs.popLast() else { return }
            try end(paragraph)
        case "tc":
            guard !tables.isEmpty else { return }
            let index = tables.count - 1
            tables[index].cells.append(folded(tables[index].cell))
            tables[index].cell = ""
        case "tr":
            guard !tables.isEmpty else { return }
            let row = tables[tables.count - 1].cells
            tables[tables.count - 1].cells = []
            try end(row: row)
        case "tbl":
            _ = tables.popLast()
            if tables.isEmpty { last = .other }
        default: break
        }
    }

    mutating func finish() throws(DocumentError) {
        for note in endnotes {
            try blocks.append(Block(kind: .paragraph, text: note, page: page))
        }
    }

    private mutating func end(_ paragraph: Paragraph) throws(DocumentError) {
        if !tables.isEmpty {
            let whole = paragraph.earlier.map(\.text).joined(separator: " ") + paragraph.text
            tables[tables.count - 1].cell += whole + " "
            return
        }
        let level =
            paragraph.outlineLevel.map { $0 <= 8 ? $0 + 1 : nil }
            ?? parts.styles.headingLevel(paragraph.style)
        let isCode = level == nil && parts.styles.isCode(paragraph.style)
        var pieces = paragraph.earlier + [(paragraph.text, page)]
        pieces.removeAll { piece in !isCode && piece.text.allSatisfy(\.isWhitespace) }
        guard !pieces.isEmpty else { return try writeNotes() }

        var kind = Block.Kind.paragraph
        var state = Previous.other
        var join = Block.Join.paragraph
        if let level {
            kind = .heading(level: level)
            // A heading is one block; it stands where it begins.
            pieces = [(pieces.map(\.text).joined(separator: " "), pieces[0].page)]
        } else if isCode {
            kind = .verbatim
            state = .code
            if last == .code { join = .line }
        } else if let item = item(of: paragraph) {
            pieces[0].text = lists.next(item) + pieces[0].text
            state = .listItem(item)
            if case .listItem(let other) = last, other.id == item.id { join = .line }
        }
        for piece in pieces {
            try blocks.append(Block(kind: kind, text: piece.text, page: piece.page, join: join))
            join = isCode ? .line : .sentence
        }
        last = state
        try writeNotes()
    }

    private func item(of paragraph: Paragraph) -> DOCXListReference? {
        let own = paragraph.list.flatMap { $0.id.isEmpty ? nil : $0 }
        let item = own ?? parts.styles.list(paragraph.style)
        return item?.id == "0" ? nil : item
    }

    private mutating func end(row: [String]) throws(DocumentError) {
        let line = row.joined(separator: " | ")
        if tables.count > 1 {
            // A table inside a cell becomes text of that cell.
            tables[tables.count - 2].cell += line + " "
        } else if row.contains(where: { !$0.isEmpty }) {
            try blocks.append(
                Block(
                    kind: row.count > 1 ? .verbatim : .paragraph, text: line, page: page,
                    join: last == .row ? .line : .paragraph))
            last = .row
            try writeNotes()
        }
    }

    private mutating func writeNotes() throws(DocumentError) {
        for note in pendingNotes {
            try blocks.append(Block(kind: .paragraph, text: note, page: page))
            last = .other
        }
        pendingNotes = []
    }

    private mutating func note(_ text: String?, isEndnote: Bool) {
        guard let text, !text.isEmpty else { return }
        noteCount += 1
        write("[\(noteCount)]")
        if isEndnote {
            endnotes.append("[\(noteCount)] \(text)")
        } else {
            pendingNotes.append("[\(noteCount)] \(text)")
        }
    }

    private mutating func write(_ text: String) {
        change { $0.text += text }
    }

    private mutating func change(_ body: (inout Paragraph) -> Void) {
        guard !paragraphs.isEmpty else { return }
        body(&paragraphs[paragraphs.count - 1])
    }

    private mutating func breakPage() {
        let now = page
        change { paragraph in
            if !paragraph.text.isEmpty { paragraph.earlier.append((paragraph.text, now)) }
            paragraph.text = ""
        }
        page += 1
    }
}

private let leftOut: Set<String> = [
    "Fallback", "del", "moveFrom", "instrText", "pPrChange", "rPrChange", "sectPrChange",
    "tblPrChange", "numberingChange", "fldData", "sectPr", "tabs",
]
