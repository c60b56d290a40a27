// One line of text on a page, with what its looks say about it.

struct PDFLine {
    let text: String
    let page: Int
    let pageHeight: Double
    let left: Double
    let top: Double
    let right: Double
    let bottom: Double
    /// The size most of its letters have, to half a point.
    let size: Double
    let isBold: Bool
    let isMonospaced: Bool

    /// Cells of a table side by side.
    let isTabular: Bool

    /// The lines of a page, in the order in which they are read.
    static func lines(of page: PDFPage, number: Int) -> [PDFLine] {
        PDFReadingOrder.rows(of: page.words).compactMap {
            PDFLine($0, page: number, pageHeight: page.height)
        }
    }

    private init?(_ row: [PDFSegment], page: Int, pageHeight: Double) {
        let words = row.flatMap(\.words)
        guard let first = words.first else { return nil }
        var text = ""
        var cells = 1
        var sizes: [Double: Int] = [:]
        var bold = 0
        var monospaced = 0
        var total = 0
        for (index, word) in words.enumerated() {
            text += withoutLigatures(word.text)
            if index + 1 < words.count {
                let gap = words[index + 1].left - word.right
                // A number and the heading or item it belongs to stand apart without being cells.
                if gap > 1.6 * word.size, text.contains(where: \.isLetter) {
                    text += "\t"
                    cells += 1
                } else if word.spaceAfter || gap > 0.12 * word.size {
                    text += " "
                }
            }
            let count = word.text.unicodeScalars.count
            sizes[(word.size * 2).rounded() / 2, default: 0] += count
            if isBoldName(word.font) { bold += count }
            if isMonospacedName(word.font) { monospaced += count }
            total += count
        }
        self.text = text
        self.page = page
        self.pageHeight = pageHeight
        left = first.left
        top = words.map(\.top).min() ?? first.top
        right = words.map(\.right).max() ?? first.right
        bottom = words.map(\.bottom).max() ?? first.bottom
        size = sizes.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? first.size
        isBold = bold * 5 >= total * 4
        isMonospaced = monospaced * 5 >= total * 4
        isTabular = cells > 1
    }

    func overlapsColumn(of other: PDFLine) -> Bool {
        min(right, other.right) > max(left, other.left)
    }

    var endsSentence: Bool {
        text.last.map { ".!?:\u{201d}\u{2019}\"".contains($0) } ?? true
    }

    var beginsListItem: Bool {
        guard let first = text.first else { return false }
        if "\u{2022}\u{25e6}\u{25aa}\u{2023}\u{25cf}\u{25cb}\u{f0b7}".contains(first) {
            return true
        }
        guard let space = text.firstIndex(of: " ") else { return false }
        let marker = text[..<space]
        if marker == "-" || marker == "\u{2013}" || marker == "*" { return true }
        guard marker.count <= 4, let last = marker.last, last == ")" || last == "." else {
            return false
        }
        let core = marker.dropLast().drop { $0 == "(" }
        return !core.isEmpty
            && (core.allSatisfy(\.isASCIIDigit)
                || (core.count == 1 && core.first?.isLetter == true))
    }
}

private func isBoldName(_ font: String) -> Bool {
    let name = font.lowercased()
    return [
        "bold", "black", "heavy", "-demi", "semibd", "cmbx", "sfbx", "ecbx", "nimbusromno9l-medi",
    ]
    .contains { name.contains($0) }
}

private func isMonospacedName(_ font: String) -> Bool {
    let name = font.lowercased()
    return [
        "mono", "courier", "consol", "typewriter", "cmtt", "sftt", "ectt", "nimbusmon", "menlo",
    ]
    .contains { name.contains($0) }
}

/// U+FB00 to U+FB06 are how a font draws letters, not letters; nobody searches for them.
private func withoutLigatures(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { (0xfb00...0xfb06).contains($0.value) }) else {
        return text
    }
    let letters = ["ff", "fi", "fl", "ffi", "ffl", "st", "st"]
    return text.unicodeScalars.reduce(into: "") { result, scalar in
        if (0xfb00...0xfb06).contains(scalar.value) {
            result += letters[Int(scalar.value) - 0xfb00]
        } else {
            result.unicodeScalars.append(scalar)
        }
    }
}
