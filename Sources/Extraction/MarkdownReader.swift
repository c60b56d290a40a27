// Markdown is read as the HTML it means. One reader then decides for both what a heading, a list, a
// table or code looks like as plain text, and a `#` inside a code fence can't be taken for a heading
// because cmark has already said that it is code.

import Documents

enum MarkdownReader {
    static func read(_ text: String, into blocks: inout BlockList) throws(DocumentError) {
        let (body, title) = withoutFrontMatter(text)
        blocks.title = title
        let page = Array("<html><body>".utf8) + CommonMark.html(body) + Array("</body></html>".utf8)
        try HTMLReader.read(page, encoding: "UTF-8", into: &blocks)
    }

    /// Whether a text bears at least two different marks that plain text has no use for.
    ///
    /// Lines that begin with `#` alone do not make Markdown: scripts and configuration have them.
    static func looksLikeMarkdown(_ text: String) -> Bool {
        var headings = 0
        var fences = 0
        var links = 0
        var tables = 0
        var emphasis = 0
        var isFenced = false
        for line in text.prefix(1 << 18).split(whereSeparator: \.isNewline) {
            if line.hasPrefix("```") || line.hasPrefix("~~~") {
                fences += 1
                isFenced.toggle()
            }
            if isFenced { continue }
            let rest = line.drop { $0 == "#" }
            let depth = line.count - rest.count
            if (1...6).contains(depth), rest.hasPrefix(" ") { headings += 1 }
            if line.contains("](") { links += 1 }
            if line.contains("**") || line.contains("`") { emphasis += 1 }
            if line.contains("|--") || line.contains("| --") || line.contains("|:-") { tables += 1 }
        }
        let kinds = [headings >= 2, fences >= 2, links >= 1, tables >= 1, emphasis >= 3]
        return kinds.count { $0 } >= 2
    }

    /// Drops the `---` block that site generators put first; its `title` is the document's.
    private static func withoutFrontMatter(_ text: String) -> (body: String, title: String?) {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard lines.first == "---",
            let end = lines.dropFirst().prefix(100).firstIndex(where: { $0 == "---" || $0 == "..." }
            ),
            lines[1..<end].contains(where: { $0.contains(":") })
        else { return (text, nil) }
        let title = lines[1..<end].first { $0.hasPrefix("title:") }.map {
            $0.dropFirst("title:".count).drop { $0 == " " }.filter { $0 != "\"" }
        }
        return (lines[(end + 1)...].joined(separator: "\n"), title)
    }
}
