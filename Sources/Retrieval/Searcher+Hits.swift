// The last call of a search: from scored ids to what a reader can use.

import Foundation
import Library
import Postgres

extension Searcher {
    /// Reads the chunks, and their parents when wanted, and packs them. Two statements at most.
    func hits(of scored: [Scored], for request: SearchRequest, on db: Transaction)
        async throws -> [Hit]
    {
        if scored.isEmpty { return [] }
        let located = try await ChunkRepository.hits(
            sessionID: request.session, ids: scored.map(\.chunk), on: db)
        let found = zip(located, scored).enumerated().map { index, pair in
            FoundChunk(pair.0, score: pair.1.score, rank: index + 1)
        }
        var parents: [UUID: FoundParent] = [:]
        if request.expansion == .parent {
            let ids = Array(Set(found.compactMap(\.parentID)))
            for parent in try await ChunkRepository.hits(
                sessionID: request.session, ids: ids, on: db)
            {
                parents[parent.chunk.id] = FoundParent(parent.chunk)
            }
        }
        return Packing.hits(found, parents: parents, tokenBudget: request.tokenBudget)
    }
}

extension FoundChunk {
    init(_ located: LocatedChunk, score: Float, rank: Int) {
        let chunk = located.chunk
        let hit = Hit(
            chunk: chunk.id, type: chunk.type, score: score, rank: rank, text: HitText(chunk.text),
            span: chunk.start..<chunk.end, documentID: chunk.documentID,
            fileName: located.fileName, pages: chunk.pageFrom...chunk.pageTo,
            section: located.headingPath)
        self.init(hit: hit, tokens: chunk.tokenCount, parentID: chunk.parentID)
    }
}

extension FoundParent {
    init(_ chunk: Chunk) {
        self.init(
            chunk: chunk.id, text: HitText(chunk.text), span: chunk.start..<chunk.end,
            tokens: chunk.tokenCount)
    }
}
