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
    private var text: [UInt8] = []
    private var textStarts = [0]
    private var topics: [UUID: [UInt32]] = [:]
    private var unembedded: [Int] = []

    /// Vectors in pieces of whole rows, so that none is copied when more are needed.
    private var pieces: [[Float]] = []
    private static let rowsOfPiece = 1_024
    private static let dimension = UnitVector.dimension

    mutating func append(_ chunk: ChangedChunk, document: Int, section: Int) throws {
        let row = rows.count
        rows.append(
            Row(
                id: chunk.id, parent: chunk.parentID, document: UInt32(document),
                section: UInt32(section), pages: chunk.pages, span: chunk.span,
                tokens: chunk.tokenCount, created: chunk.createdAt.microsecondsFrom2000 ?? .max))
        try chunk.appendText(to: &text)
        textStarts.append(text.count)
        for topic in chunk.topicIDs where topics[topic]?.last != UInt32(row) {
            topics[topic, default: []].append(UInt32(row))
        }
        if row % Self.rowsOfPiece == 0 {
            var piece: [Float] = []
            piece.reserveCapacity(Self.rowsOfPiece * Self.dimension)
            pieces.append(piece)
        }
        if chunk.isEmbedded {
            try chunk.appendVector(to: &pieces[pieces.count - 1])
        } else {
            pieces[pieces.count - 1].append(contentsOf: repeatElement(0, count: Self.dimension))
            unembedded.append(row)
        }
    }

    /// The table, its children's parents looked up among `parents`.
    ///
    /// - Complexity: O(n·d): 10,000 rows take about 20 ms.
    func table(parents: RowColumns?) throws -> RowTable {
        var embedded: RowSet?
        if !unembedded.isEmpty {
            var set = RowSet(universe: rows.count, all: true)
            for row in unembedded { set.remove(row) }
            embedded = set
        }
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
            text: exact(text), textStarts: exact(textStarts))
        return RowTable(block: try SessionBlock(vectors()), columns: columns)
    }

    private func vectors() -> Block {
        Block(count: rows.count, dimension: Self.dimension) { elements in
            unsafe elements.withUnsafeMutableBufferPointer { elements in
                var next = 0
                for piece in pieces {
                    unsafe piece.withUnsafeBufferPointer { piece in
                        guard let from = piece.baseAddress, let to = elements.baseAddress else {
                            return
                        }
                        unsafe (to + next).update(from: from, count: piece.count)
                    }
                    next += piece.count
                }
            }
        }
    }

    /// A copy without the room to grow.
    private func exact<T: BitwiseCopyable>(_ grown: [T]) -> [T] {
        unsafe [T](unsafeUninitializedCapacity: grown.count) { copy, count in
            _ = unsafe copy.initialize(from: grown)
            count = grown.count
        }
    }
}
