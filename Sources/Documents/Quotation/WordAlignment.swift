// The fewest words to change so that a quotation stands in a text: edit distance with free ends
// (Sellers, J. Algorithms 1, 1980), words for letters.

/// What became of a run of words.
package struct Change: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case same, removed, added
    }

    package let kind: Kind
    package fileprivate(set) var text: String

    package init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }
}

struct WordAlignment {
    /// The words of the text that the quotation became; nil when all of it was removed.
    let range: Range<Int>?
    let changes: [Change]

    /// - Complexity: O(quotation × text) time and memory, two bytes a cell.
    init(_ quotation: [String], in text: [String]) {
        let width = text.count + 1
        var cost = [UInt16](repeating: 0, count: (quotation.count + 1) * width)
        for row in 1..<quotation.count + 1 {
            cost[row * width] = UInt16(row)
            for column in 1..<width {
                let above = (row - 1) * width + column
                let differs: UInt16 = quotation[row - 1] == text[column - 1] ? 0 : 1
                cost[row * width + column] = min(
                    cost[above - 1] + differs, cost[above] + 1, cost[row * width + column - 1] + 1)
            }
        }
        // The last of the cheapest ends: a word replaced rather than removed.
        let bottom = cost[(quotation.count * width)...]
        let cheapest = bottom.min() ?? 0
        var column = (bottom.lastIndex(of: cheapest) ?? bottom.startIndex) - bottom.startIndex
        var row = quotation.count
        let end = column
        var changes: [Change] = []
        while row > 0 {
            let here = cost[row * width + column]
            let above = (row - 1) * width + column
            let differs: UInt16 =
                column > 0 && quotation[row - 1] == text[column - 1] ? 0 : 1
            if column > 0, here == cost[above - 1] + differs {
                if differs == 1 {
                    changes.append(Change(.added, text[column - 1]))
                    changes.append(Change(.removed, quotation[row - 1]))
                } else {
                    changes.append(Change(.same, quotation[row - 1]))
                }
                row -= 1
                column -= 1
            } else if here == cost[above] + 1 {
                changes.append(Change(.removed, quotation[row - 1]))
                row -= 1
            } else {
                changes.append(Change(.added, text[column - 1]))
                column -= 1
            }
        }
        range = column < end ? column..<end : nil
        self.changes = Self.runs(changes.reversed())
    }

    /// Words of one kind side by side are one change; what was removed stands before what was added.
    private static func runs(_ words: [Change]) -> [Change] {
        var runs: [Change] = []
        var added: [String] = []
        func flushed(_ runs: [Change], _ added: [String]) -> [Change] {
            added.isEmpty ? runs : runs + [Change(.added, added.joined(separator: " "))]
        }
        for word in words {
            if word.kind == .added {
                added.append(word.text)
                continue
            }
            if word.kind == .same {
                runs = flushed(runs, added)
                added = []
            }
            if runs.last?.kind == word.kind {
                runs[runs.count - 1].text += " " + word.text
            } else {
                runs.append(word)
            }
        }
        return flushed(runs, added)
    }
}
