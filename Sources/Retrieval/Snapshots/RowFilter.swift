// A filter as a set of rows, before the scan: never after the cut.

import Foundation
import Library
import Postgres
import Vectors

extension RowTable {
    /// The rows that may be answered, as `ChunkRepository`'s WHERE clause would have them; nil when
    /// all may.
    ///
    /// `places` are those of the table's segment. Types are not looked at: they choose the table.
    ///
    /// - Complexity: O(n) for each condition there is; O(hits) for topics.
    func rows(passing filter: SearchFilter, _ places: Segment.Places) -> RowSet? {
        if filter.isUnrestricted, columns.embedded == nil { return live }
        var rows = live ?? RowSet(universe: count, all: true)
        if let embedded = columns.embedded { rows.formIntersection(embedded) }
        if let documents = filter.documents {
            let wanted = Set(documents)
            let passes = places.documents.map { wanted.contains($0.id) }
            rows.keep { passes[Int(columns.documents[$0])] }
        }
        if let topics = filter.topics {
            var related = RowSet(universe: count)
            for topic in topics {
                for row in columns.topics[topic] ?? [] { related.insert(Int(row)) }
            }
            rows.formIntersection(related)
        }
        if let pages = filter.pages {
            rows.keep {
                Int(columns.lastPages[$0]) >= pages.lowerBound
                    && Int(columns.firstPages[$0]) <= pages.upperBound
            }
        }
        if let from = filter.createdFrom?.microsecondsClamped {
            rows.keep { columns.created[$0] >= from }
        }
        if let before = filter.createdBefore?.microsecondsClamped {
            rows.keep { columns.created[$0] < before }
        }
        return rows
    }
}

extension RowSet {
    /// Takes out the rows that do not pass.
    fileprivate mutating func keep(_ passes: (Int) -> Bool) {
        let all = self
        all.forEach { row in if !passes(row) { remove(row) } }
    }
}

extension Date {
    /// What lies outside PostgreSQL's time lies before or after everything in it.
    fileprivate var microsecondsClamped: Int64 {
        microsecondsFrom2000 ?? (timeIntervalSinceReferenceDate < 0 ? .min : .max)
    }
}
