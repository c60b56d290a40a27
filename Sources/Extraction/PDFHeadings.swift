// Which lines of a PDF are headings, and how deep.
//
// Where the file has an outline, the lines it names are headings at the depth it gives, and lines
// that look the same are too. Elsewhere looks decide: larger than the text, or bold where the text
// is not, standing apart, and short. The level is the number's depth ("3.1.2") where headings of that
// look are numbered, and otherwise the rank of their size.

struct PDFHeadings {
    struct Heading {
        /// Index past its last line.
        var end: Int
        var level: Int
    }

    /// Headings by the index of their first line.
    private(set) var starting: [Int: Heading] = [:]

    private struct Look: Hashable {
        var size: Double
        var isBold: Bool
    }

    init(lines: [PDFLine], outline: [(title: String, depth: Int)]) {
        guard let text = Self.commonLook(lines) else { return }
        let named = Self.outlineMatches(lines, outline)
        var runs: [(range: Range<Int>, look: Look)] = []
        var index = 0
        while index < lines.count {
            if let found = named[index] {
                runs.append((index..<found.end, Self.look(lines[index])))
                index = found.end
                continue
            }
            var end = index
            while end < lines.count, named[end] == nil, Self.stands(out: lines[end], from: text),
                end == index || Self.goesOn(lines[end - 1], lines[end])
            {
                end += 1
            }
            let before = index > 0 ? lines[index - 1] : nil
            if end > index, Self.isHeading(lines[index..<end], after: before, text) {
                runs.append((index..<end, Self.look(lines[index])))
            }
            index = max(end, index + 1)
        }
        let levels = Self.levels(of: runs, lines, named)
        for run in runs {
            let first = lines[run.range.lowerBound].text
            let level =
                named[run.range.lowerBound]?.depth ?? Numbering.depth(first) ?? levels[run.look]
                ?? 1
            starting[run.range.lowerBound] = Heading(end: run.range.upperBound, level: level)
        }
    }

    private static func look(_ line: PDFLine) -> Look {
        Look(size: line.size, isBold: line.isBold)
    }

    /// The look most characters have.
    private static func commonLook(_ lines: [PDFLine]) -> Look? {
        var counts: [Look: Int] = [:]
        for line in lines where !line.isMonospaced {
            counts[look(line), default: 0] += line.text.utf8.count
        }
        return counts.max { ($0.value, $0.key.size) < ($1.value, $1.key.size) }?.key
    }

    private static func stands(out line: PDFLine, from text: Look) -> Bool {
        guard !line.isMonospaced, !line.isTabular else { return false }
        if line.size >= 1.12 * text.size { return true }
        return line.isBold && !text.isBold && line.size >= 0.95 * text.size
    }

    private static func goesOn(_ line: PDFLine, _ next: PDFLine) -> Bool {
        next.page == line.page && look(next) == look(line) && next.top > line.top - 1
            && next.top - line.bottom < 0.8 * line.size
            && Numbering.depth(next.text) == nil && Numbering.namedLevel(next.text) == nil
    }

    private static func isHeading(
        _ run: ArraySlice<PDFLine>, after before: PDFLine?, _ body: Look
    ) -> Bool {
        guard let first = run.first, run.count <= 4 else { return false }
        let text = run.map(\.text).joined(separator: " ")
        guard text.count <= 200, !isTableOfContentsLine(text), reads(text) else { return false }
        let isLarger = first.size >= 1.12 * body.size
        if let last = text.last, ".,;".contains(last), !(isLarger && text.count < 80) {
            return false
        }
        if first.beginsListItem && !isLarger && Numbering.depth(text) == nil { return false }
        guard let before, before.page == first.page, before.overlapsColumn(of: first) else {
            return true
        }
        // Part of a paragraph, or of a line that was cut in two, if nothing keeps it apart.
        return isLarger ? first.top > before.top : first.top - before.bottom > 0.25 * first.size
    }

    /// Words rather than a formula, a number or a single sign.
    private static func reads(_ text: String) -> Bool {
        let letters = text.count { $0.isLetter }
        let signs = text.count { !$0.isLetter && !$0.isWhitespace && !$0.isNumber }
        return letters >= 3 && signs * 2 <= letters
            && text.split(separator: " ").contains { $0.count { $0.isLetter } >= 3 }
    }

    private static func isTableOfContentsLine(_ text: String) -> Bool {
        text.contains(". . .") || text.contains("....")
    }

    /// Lines that say what the outline's entries say, found in the outline's order.
    private static func outlineMatches(
        _ lines: [PDFLine], _ outline: [(title: String, depth: Int)]
    ) -> [Int: (end: Int, depth: Int)] {
        guard !outline.isEmpty else { return [:] }
        let keys = lines.map { key($0.text) }
        var places: [String: [Int]] = [:]
        for (index, key) in keys.enumerated() where !key.isEmpty {
            places[key, default: []].append(index)
            // A title may take two lines.
            if index + 1 < keys.count, lines[index + 1].page == lines[index].page {
                places[key + keys[index + 1], default: []].append(index)
            }
        }
        let text = commonLook(lines)
        var found: [Int: (end: Int, depth: Int)] = [:]
        var position = -1
        for entry in outline {
            let wanted = key(entry.title)
            // Not the entry of the table of contents, which looks like the text or ends in a number.
            let place = places[wanted]?.first { index in
                index > position && text.map { stands(out: lines[index], from: $0) } ?? true
            }
            guard let place else { continue }
            found[place] = (keys[place] == wanted ? place + 1 : place + 2, entry.depth)
            position = place
        }
        return found
    }

    /// Letters only, lower case: numbering, spacing and hyphens differ between outline and page.
    private static func key(_ text: String) -> String {
        text.lowercased().filter(\.isLetter)
    }

    private static func levels(
        of runs: [(range: Range<Int>, look: Look)], _ lines: [PDFLine],
        _ named: [Int: (end: Int, depth: Int)]
    ) -> [Look: Int] {
        var known: [Look: [Int: Int]] = [:]
        for run in runs {
            let first = run.range.lowerBound
            if let depth = named[first]?.depth ?? Numbering.depth(lines[first].text) {
                known[run.look, default: [:]][depth, default: 0] += 1
            }
        }
        let looks = Set(runs.map(\.look)).sorted {
            ($0.size, $0.isBold ? 1 : 0) > ($1.size, $1.isBold ? 1 : 0)
        }
        var levels: [Look: Int] = [:]
        var level = 0
        for look in looks {
            let common = known[look]?.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key
            level = common ?? min(level + 1, 6)
            levels[look] = level
        }
        return levels
    }
}
