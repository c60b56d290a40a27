// Page numbers and running heads. They interrupt sentences and would be found instead of what they
// announce; what they say stands in the text or is the page number, which is kept as a number.

enum PDFRunningHeads {
    /// The lines without those that stand outermost on their page and say the same, digits aside,
    /// at the same height on at least two other pages nearby; one is enough for a bare number.
    static func removed(from lines: [PDFLine], pageCount: Int) -> [PDFLine] {
        guard pageCount >= 3 else { return lines }
        var pagesByKey: [Key: [Int]] = [:]
        var candidates: [Int: Key] = [:]
        for (page, indices) in outermost(lines) {
            for index in indices {
                let key = Key(lines[index])
                candidates[index] = key
                pagesByKey[key, default: []].append(page)
            }
        }
        let pages = pagesByKey.mapValues { Set($0) }
        return lines.indices.filter { index in
            guard let key = candidates[index], let pages = pages[key] else { return true }
            // Left and right pages may have heads of their own, so look two pages away.
            let page = lines[index].page
            let near = (page - 4...page + 4).count { pages.contains($0) }
            return near < (key.text == "#" ? 2 : 3)
        }.map { lines[$0] }
    }

    private struct Key: Hashable {
        let text: String
        let height: Int

        init(_ line: PDFLine) {
            text = line.text.map { $0.isNumber ? "#" : String($0) }.joined()
                .split(separator: "#").joined(separator: "#")
            height = Int((line.top / 6).rounded())
        }
    }

    /// The two highest and two lowest lines of each page that stand in its outer eighths.
    private static func outermost(_ lines: [PDFLine]) -> [Int: [Int]] {
        Dictionary(grouping: lines.indices) { lines[$0].page }.mapValues { indices in
            let sorted = indices.sorted { lines[$0].top < lines[$1].top }
            let top = sorted.prefix(3).filter { lines[$0].top < lines[$0].pageHeight / 8 }
            let bottom = sorted.suffix(3).filter {
                lines[$0].bottom > lines[$0].pageHeight * 7 / 8
            }
            return Array(Set(top + bottom))
        }
    }
}
