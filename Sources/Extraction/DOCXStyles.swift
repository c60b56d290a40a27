// What the styles of a Word document mean. Word's own headings carry an outline level; publishers'
// templates often do not, and name them instead: ChapterTitle, HeadA, HeadB. A style means what it
// says itself, else what the style it is based on means.

import Documents

struct DOCXStyles {
    private struct Style {
        var name = ""
        var basedOn: String?
        var outlineLevel: Int?
        var list: DOCXListReference?
    }

    private var styles: [String: Style] = [:]

    /// Reads `word/styles.xml`; without that part there are no styles.
    init(_ part: [UInt8]?) throws(DocumentError) {
        guard let part else { return }
        var id = ""
        var style: Style?
        var found: [String: Style] = [:]
        try Markup.walkXML(part, named: "word/styles.xml") { event in
            switch event {
            case .open("style", let attributes):
                id = attributes["styleId"] ?? ""
                style = attributes["type"] == "paragraph" ? Style() : nil
            case .open("name", let attributes): style?.name = attributes["val"] ?? ""
            case .open("basedOn", let attributes): style?.basedOn = attributes["val"]
            case .open("outlineLvl", let attributes):
                style?.outlineLevel = attributes["val"].flatMap { Int($0) }
            case .open("numId", let attributes):
                let level = style?.list?.level ?? 0
                style?.list = DOCXListReference(id: attributes["val"] ?? "", level: level)
            case .open("ilvl", let attributes):
                let level = attributes["val"].flatMap { Int($0) } ?? 0
                let list = style?.list?.id ?? ""
                style?.list = DOCXListReference(id: list, level: level)
            case .close("style"):
                if let style { found[id] = style }
                style = nil
            default: break
            }
        }
        styles = found
    }

    /// The heading level of a style, 1 outermost; `nil` for what is not a heading.
    func headingLevel(_ id: String?) -> Int? {
        for style in chain(id) {
            if let level = style.outlineLevel { return level <= 8 ? level + 1 : nil }
            if let level = Self.namedLevel(style.name) { return level }
        }
        return nil
    }

    func isTitle(_ id: String?) -> Bool {
        chain(id).first.map { ["title", "chaptertitle"].contains(Self.squeezed($0.name)) } ?? false
    }

    /// Code, whose paragraphs are lines.
    func isCode(_ id: String?) -> Bool {
        chain(id).contains { style in
            let name = Self.squeezed(style.name)
            let isCaption = ["caption", "label", "title", "head", "anno"].contains {
                name.contains($0)
            }
            return !isCaption
                && ["code", "preformatted", "plaintext", "sourcecode", "verbatim"].contains {
                    name.hasPrefix($0) || name == "html" + $0
                }
        }
    }

    func list(_ id: String?) -> DOCXListReference? {
        chain(id).lazy.compactMap(\.list).first { !$0.id.isEmpty }
    }

    /// A style and what it is based on; a circle ends.
    private func chain(_ id: String?) -> [Style] {
        var found: [Style] = []
        var next = id
        while let id = next, let style = styles[id], found.count < 16 {
            found.append(style)
            next = style.basedOn
        }
        return found
    }

    private static func squeezed(_ name: String) -> String {
        name.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    private static func namedLevel(_ name: String) -> Int? {
        let name = squeezed(name)
        if let level = names[name] { return level }
        for prefix in [
            "heading", "head", "h", "\u{fc}berschrift", "titre", "titolo", "t\u{ed}tulo",
        ] {
            guard name.hasPrefix(prefix), name.count == prefix.count + 1, let last = name.last
            else {
                continue
            }
            if let digit = last.wholeNumberValue, (1...9).contains(digit) { return digit }
            // HeadA stands below the chapter's title.
            if prefix == "head", let ascii = last.asciiValue, (97...101).contains(ascii) {
                return Int(ascii) - 97 + 2
            }
        }
        return nil
    }

    private static let names = [
        "title": 1, "chaptertitle": 1, "parttitle": 1, "booktitle": 1, "appendixtitle": 1,
        "frontmattertitle": 1, "backmattertitle": 1, "chapterheading": 1, "sectiontitle": 2,
        "sectionheading": 2, "subsectionheading": 3,
    ]
}

struct DOCXListReference: Hashable {
    var id: String
    var level: Int
}

/// The signs before list items: `• `, `3. `.
struct DOCXLists {
    private var abstract: [String: String] = [:]
    private var formats: [DOCXListReference: String] = [:]
    private var numbers: [DOCXListReference: Int] = [:]

    /// Reads `word/numbering.xml`; without that part there are no lists.
    init(_ part: [UInt8]?) throws(DocumentError) {
        guard let part else { return }
        var list = ""
        var level = 0
        var abstract: [String: String] = [:]
        var formats: [DOCXListReference: String] = [:]
        try Markup.walkXML(part, named: "word/numbering.xml") { event in
            switch event {
            case .open("abstractNum", let attributes):
                list = "abstract " + (attributes["abstractNumId"] ?? "")
            case .open("num", let attributes): list = attributes["numId"] ?? ""
            case .open("lvl", let attributes): level = attributes["ilvl"].flatMap { Int($0) } ?? 0
            case .open("numFmt", let attributes):
                formats[DOCXListReference(id: list, level: level)] = attributes["val"]
            case .open("abstractNumId", let attributes):
                abstract[list] = "abstract " + (attributes["val"] ?? "")
            default: break
            }
        }
        self.abstract = abstract
        self.formats = formats
    }

    /// The sign of the next item of a list, counting it; "" for lists without one.
    mutating func next(_ item: DOCXListReference) -> String {
        let general = DOCXListReference(id: abstract[item.id] ?? "", level: item.level)
        for deeper in numbers.keys where deeper.id == item.id && deeper.level > item.level {
            numbers[deeper] = nil
        }
        switch formats[item] ?? formats[general] {
        case "none", nil: return ""
        case "bullet": return "\u{2022} "
        default:
            numbers[item, default: 0] += 1
            return "\(numbers[item, default: 1]). "
        }
    }
}
