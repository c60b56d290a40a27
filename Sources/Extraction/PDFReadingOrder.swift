// The order in which a page is read: columns one after the other, tables row by row.
//
// Poppler's own order was measured first. It read the right column of `multicolumn.pdf` before the
// left one, and tables column by column, so that a row's values were nowhere near each other. This is
// the recursive cut of Nagy and Seth (1984) with one question asked before each vertical cut: are
// both sides filled with lines of text? If not, the gap belongs to a table, and rows win.

/// Words that stand side by side with nothing wider than a space between them.
struct PDFSegment {
    var words: [PDFWord]
    var left: Double
    var right: Double
    var top: Double
    var bottom: Double

    init(_ word: PDFWord) {
        words = [word]
        left = word.left
        right = word.right
        top = word.top
        bottom = word.bottom
    }

    mutating func append(_ word: PDFWord) {
        words.append(word)
        right = max(right, word.right)
        top = min(top, word.top)
        bottom = max(bottom, word.bottom)
    }

    /// Further right at the same height; exponents and footnote signs overlap by a part only.
    func isFollowed(by word: PDFWord) -> Bool {
        guard let last = words.last else { return false }
        let overlap = min(word.bottom, last.bottom) - max(word.top, last.top)
        let height = min(word.bottom - word.top, last.bottom - last.top)
        let gap = word.left - last.right
        let size = max(word.size, last.size)
        return overlap > 0.3 * height && gap > -0.5 * size && gap < 1.6 * size
    }
}

enum PDFReadingOrder {
    /// The rows of a page from its words; each row is one line of a column, or one of a table with
    /// its cells apart.
    static func rows(of words: [PDFWord]) -> [[PDFSegment]] {
        var segments: [PDFSegment] = []
        for word in words {
            if let last = segments.last, last.isFollowed(by: word) {
                segments[segments.count - 1].append(word)
            } else {
                segments.append(PDFSegment(word))
            }
        }
        return ordered(segments, depth: 0)
    }

    private static func ordered(_ segments: [PDFSegment], depth: Int) -> [[PDFSegment]] {
        guard depth < 4, let gutter = gutter(of: segments) else { return rows(of: segments) }
        // What crosses the gutter (a title, a wide figure's caption) parts the page into bands.
        var left: [PDFSegment] = []
        var right: [PDFSegment] = []
        var found: [[PDFSegment]] = []
        func close() {
            found += ordered(left, depth: depth + 1) + ordered(right, depth: depth + 1)
            (left, right) = ([], [])
        }
        for row in rows(of: segments) {
            if row.contains(where: { $0.left < gutter && $0.right > gutter }) {
                close()
                found.append(row)
            } else {
                left += row.filter { $0.right <= gutter }
                right += row.filter { $0.left >= gutter }
            }
        }
        close()
        return found
    }

    /// Where to cut between two columns of text; `nil` when there are none.
    private static func gutter(of segments: [PDFSegment]) -> Double? {
        guard segments.count >= 20, let start = segments.map(\.left).min(),
            let end = segments.map(\.right).max(), end - start > 100
        else { return nil }
        // How many segments cover each point of the width; the gutter is where fewest do.
        let width = Int(end - start) + 2
        var changes = [Int](repeating: 0, count: width + 1)
        for segment in segments {
            changes[Int(segment.left - start)] += 1
            changes[Int((segment.right - start).rounded(.up))] -= 1
        }
        var covers: [Int] = []
        var cover = 0
        for change in changes {
            cover += change
            covers.append(cover)
        }
        let middle = width / 5..<width * 4 / 5
        guard let fewest = middle.map({ covers[$0] }).min() else { return nil }
        var best = 0..<0
        var run: Int?
        for x in middle.lowerBound...middle.upperBound {
            if x < middle.upperBound, covers[x] == fewest {
                run = run ?? x
            } else if let begin = run {
                if x - begin > best.count { best = begin..<x }
                run = nil
            }
        }
        let gutter = start + Double(best.lowerBound + best.upperBound) / 2
        let left = segments.filter { $0.right <= gutter }
        let right = segments.filter { $0.left >= gutter }
        let widths = (gutter - start, end - gutter)
        let isBalanced = min(widths.0, widths.1) > 0.4 * max(widths.0, widths.1)
        let crossing = segments.count - left.count - right.count
        guard isBalanced, min(left.count, right.count) >= 6, crossing * 3 < segments.count,
            isFilled(left, widths.0), isFilled(right, widths.1)
        else { return nil }
        return gutter
    }

    /// Whether most lines reach across their side, as text does and cells do not.
    private static func isFilled(_ side: [PDFSegment], _ width: Double) -> Bool {
        let widths = side.map { $0.right - $0.left }.sorted()
        return widths[widths.count / 2] > 0.42 * width
    }

    /// Segments at the same height together, from the left; rows from the top.
    private static func rows(of segments: [PDFSegment]) -> [[PDFSegment]] {
        var rows: [[PDFSegment]] = []
        // The lowest segment of a row says what is at its height, so that a drop capital does not
        // pull three lines into one.
        var reference: PDFSegment?
        for segment in segments.sorted(by: { ($0.top, $0.left) < ($1.top, $1.left) }) {
            if let current = reference {
                let overlap = min(segment.bottom, current.bottom) - max(segment.top, current.top)
                let height = segment.bottom - segment.top
                let currentHeight = current.bottom - current.top
                if overlap > 0.5 * min(height, currentHeight) {
                    rows[rows.count - 1].append(segment)
                    if height < currentHeight { reference = segment }
                    continue
                }
            }
            rows.append([segment])
            reference = segment
        }
        return rows.map { $0.sorted { $0.left < $1.left } }
    }
}
