// Columns while they grow, row by row.

import Foundation
import Library
import Postgres
import Vectors

/// Gathers chunks of one type and makes a table of them.
struct TableBuilder {
    /// One row's numbers, until each becomes a column of its own.
    private struct Row {
        let id: UUID
        let parent: UUID?
        let document: UInt32
        let section: UInt32
        let pages: ClosedRange<Int>
        let span: Range<Int>
        let tokens: Int
        let created: Int64
    }

    private var rows: [Row] = []
    private var gathered: GatheredRows
    private var topics: [UUID: [UInt32]] = [:]
    private var unembedded: [Int] = []

    init(_ placement: RowPlacement, expecting rows: Int) {
        gathered = GatheredRows(placement, expecting: rows)
    }

    mutating func append(_ chunk: ChangedChunk, document: Int, section: Int) throws {
        let row = rows.count
        rows.append(
            Row(
                id: chunk.id, parent: chunk.parentID, document: UInt32(document),
                section: UInt32(section), pages: chunk.pages, span: chunk.span,
                tokens: chunk.tokenCount, created: chunk.createdAt.microsecondsFrom2000 ?? .max))
        for topic in chunk.topicIDs where topics[topic]?.last != UInt32(row) {
            topics[topic, default: []].append(UInt32(row))
        }
        if !chunk.isEmbedded { unembedded.append(row) }
        try gathered.append(text: chunk.appendText) { elements in
            if chunk.isEmbedded {
                try chunk.appendVector(to: &elements)
            } else {
                elements.append(contentsOf: repeatElement(0, count: UnitVector.dimension))
            }
        }
    }

    /// The table, its children's parents looked up among `parents`.
    ///
    /// - Complexity: O(n·d): 10,000 rows take about 20 ms.
    mutating func table(parents: RowColumns?) throws -> RowTable {
        var embedded: RowSet?
        if !unembedded.isEmpty {
            var set = RowSet(universe: rows.count, all: true)
            for row in unembedded { set.remove(row) }
            embedded = set
        }
        let (vectors, text) = try gathered.finish()
        let columns = RowColumns(
            ids: rows.map(\.id), documents: rows.map(\.document), sections: rows.map(\.section),
            parentIDs: rows.compactMap(\.parent),
            parentRows: rows.compactMap(\.parent).map { parent in
                parents?.row(of: parent).map(UInt32.init) ?? RowColumns.noRow
            },
            firstPages: rows.map { Int32($0.pages.lowerBound) },
            lastPages: rows.map { Int32($0.pages.upperBound) },
            starts: rows.map { Int32($0.span.lowerBound) },
            ends: rows.map { Int32($0.span.upperBound) }, tokens: rows.map { Int32($0.tokens) },
            created: rows.map(\.created), topics: topics, embedded: embedded,
            text: text, textStarts: exact(gathered.textStarts))
        return RowTable(block: try SessionBlock(vectors), columns: columns)
    }
}
