// Expansion beyond the parent: siblings, section, page. Where a passage lies is known from the snapshot or
// read; its text is cut from the document's, so it is `text[start..<end]` however many spans it was merged from.

import Embedding
import Foundation
import Library
import Postgres

extension Searcher {
    /// The hits of these rows inside their passages, packed as parents are.
    ///
    /// One transaction; a document that was deleted since the snapshot gives no passage, and its chunks
    /// stay hits by themselves.
    func hits(
        of rows: [SnapshotSearch.ScoredRow], within snapshot: SessionSnapshot,
        for request: SearchRequest
    ) async throws -> [Hit] {
        var found = snapshot.found(rows)
        let countTokens = embedders.embedder(named: snapshot.model)?.countTokens
        let passages = try await pool.withTransaction(
            as: request.asker, isolation: .repeatableRead, readOnly: true
        ) { db in
            var spans: [PassageSpan?] = []
            for row in rows {
                spans.append(try await span(around: row.place, in: snapshot, request, on: db))
            }
            var passages: [UUID: FoundParent] = [:]
            for (passage, members) in Passages.merge(spans) {
                let text = try await DocumentRepository.text(
                    sessionID: request.session, id: passage.document,
                    start: passage.span.lowerBound, end: passage.span.upperBound, on: db)
                guard let text, text.start..<text.end == passage.span else { continue }
                // Named by its first chunk, which is in one passage only.
                let name = found[members[0]].hit.chunk
                for member in members { found[member].parentID = name }
                passages[name] = FoundParent(
                    chunk: nil, text: HitText(text.text), span: passage.span,
                    // Nobody counts more tokens than there are scalars.
                    tokens: countTokens?(text.text) ?? passage.span.count)
            }
            return passages
        }
        return Packing.hits(found, parents: passages, tokenBudget: request.tokenBudget)
    }

    /// What is to come with a row; never less than the row itself.
    private func span(
        around place: RowPlace, in snapshot: SessionSnapshot, _ request: SearchRequest,
        on db: Transaction
    ) async throws -> PassageSpan? {
        let columns = snapshot.table(place).columns
        let places = snapshot.segments[place.segment].places
        let document = places.documents[Int(columns.documents[place.row])].id
        let own = columns.span(place.row)
        var around: Range<Int>?
        switch request.expansion {
        case .none, .parent: return nil
        case .siblings: around = snapshot.siblings(of: place, count: request.siblings)
        case .section:
            let id = places.sections[Int(columns.sections[place.row])].id
            let section = try await SectionRepository.get(
                sessionID: request.session, id: id, on: db)
            around = section.map { $0.start..<$0.end }
        case .page:
            let (first, last) = (
                Int(columns.firstPages[place.row]), Int(columns.lastPages[place.row])
            )
            let pages = try await PageRepository.list(
                sessionID: request.session, documentID: document, limit: last - first + 1,
                after: first - 1, on: db)
            if let from = pages.first, let to = pages.last, from.number == first, to.number == last
            {
                around = from.start..<to.end
            }
        }
        guard let around else { return nil }
        return PassageSpan(
            document: document,
            span: min(around.lowerBound, own.lowerBound)..<max(around.upperBound, own.upperBound))
    }
}

extension SessionSnapshot {
    /// From the `count`-th chunk before a child to the `count`-th after it, within its parent.
    ///
    /// - Complexity: O(n): the table is asked for each hit who has the same parent.
    func siblings(of child: RowPlace, count: Int) -> Range<Int>? {
        guard child.type == .child else { return nil }
        let columns = segments[child.segment].children.columns
        let parent = columns.parentIDs[child.row]
        let document = columns.documents[child.row]
        let family = segments[child.segment].children
            .rows(where: { columns.parentIDs[$0] == parent && columns.documents[$0] == document })
            .sorted { columns.starts[$0] < columns.starts[$1] }
        guard let place = family.firstIndex(of: child.row) else { return nil }
        let kept = family[max(0, place - count)...min(family.count - 1, place + count)]
        let ends = kept.map { columns.span($0) }
        return ends[0].lowerBound..<ends.reduce(0) { max($0, $1.upperBound) }
    }
}

extension RowTable {
    /// Live rows of which `isWanted` is true, ascending.
    fileprivate func rows(where isWanted: (Int) -> Bool) -> [Int] {
        (0..<count).filter { isWanted($0) && isLive($0) }
    }
}
