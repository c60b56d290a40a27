import Foundation
import Lexical
import Library
import Vectors

/// The BM25 scores of a request over the tables it searches.
///
/// The statistics are those of all live rows of these tables: a filter says what may be answered, not what is
/// common.
struct SnapshotWords {
    private let snapshot: SessionSnapshot
    /// Segment and type of each part; the row is of no meaning.
    private let parts: [RowPlace]
    private let allowed: [[UInt64]?]
    private let scores: LexicalScores
    /// Rows that passed the filter.
    let examined: Int

    /// - Precondition: the tables have their words indexed in the request's language.
    init(_ request: SearchRequest, in snapshot: SessionSnapshot) {
        var places: [RowPlace] = []
        var parts: [LexicalPart] = []
        var allowed: [[UInt64]?] = []
        var examined = 0
        let language = request.ranking.language
        for (index, segment) in snapshot.segments.enumerated() {
            for type in ChunkType.allCases where request.filter.types.contains(type) {
                let table = segment.table(type)
                guard table.count > 0 else { continue }
                guard let words = table.columns.words.index(language) else {
                    preconditionFailure("a table without its words in \(language)")
                }
                let rows = table.rows(passing: request.filter, segment.places)
                places.append(RowPlace(segment: index, type: type, row: 0))
                parts.append(LexicalPart(words, live: table.live?.words))
                allowed.append(rows?.words)
                examined += rows?.count ?? table.count
            }
        }
        self.snapshot = snapshot
        self.parts = places
        self.allowed = allowed
        self.examined = examined
        scores = LexicalScores(LexicalQuery(request.words, language: language), over: parts)
    }

    /// A row's score; 0 without a word of the query, or outside of the tables searched.
    subscript(place: RowPlace) -> Float {
        let part = parts.firstIndex { $0.segment == place.segment && $0.type == place.type }
        return part.map { Float(scores[LexicalRow(part: $0, row: place.row)]) } ?? 0
    }

    /// The best rows that pass the filter, ties by chunk id.
    func best(_ k: Int) -> [RowPlace] {
        scores.best(k, allowed: allowed) { a, b in
            snapshot.id(place(a)).isBefore(snapshot.id(place(b)))
        }.map { place($0.row) }
    }

    private func place(_ row: LexicalRow) -> RowPlace {
        RowPlace(segment: parts[row.part].segment, type: parts[row.part].type, row: row.row)
    }
}

extension SearchRequest {
    /// What is looked for by words.
    var words: String {
        switch query {
        case .text(let text), .vectorAndText(_, let text): text
        case .vector: ""
        }
    }
}
