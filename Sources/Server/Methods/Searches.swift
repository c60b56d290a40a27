import Accounts
import Lexical
import Library
import NIOCore
import Retrieval
import Vectors
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Method {
    /// Query to hits.
    static let searches = [
        search(
            "search", .read, "The nearest chunks to a text or a vector, with where they stand.",
            searchQuery + searchOptions
        ) { call, session in
            let query = try SearchQuery(&call.params, call.limits)
            let request = try SearchRequest(&call, session, query)
            try call.params.finish()
            return request
        },
        session(
            "search.batch", .read,
            "Many searches with the same options; answers in the order of the queries.",
            [
                .objects("queries", maximumCount: Limits.standard.batch, searchQuery)
            ] + searchOptions
        ) { call, session, result in
            let begun = ContinuousClock.now
            let queries = try batch(&call)
            let request = try SearchRequest(&call, session, queries[0])
            try call.params.finish()
            let answers = try await search(
                try await limited(request, session, call), for: queries, call.services.searcher)
            let queue = call.arrived.duration(to: begun)
            result.array("results", of: answers) { writer, answer in
                writer.object { $0.members(of: answer, queue: queue) }
            }
        },
        session(
            "search.explain", .read, "Why a chunk is, or is not, among the hits of a search.",
            [.id("chunk")] + searchQuery + searchOptions
        ) { call, session, result in
            let chunk = try call.params.id("chunk")
            let query = try SearchQuery(&call.params, call.limits)
            let request = try SearchRequest(&call, session, query)
            try call.params.finish()
            let explanation = try await call.services.searcher.explain(
                chunk, try await limited(request, session, call))
            guard let explanation else {
                throw WireError(.notFound, "The session has no such chunk.", field: "chunk")
            }
            result.members(of: explanation)
        },
        session(
            "chunk.neighbors", .read, "The chunks nearest to one of the session's own.",
            [
                .id("chunk"), .optionalInteger("k", in: 1...Limits.standard.k - 1), searchFilter,
                .optionalNumber("minScore", in: -1...1_000_000),
            ]
        ) { call, session, result in
            let begun = ContinuousClock.now
            let chunk = try call.params.id("chunk")
            let k = try call.params.optionalInteger("k", in: 1...call.limits.k - 1) ?? 10
            let filter = try SearchFilter(&call.params)
            let minScore = try call.params.optionalNumber("minScore", in: -1...1_000_000)
            try call.params.finish()
            let visibility = try await visible(in: session, call)
            let request = SearchRequest(
                as: session.asker, session: session.id, query: .text(""), k: k, filter: filter,
                minScore: minScore.map { Float($0) }, deadline: call.deadline,
                credential: session.reach == .shared ? nil : session.principal.credential.id)
            let answer: SearchAnswer
            do {
                answer = try await call.services.searcher.neighbors(
                    of: chunk, limited(request, to: visibility))
            } catch LibraryError.notFound {
                throw WireError(.notFound, "The session has no such chunk.", field: "chunk")
            }
            result.members(of: answer, queue: call.arrived.duration(to: begun))
        },
    ]

    /// How many queries of one batch run at once: enough to keep a core busy while PostgreSQL
    /// works, few enough that one batch does not take the pool.
    private static let batchWidth = 4

    private static func batch(_ call: inout Call) throws(WireError) -> [SearchQuery] {
        var queries: [SearchQuery] = []
        for var query in try call.params.objects("queries", maximumCount: call.limits.batch) {
            queries.append(try SearchQuery(&query, call.limits))
            try query.finish()
        }
        return queries
    }

    /// The answers in the order of the queries; the first failure fails them all.
    private static func search(
        _ request: SearchRequest, for queries: [SearchQuery], _ searcher: Searcher
    ) async throws -> [SearchAnswer] {
        var answers = [SearchAnswer?](repeating: nil, count: queries.count)
        try await withThrowingTaskGroup(of: (Int, SearchAnswer).self) { group in
            for (index, query) in queries.enumerated() {
                if index >= batchWidth, let (done, answer) = try await group.next() {
                    answers[done] = answer
                }
                group.addTask {
                    var one = request
                    one.query = query
                    return (index, try await searcher.search(one))
                }
            }
            for try await (done, answer) in group { answers[done] = answer }
        }
        return answers.compactMap { $0 }
    }
}

extension SearchQuery {
    /// `text`, or a vector in either form; exactly one of them.
    init(_ params: inout Parameters, _ limits: Limits) throws(WireError) {
        let text = try params.optionalString("text", maximumBytes: limits.textBytes)
        let vector = try params.optionalVector(dimension: UnitVector.dimension)
        switch (text, vector) {
        case (let text?, nil):
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw .invalid(params.field("text"), expected: "a text", got: "an empty one")
            }
            self = .text(text)
        case (let text, let vector?):
            do {
                let vector = try UnitVector(normalizing: vector)
                self = text.map { .vectorAndText(vector, $0) } ?? .vector(vector)
            } catch {
                throw WireError(translating: error)
            }
        case (nil, nil):
            throw .invalid(
                params.field("text"), expected: "one of `text`, `vector` and `vectorB64`",
                got: "none")
        }
    }
}

/// What `SearchQuery` reads.
private let searchQuery: [Parameter] =
    [.optionalString("text", maximumBytes: Limits.standard.textBytes)] + Parameter.optionalVector

/// What `SearchFilter` reads.
private let searchFilter = Parameter.optionalObject(
    "filter",
    [
        .optionalIDs("documents"), .optionalIDs("topics"),
        .optionalRange("pages", in: 1...Int(Int32.max)),
        .optionalChoices("types", of: ChunkType.self),
        .optionalDate("createdFrom"), .optionalDate("createdBefore"),
    ])

/// What `SearchRequest` reads besides.
private let searchOptions: [Parameter] = [
    .optionalInteger("k", in: 1...Limits.standard.k),
    .optionalChoice("mode", of: SearchMode.self),
    .optionalChoice("fusion", of: Fusion.self),
    .optionalChoice("language", of: Language.self),
    .optionalNumber("diversity", in: 0...1),
    searchFilter,
    .optionalNumber("minScore", in: -1...1_000_000),
    .optionalChoice("expand", of: Expansion.self),
    .optionalInteger("siblings", in: 0...100),
    .optionalInteger("tokenBudget", in: 1...10_000_000),
    .optionalChoice("exactness", of: Promise.self),
    .optionalChoice("consistency", of: Consistency.self),
    .optionalFlag("explain"),
]

private enum Promise: String, CaseIterable { case probable, proven }

extension SearchRequest {
    /// Everything but the query. What this server cannot do is refused, never passed over.
    fileprivate init(
        _ call: inout Call, _ session: OpenSession, _ query: SearchQuery
    ) throws(WireError) {
        let ranking = try RankingRequest(&call.params)
        let promise = try call.params.optionalChoice("exactness", of: Promise.self)
        if try call.params.optionalFlag("explain") == true {
            throw .invalid("explain", expected: "false: ask `search.explain` for one chunk")
        }
        self.init(
            as: session.asker, session: session.id, query: query,
            k: try call.params.optionalInteger("k", in: 1...call.limits.k) ?? 10,
            filter: try SearchFilter(&call.params),
            minScore: try call.params.optionalNumber("minScore", in: -1...1_000_000)
                .map { Float($0) },
            expansion: try call.params.optionalChoice("expand", of: Expansion.self) ?? .none,
            tokenBudget: try call.params.optionalInteger("tokenBudget", in: 1...10_000_000),
            deadline: call.deadline, model: session.model,
            credential: session.principal.credential.id,
            exactness: promise == .proven ? .proven : .probable,
            consistency: try call.params.optionalChoice("consistency", of: Consistency.self)
                ?? .strong)
        self.ranking = ranking
        // Nothing, until the task knows what is shared now (`Method.limited`).
        if session.reach == .shared {
            visibility = .documents([])
            credential = nil
        }
        siblings = try call.params.optionalInteger("siblings", in: 0...100) ?? siblings
    }
}

extension RankingRequest {
    fileprivate init(_ params: inout Parameters) throws(WireError) {
        self.init()
        mode = try params.optionalChoice("mode", of: SearchMode.self) ?? mode
        fusion = try params.optionalChoice("fusion", of: Fusion.self) ?? fusion
        diversity = try params.optionalNumber("diversity", in: 0...1).map { Float($0) } ?? diversity
        language = try params.optionalChoice("language", of: Language.self) ?? language
    }
}

extension SearchFilter {
    /// `filter`, if there is one. It has no field for a session.
    fileprivate init(_ params: inout Parameters) throws(WireError) {
        self.init()
        guard var filter = try params.optionalObject("filter") else { return }
        documents = try filter.optionalIDs("documents")
        topics = try filter.optionalIDs("topics")
        pages = try filter.optionalRange("pages", in: 1...Int(Int32.max))
        if let types = try filter.optionalChoices("types", of: ChunkType.self) {
            self.types = Set(types)
        }
        createdFrom = try filter.optionalDate("createdFrom")
        createdBefore = try filter.optionalDate("createdBefore")
        // Even a lenient client must not believe that a session can be named here.
        if filter.value("session") != nil {
            throw .invalid("filter.session", expected: "nothing: the handle says the session")
        }
        try filter.finish()
    }
}

extension JSONWriter {
    /// Asks, and writes the answer, the long way: in a task.
    mutating func search(_ request: SearchRequest, _ call: Call) async throws {
        let begun = ContinuousClock.now
        call.activity.searched(.task)
        let answer = try await call.services.searcher.search(request)
        members(of: answer, queue: call.arrived.duration(to: begun))
    }

    /// The line that answers a search.
    static func line(
        _ id: RequestID, _ answer: SearchAnswer, arrived: ContinuousClock.Instant
    ) -> ByteBuffer {
        let texts = answer.hits.reduce(0) {
            $0 + $1.text.byteCount + ($1.parent?.text.byteCount ?? 0)
        }
        var result = JSONWriter.beginResult(id, capacity: 1024 + 640 * answer.hits.count + texts)
        let took = arrived.duration(to: .now).microseconds - answer.meta.took.total
        result.members(of: answer, queue: .microseconds(max(took, 0)))
        return result.endResult()
    }

    /// `hits` and `meta`. The hits come first, so that `meta` can say how long they took to write.
    fileprivate mutating func members(of answer: SearchAnswer, queue: Duration) {
        let begun = ContinuousClock.now
        array("hits", of: answer.hits) { writer, hit in
            writer.object { $0.members(of: hit) }
        }
        let meta = answer.meta
        object("meta") { writer in
            writer.member("plan", meta.plan.rawValue)
            writer.object("certificate") { $0.members(of: meta.certificate) }
            writer.member("examined", meta.examined)
            writer.member("sessionChunks", meta.sessionChunks)
            writer.member("revision", meta.revision)
            writer.member("model", meta.model)
            writer.object("tookUs") {
                $0.member("queue", meta.took.queue + queue.microseconds)
                $0.member("embed", meta.took.embed)
                $0.member("scan", meta.took.candidates)
                $0.member("rerank", meta.took.rerank)
                $0.member("expand", meta.took.expand)
                $0.member("encode", begun.duration(to: .now).microseconds)
            }
        }
    }

    private mutating func member(_ text: HitText) {
        key("text")
        unsafe text.withUnsafeUTF8 { unsafe value(utf8: $0) }
    }

    private mutating func members(of hit: Hit) {
        member("chunk", hit.chunk)
        member("score", hit.score)
        member("rank", hit.rank)
        object("scores") {
            $0.member("dense", optional: hit.scores.dense)
            $0.member("lexical", optional: hit.scores.lexical)
            $0.member("fused", optional: hit.scores.fused)
        }
        member(hit.text)
        member("span", pair: hit.span.lowerBound, hit.span.upperBound)
        object("document") {
            $0.member("id", hit.documentID)
            $0.member("fileName", hit.fileName)
        }
        member("pages", pair: hit.pages.lowerBound, hit.pages.upperBound)
        member("section", hit.section)
        guard let parent = hit.parent else { return null("parent") }
        // What is no chunk is no parent either: readers of `parent` look for its id.
        if parent.chunk == nil { null("parent") }
        let name: StaticString = parent.chunk == nil ? "passage" : "parent"
        object(name) { writer in
            if let chunk = parent.chunk { writer.member("chunk", chunk) }
            writer.member(parent.text)
            writer.member("span", pair: parent.span.lowerBound, parent.span.upperBound)
            writer.array("children", of: parent.children) { writer, child in
                writer.object {
                    $0.member("chunk", child.chunk)
                    $0.member("score", child.score)
                    $0.member("span", pair: child.span.lowerBound, child.span.upperBound)
                }
            }
        }
    }

    private mutating func members(of certificate: Retrieval.Certificate) {
        switch certificate {
        case .proven: member("kind", "proven")
        case .probable(let missProbability):
            member("kind", "probable")
            member("missProbability", missProbability)
        case .approximate(let efSearch):
            member("kind", "approximate")
            member("efSearch", efSearch)
        }
    }
}

extension StageTimes {
    /// All of it, but for what is written and counted here.
    fileprivate var total: Int { embed + candidates + rerank + expand }
}

extension Duration {
    fileprivate var microseconds: Int {
        Int(components.seconds) * 1_000_000 + Int(components.attoseconds / 1_000_000_000_000)
    }
}

extension JSONWriter {
    fileprivate mutating func members(of explanation: Explanation) {
        member("chunk", explanation.chunk)
        member("returned", explanation.hit != nil)
        member("hit", optional: explanation.hit)
        object("scores") {
            $0.member("dense", optional: explanation.scores.dense)
            $0.member("lexical", optional: explanation.scores.lexical)
            $0.member("fused", optional: explanation.scores.fused)
        }
        member("rank", optional: explanation.rank)
        member("of", explanation.count)
        member("gap", optional: explanation.gap)
        guard let cause = explanation.cause else { return null("cause") }
        object("cause") { $0.members(of: cause) }
    }

    private mutating func members(of cause: Explanation.Cause) {
        switch cause {
        case .filtered(let fields):
            member("kind", "filtered")
            member("fields", fields.map(\.rawValue))
        case .notEmbedded: member("kind", "not_embedded")
        case .noWord: member("kind", "no_word")
        case .pool(let denseRank, let lexicalRank, let depth):
            member("kind", "pool")
            member("denseRank", denseRank)
            member("lexicalRank", optional: lexicalRank)
            member("depth", depth)
        case .rank: member("kind", "rank")
        case .threshold: member("kind", "threshold")
        case .diversity: member("kind", "diversity")
        case .tokenBudget(let tokens):
            member("kind", "token_budget")
            member("tokens", tokens)
        }
    }

    /// Null for nil.
    fileprivate mutating func member(_ name: StaticString, optional value: Int?) {
        if let value { member(name, value) } else { null(name) }
    }

    /// Null for nil.
    fileprivate mutating func member(_ name: StaticString, optional value: Float?) {
        if let value { member(name, value) } else { null(name) }
    }
}
