// From rows of a snapshot to what a reader can use: nothing is asked of anybody.

import Foundation
import Library

extension SessionSnapshot {
    /// The hits of these rows, packed as `Packing` packs them.
    func hits(of rows: [SnapshotSearch.ScoredRow], for request: SearchRequest) -> [Hit] {
        let found = found(rows)
        var parents: [UUID: FoundParent] = [:]
        if request.expansion == .parent {
            for row in rows {
                guard let place = parent(of: row.place) else { continue }
                let columns = table(place).columns
                let id = columns.ids[place.row]
                if parents[id] == nil {
                    parents[id] = FoundParent(
                        chunk: id, text: HitText(row: place.row, of: columns),
                        span: columns.span(place.row),
                        tokens: Int(columns.tokens[place.row]))
                }
            }
        }
        return Packing.hits(found, parents: parents, tokenBudget: request.tokenBudget)
    }

    /// The rows with what an answer says about them, ranked from 1.
    func found(_ rows: [SnapshotSearch.ScoredRow]) -> [FoundChunk] {
        rows.enumerated().map { index, row in
            let table = table(row.place)
            return FoundChunk(
                hit: hit(row, rank: index + 1), tokens: Int(table.columns.tokens[row.place.row]),
                parentID: row.place.type == .child
                    ? table.columns.parentIDs[row.place.row] : nil)
        }
    }

    /// Where a child's parent is: beside it, or in an older segment when it was stored before it.
    package func parent(of child: RowPlace) -> RowPlace? {
        guard child.type == .child else { return nil }
        let segment = segments[child.segment]
        let row = segment.children.columns.parentRows[child.row]
        if row != RowColumns.noRow, segment.parents.isLive(Int(row)) {
            return RowPlace(segment: child.segment, type: .parent, row: Int(row))
        }
        return place(of: segment.children.columns.parentIDs[child.row], .parent)
    }

    private func hit(_ scored: SnapshotSearch.ScoredRow, rank: Int) -> Hit {
        let (place, row) = (scored.place, scored.place.row)
        let columns = table(place).columns
        let places = segments[place.segment].places
        let document = places.documents[Int(columns.documents[row])]
        return Hit(
            chunk: columns.ids[row], type: place.type, score: scored.score, rank: rank,
            text: HitText(row: row, of: columns), span: columns.span(row), documentID: document.id,
            fileName: document.fileName,
            pages: Int(columns.firstPages[row])...Int(columns.lastPages[row]),
            section: places.sections[Int(columns.sections[row])].headingPath, scores: scored.scores)
    }
}

extension RowColumns {
    package func span(_ row: Int) -> Range<Int> { Int(starts[row])..<Int(ends[row]) }
}
