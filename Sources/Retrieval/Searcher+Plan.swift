// The second call of a search: which session this is, and which way to its candidates is cheaper.

import Foundation
import Library
import Postgres

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
        let versions = try await SessionRepository.revision(ids: [request.session], on: db)
        guard let session = versions[request.session] else { throw RetrievalError.sessionNotFound }
        for expected in [request.model, query.model] {
            if let expected, expected != session.modelID {
                throw RetrievalError.modelChanged(expected: expected, got: session.modelID)
            }
        }
        let plan = try await cheapest(for: request, in: session, on: db)
        return SearchPath(
            session: session, model: try await catalogue.model(session.modelID, on: db),
            query: CandidateQuery(
                session: session.id, vector: query.vector, filter: request.filter, k: request.k,
                depth: plan.depth),
            source: plan.source)
    }

    /// All chunks of the session are the most that can match. Only when those are too many to
    /// compare, and there is a filter, is it worth counting what does match.
    private func cheapest(
        for request: SearchRequest, in session: SessionVersion, on db: Transaction
    )
        async throws -> Plan
    {
        var input = PlanInput(
            k: request.k, matching: session.chunkCount,
            tableRows: try await catalogue.estimatedRows(on: db))
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
