// A web page as blocks: what a reader of the page would read, in the page's order.
//
// Left out: scripts, styles, forms' inner life, whatever is hidden, navigation (`nav`, or a role that
// says so) and the permalink signs that documentation generators put into headings. Kept with their
// line breaks: `pre`. A row of a table is one line, its cells separated by ` | `.

import Documents

enum HTMLReader {
    static func read(_ bytes: [UInt8], into blocks: inout BlockList) throws(DocumentError) {
        let text = try TextEncoding.decode(bytes)
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
            return try read(Array(text.utf8), encoding: "UTF-8", into: &blocks)
        }
        let isUTF8 = String(validating: bytes, as: UTF8.self) != nil
        // What is valid UTF-8 and not plain ASCII is UTF-8, whatever the page says of itself.
        let isASCII = bytes.allSatisfy { $0 < 128 }
        if isUTF8 && !isASCII {
            return try read(bytes, encoding: "UTF-8", into: &blocks)
        }
        let declares = firstIndex(of: "charset", in: bytes.prefix(2_048)) != nil
        if isUTF8 || declares { return try read(bytes, encoding: nil, into: &blocks) }
        try read(Array(text.utf8), encoding: "UTF-8", into: &blocks)
    }

    static func read(
        _ bytes: [UInt8], encoding: String?, into blocks: inout BlockList
    ) throws(DocumentError) {
        blocks.emptyReason = "the page shows no text without its scripts"
        var page = HTMLPage(blocks: blocks)
        try Markup.walkHTML(bytes, encoding: encoding) { event throws(DocumentError) in
            try page.take(event)
        }
        try page.flush()
        blocks = page.blocks
    }
}

/// What has been read of a page, and where in it we are.
private struct HTMLPage {
    var blocks: BlockList
    private var line = InlineText()
    private var kind = Block.Kind.paragraph
    /// How many elements deep inside something left out.
    private var skipped = 0
    private var title: String?
    private var preDepth = 0
    private var lists: [List] = []
    private var marker: String?
    private var row: Row?
    private var tablesOpen = 0
    private var previousWasRow = false
    private var join = Block.Join.paragraph

    private struct List {
        var isOrdered: Bool
        var number: Int
    }

    private struct Row {
        var cells = 0
        var table: Int
    }

    init(blocks: BlockList) {
        self.blocks = blocks
    }

    mutating func take(_ event: MarkupEvent) throws(DocumentError) {
        switch event {
        case .open(let name, let attributes):
            if skipped > 0 || isLeftOut(name, attributes) {
                skipped += 1
            } else {
                try open(name, attributes)
            }
        case .close(let name):
            if skipped > 0 {
                skipped -= 1
            } else {
                try close(name)
            }
        case .text(let text):
            guard skipped == 0 else { return }
            if title != nil {
                title? += text
            } else {
                line.append(text, verbatim: preDepth > 0)
            }
        }
    }

    private mutating func open(
        _ name: String, _ attributes: [String: String]
    ) throws(DocumentError) {
        switch name {
        case "title":
            title = ""
        case "h1", "h2", "h3", "h4", "h5", "h6":
            try endBlock()
            kind = .heading(level: Int(name.dropFirst()) ?? 6)
        case "pre", "listing", "xmp":
            try endBlock()
            preDepth += 1
            kind = .verbatim
        case "br":
            row == nil ? line.breakLine() : line.append(" ", verbatim: false)
        case "ul", "ol", "menu", "dir":
            try endBlock()
            lists.append(List(isOrdered: name == "ol", number: Int(attributes["start"] ?? "") ?? 1))
        case "li":
            try endBlock()
            marker = nextMarker()
        case "dd":
            try endBlock()
            join = .line
        case "table":
            try endRow()
            tablesOpen += 1
            previousWasRow = false
        case "tr":
            try endRow()
            row = Row(table: tablesOpen)
        case "td", "th":
            if row == nil { row = Row(table: tablesOpen) }
            if let cells = row?.cells, cells > 0 { line.append(" | ", verbatim: false) }
            row?.cells += 1
        case "img":
            if let alternative = attributes["alt"], !alternative.isEmpty {
                line.append(" \(alternative) ", verbatim: false)
            }
        case "input":
            if attributes["type"] == "checkbox" {
                line.append(attributes["checked"] == nil ? "[ ] " : "[x] ", verbatim: false)
            }
        default:
            if blockElements.contains(name) { try endBlock() }
        }
    }

    private mutating func close(_ name: String) throws(DocumentError) {
        switch name {
        case "title":
            if blocks.title == nil { blocks.title = title }
            title = nil
        case "h1", "h2", "h3", "h4", "h5", "h6", "li", "dd":
            try endBlock()
            marker = nil
        case "pre", "listing", "xmp":
            try endBlock()
            preDepth = max(0, preDepth - 1)
        case "ul", "ol", "menu", "dir":
            try endBlock()
            if !lists.isEmpty { lists.removeLast() }
        case "tr":
            try endRow()
        case "table":
            try endRow()
            tablesOpen = max(0, tablesOpen - 1)
            previousWasRow = false
        default:
            if blockElements.contains(name) { try endBlock() }
        }
    }

    /// Inside a row a block is only a word border; code and headings end the row.
    private mutating func endBlock() throws(DocumentError) {
        if row != nil, kind == .paragraph {
            line.append(" ", verbatim: false)
        } else {
            try flush()
        }
    }

    private mutating func endRow() throws(DocumentError) {
        guard let ended = row else { return try flush() }
        // Tables that only lay out a page have one cell of prose in a row.
        let isData = ended.cells > 1
        if isData {
            kind = .verbatim
            if previousWasRow { join = .line }
        }
        let before = blocks.blocks.count
        try flush()
        previousWasRow = isData && (blocks.blocks.count > before || previousWasRow)
        row = nil
    }

    mutating func flush() throws(DocumentError) {
        var text = line.take()
        if kind != .verbatim || preDepth == 0 {
            text = text.trimmingSpaces()
            if text.allSatisfy({ $0 == "|" || $0 == " " }) { text = "" }
        }
        if !text.isEmpty {
            var block = Block(kind: kind, text: text, join: join)
            if let marker, kind == .paragraph {
                block.text = marker + text
                if blocks.blocks.last?.text.hasPrefix("\u{2022} ") == true
                    || marker != "\u{2022} " && !marker.hasPrefix("1.")
                {
                    block.join = .line
                }
                self.marker = nil
            }
            try blocks.append(block)
            previousWasRow = false
            join = .paragraph
        }
        kind = preDepth > 0 ? .verbatim : .paragraph
    }

    private mutating func nextMarker() -> String {
        guard let list = lists.last, list.isOrdered else { return "\u{2022} " }
        lists[lists.count - 1].number += 1
        return "\(list.number). "
    }

    private func isLeftOut(_ name: String, _ attributes: [String: String]) -> Bool {
        if leftOut.contains(name) { return true }
        if attributes.isEmpty { return false }
        if attributes["hidden"] != nil || attributes["aria-hidden"] == "true" { return true }
        if attributes["role"] == "navigation" || attributes["role"] == "search" { return true }
        if let style = attributes["style"]?.filter({ $0 != " " }) {
            if style.contains("display:none") || style.contains("visibility:hidden") { return true }
        }
        guard let classes = attributes["class"]?.split(separator: " ") else { return false }
        return classes.contains { permalinks.contains($0) }
    }
}

/// Running text with its white space folded as a browser folds it.
private struct InlineText {
    private var text = ""
    private var endsInSpace = true

    mutating func append(_ more: String, verbatim: Bool) {
        if verbatim {
            text += more
            endsInSpace = false
            return
        }
        for scalar in more.unicodeScalars {
            let isSpace = scalar == " " || scalar == "\n" || scalar == "\t" || scalar == "\r"
            if isSpace {
                if !endsInSpace { text += " " }
            } else {
                text.unicodeScalars.append(scalar)
            }
            endsInSpace = isSpace
        }
    }

    mutating func breakLine() {
        text += "\n"
        endsInSpace = true
    }

    mutating func take() -> String {
        defer { self = InlineText() }
        return text
    }
}

extension String {
    fileprivate func trimmingSpaces() -> String {
        var rest = self[...]
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest.drop(while: \.isWhitespace))
    }
}

private let leftOut: Set<String> = [
    "script", "style", "noscript", "template", "nav", "iframe", "object", "embed", "svg", "canvas",
    "audio", "video", "select", "button", "textarea", "datalist", "annotation", "annotation-xml",
]

/// Classes of the "link to this heading" signs of Sphinx, rustdoc, MkDocs, Jekyll and DocBook, and of
/// Wikipedia's "[edit]".
private let permalinks: Set<Substring> = [
    "headerlink", "anchorjs-link", "permalink", "id_link", "mw-editsection", "noprint",
]

private let blockElements: Set<String> = [
    "address", "article", "aside", "blockquote", "body", "caption", "center", "details", "dialog",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup",
    "hr", "legend", "main", "p", "section", "summary", "tbody", "thead", "tfoot", "html", "head",
]
