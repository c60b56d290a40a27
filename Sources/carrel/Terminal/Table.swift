// Rows and columns that fit a terminal.

/// A table of text.
///
/// Columns are as wide as their widest cell; when that is too wide for the terminal, the elastic
/// ones give way and end in an ellipsis.
package struct Table {
    package struct Column: Sendable {
        let title: String
        let isNumber: Bool
        let isElastic: Bool

        package static func text(_ title: String) -> Column {
            Column(title: title, isNumber: false, isElastic: false)
        }
        /// Aligned to the right.
        package static func number(_ title: String) -> Column {
            Column(title: title, isNumber: true, isElastic: false)
        }
        package static func elastic(_ title: String) -> Column {
            Column(title: title, isNumber: false, isElastic: true)
        }
    }

    private static let gap = 2
    private static let narrowest = 8

    private let columns: [Column]
    private var rows: [[String]] = []

    package init(_ columns: Column...) { self.columns = columns }

    package mutating func add(_ cells: String...) {
        precondition(
            cells.count == columns.count, "expected \(columns.count) cells, got \(cells.count)")
        rows.append(cells.map { $0.replacing(/\s+/, with: " ") })
    }

    package var isEmpty: Bool { rows.isEmpty }

    /// The title line and the rows, none longer than `width` as long as the stiff columns allow it.
    package func lines(width: Int) -> [String] {
        let widths = fitted(to: width)
        return ([columns.map(\.title)] + rows).map { row in
            let cells = row.indices.map { pad(row[$0], columns[$0], to: widths[$0]) }
            return cells.joined(separator: String(repeating: " ", count: Self.gap)).trimmedRight
        }
    }

    private func fitted(to width: Int) -> [Int] {
        var widths = columns.indices.map { column in
            ([columns[column].title] + rows.map { $0[column] }).map(\.count).max() ?? 0
        }
        var excess = widths.reduce(0, +) + Self.gap * (columns.count - 1) - width
        // The widest elastic column gives first, so that short ones stay readable.
        while excess > 0,
            let widest = columns.indices.filter({ columns[$0].isElastic })
                .max(by: { widths[$0] < widths[$1] }), widths[widest] > Self.narrowest
        {
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }

    private func pad(_ cell: String, _ column: Column, to width: Int) -> String {
        let shown = cell.cut(to: width)
        let space = String(repeating: " ", count: width - shown.count)
        return column.isNumber ? space + shown : shown + space
    }
}

extension String {
    /// The text, or as much of it as fits before an ellipsis.
    package func cut(to width: Int) -> String {
        count <= width ? self : String(prefix(max(width - 1, 0))) + "…"
    }

    fileprivate var trimmedRight: String {
        String(reversed().drop(while: \.isWhitespace).reversed())
    }
}

extension Table {
    /// Prints the table, or a line saying that there is nothing.
    func print(orWhenEmpty nothing: String = "") {
        if isEmpty {
            if !nothing.isEmpty { Terminal.say(nothing) }
        } else {
            lines(width: Terminal.width).forEach(Terminal.say)
        }
    }
}
