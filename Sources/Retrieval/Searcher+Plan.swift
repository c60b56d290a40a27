// The third call of a search, for a session that is not in memory: which session this is, and which
// way to its candidates is cheaper.

import Foundation
import Library
import Postgres
import Vectors

/// A plan made for one request, in one snapshot.
struct SearchPath {
    let session: SessionVersion
    let model: EmbeddingModel
    let query: CandidateQuery
    let source: any CandidateSource

    func meta(of candidates: CandidateRows, took: StageTimes) -> SearchMeta {
        SearchMeta(
            plan: candidates.plan, certificate: candidates.certificate,
            examined: candidates.examined, sessionChunks: session.chunkCount,
            revision: session.revision, model: model.name, took: took)
    }
}

extension Searcher {
    func plan(_ request: SearchRequest, for query: QueryVector, on db: Transaction)
        async throws -> SearchPath
    {
        let session = try await validity(for: request, on: db)
        try session.check(request, query)
        snapshots?.warm(session.id, chunks: session.chunkCount)
        let plan = try await cheapest(for: request, in: session, on: db)
        return SearchPath(
            session: session, model: try await catalogue.model(session.modelID, on: db),
            query: CandidateQuery(
                session: session.id, vector: query.vector, filter: request.filter, k: request.k,
                depth: plan.depth),
            source: plan.source)
    }

    /// All chunks of the session are the most that can match. Only when those are too many to
    /// compare is it worth asking how many the graph lacks, and, with a filter, how many match.
    private func cheapest(
        for request: SearchRequest, in session: SessionVersion, on db: Transaction
    )
        async throws -> Plan
    {
        var input = PlanInput(
            k: request.k, matching: session.chunkCount,
            tableRows: try await catalogue.estimatedRows(on: db))
        if request.exactness == .proven { return .exact(depth: Planner.depth(k: request.k)) }
        if case .exact = planner.plan(input) { return planner.plan(input) }
        let coverage = try await GraphRepository.coverage(sessionID: session.id, on: db)
        input.pending = coverage?.pending ?? session.chunkCount
        let plan = planner.plan(input)
        if plan.kind == .exact || request.filter.isUnrestricted { return plan }
        input.matching = try await ChunkRepository.countMatching(
            sessionID: session.id, filter: request.filter, on: db)
        return planner.plan(input)
    }
}

extension Plan {
    var depth: Int {
        switch self {
        case .exact(let depth), .hnsw(let depth, _): depth
        }
    }

    var source: any CandidateSource {
        switch self {
        case .exact: ExactSource()
        case .hnsw(_, let efSearch): HNSWSource(efSearch: efSearch)
        }
    }
}
