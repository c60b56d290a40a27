// The chunks of one type in one segment: vectors, and beside them what a hit says, by row.

package import Foundation
import Lexical
package import Vectors

/// Chunks that are searched together, and which of them are still there.
///
/// A value of references: a later snapshot shares block and columns, and differs in what is live.
package struct RowTable: Sendable {
    /// Row i is the chunk of row i of the columns. A chunk without a vector has zeros here.
    package let block: SessionBlock
    package let columns: RowColumns
    /// Rows not deleted since; nil when all are there.
    package private(set) var live: RowSet?

    package init(block: SessionBlock, columns: RowColumns, live: RowSet? = nil) {
        precondition(block.count == columns.count, "\(block.count) rows, \(columns.count) entries")
        self.block = block
        self.columns = columns
        self.live = live
    }

    package var count: Int { columns.count }
    package var liveCount: Int { live?.count ?? count }

    /// Memory held, text included; what lies in mapped files is not held.
    package var byteCount: Int { block.byteCount + columns.byteCount + (count + 7) / 8 }

    package func isLive(_ row: Int) -> Bool { live?.contains(row) ?? true }

    /// The row of a chunk that is still there.
    package func row(of chunk: UUID) -> Int? {
        columns.row(of: chunk).flatMap { isLive($0) ? $0 : nil }
    }

    /// The same without these rows.
    package func removing(_ rows: some Sequence<Int>) -> RowTable {
        var left = live ?? RowSet(universe: count, all: true)
        for row in rows { left.remove(row) }
        guard left.count < liveCount else { return self }
        return RowTable(block: block, columns: columns, live: left)
    }

    /// The same rows with another block over them: the one with codes.
    package func replacing(_ block: SessionBlock) -> RowTable {
        RowTable(block: block, columns: columns, live: live)
    }
}

/// What is known of each row besides its vector, one array a column.
///
/// Written once, by `TableBuilder`. 84 bytes a row and the text.
package final class RowColumns: Sendable {
    package let ids: [UUID]
    /// Places in the segment's `documents` and `sections`.
    package let documents: [UInt32]
    package let sections: [UInt32]
    /// Parents by id; empty in a table of parents.
    package let parentIDs: [UUID]
    /// The same as rows of the segment's table of parents, `noRow` where it is another segment's.
    package let parentRows: [UInt32]
    package let firstPages: [Int32]
    package let lastPages: [Int32]
    /// Unicode scalar offsets in the document's text, half open.
    package let starts: [Int32]
    package let ends: [Int32]
    package let tokens: [Int32]
    /// Microseconds from 2000, as PostgreSQL keeps them.
    package let created: [Int64]
    /// Ascending rows by topic.
    package let topics: [UUID: [UInt32]]
    /// Rows that have a vector; nil when all have.
    package let embedded: RowSet?

    /// The texts one after another in UTF-8; row i's is `text[textStarts[i]..<textStarts[i + 1]]`.
    let text: ColumnText
    let textStarts: [Int]
    /// Rows in the order of their ids.
    private let order: [UInt32]
    /// What stands in the texts, indexed when first asked for.
    package let words = TableWords()

    package static let noRow = UInt32.max

    init(
        ids: [UUID], documents: [UInt32], sections: [UInt32], parentIDs: [UUID],
        parentRows: [UInt32], firstPages: [Int32], lastPages: [Int32], starts: [Int32],
        ends: [Int32], tokens: [Int32], created: [Int64], topics: [UUID: [UInt32]],
        embedded: RowSet?, text: ColumnText, textStarts: [Int]
    ) {
        precondition(textStarts.count == ids.count + 1, "\(textStarts.count) texts")
        self.ids = ids
        self.documents = documents
        self.sections = sections
        self.parentIDs = parentIDs
        self.parentRows = parentRows
        self.firstPages = firstPages
        self.lastPages = lastPages
        self.starts = starts
        self.ends = ends
        self.tokens = tokens
        self.created = created
        self.topics = topics
        self.embedded = embedded
        self.text = text
        self.textStarts = textStarts
        order = ids.enumerated().map { (id: $1.words, row: UInt32($0)) }.sorted { $0.id < $1.id }
            .map(\.row)
    }

    package var count: Int { ids.count }

    /// Memory held, text included unless it is mapped.
    package var byteCount: Int {
        let perRow = 16 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 8 + 8 + 4
        return count * perRow + parentIDs.count * 16 + parentRows.count * 4 + text.byteCount
            + topics.values.reduce(0) { $0 + 64 + $1.count * 4 } + (embedded == nil ? 0 : count / 8)
            + words.byteCount
    }

    /// - Complexity: O(log n).
    package func row(of chunk: UUID) -> Int? {
        var (low, high) = (0, order.count)
        while low < high {
            let middle = (low + high) / 2
            if ids[Int(order[middle])].isBefore(chunk) { low = middle + 1 } else { high = middle }
        }
        guard low < order.count, ids[Int(order[low])] == chunk else { return nil }
        return Int(order[low])
    }

    /// How many bytes of UTF-8 the text has.
    package func textByteCount(_ row: Int) -> Int { textStarts[row + 1] - textStarts[row] }

    package func text(_ row: Int) -> String {
        unsafe withUnsafeText(row) { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// The postings of all texts; `words` keeps them.
    func indexed(_ language: Language) -> LexicalIndex {
        unsafe text.withUnsafeBytes {
            unsafe LexicalIndex(utf8: $0.span, offsets: textStarts, language: language)
        }
    }

    /// A row's text as UTF-8, where it lies.
    package func withUnsafeText<R, Failure: Error>(
        _ row: Int, _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> R
    ) throws(Failure) -> R {
        try unsafe text.withUnsafeBytes { bytes throws(Failure) in
            try unsafe body(
                UnsafeBufferPointer(rebasing: bytes[textStarts[row]..<textStarts[row + 1]]))
        }
    }
}
