import Accounts
import Embedding
import Ingestion
import Library
import Postgres
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Method {
    /// Another embedding model for one session of the account, or for all.
    static let reembeddings = [
        account(
            "reembed.plan", .read,
            "What another model would take: texts, tokens, time. Writes nothing.",
            [
                .string("model"), .optionalID("session"),
                .optionalNumber("pricePerMillionTokens", in: 0...1_000_000),
            ]
        ) { call, principal, result in
            let model = try call.params.string("model")
            let id = try call.params.optionalID("session")
            let price = try call.params.optionalNumber(
                "pricePerMillionTokens", in: 0...1_000_000)
            try call.params.finish()
            let sessions = try await ownSessions(id, call, principal)
            let embedder = try embedder(named: model, call)
            let plans = try await call.services.ingestor.reembeddingPlans(
                as: principal.asker, of: sessions, with: embedder)
            result.member("model", embedder.identity.name)
            result.array("sessions", of: plans) { writer, plan in
                writer.object { $0.members(of: plan, price: price) }
            }
        },
        account(
            "reembed.start", .write,
            "Begins to give a session, or all, another model; searches go on meanwhile.",
            .repeatable(
                [
                    .string("model"), .optionalID("session"), .optionalFlag("force"),
                    .optionalNumber("minOverlap", in: 0...1),
                    .optionalNumber("maxLoss", in: 0...1),
                    .optionalInteger("queries", in: 0...256),
                    .optionalInteger("retainSeconds", in: 0...31_536_000),
                    .optionalFlag("paused"), judgements,
                ])
        ) { call, principal, result in
            let model = try call.params.string("model")
            let id = try call.params.optionalID("session")
            let terms = try ReembeddingTerms(&call.params)
            let isPaused = try call.params.optionalFlag("paused") ?? false
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            let sessions = try await ownSessions(id, call, principal)
            let embedder = try embedder(named: model, call)
            let frozen = call
            try await once(key, call, principal, &result) { writer in
                try await each(
                    of: sessions, isOne: id != nil, frozen, principal, &writer
                ) { session, db in
                    try await Ingestor.beginReembedding(
                        session: session, with: embedder, terms: terms, isPaused: isPaused,
                        on: db)
                }
            }
            call.services.ingestor.wake()
        },
        account(
            "reembed.status", .read,
            "How far re-embeddings are: of one session all of them, else each session's last.",
            [.optionalID("session")]
        ) { call, principal, result in
            let id = try call.params.optionalID("session")
            try call.params.finish()
            let sessions = try await ownSessions(id, call, principal)
            let runs = try await standing(
                of: sessions, limit: id == nil ? 1 : 20, call, principal)
            result.array("runs", of: runs) { writer, run in
                writer.object { $0.members(of: run) }
            }
        },
        account(
            "reembed.pause", .write, "Stops a session's re-embedding, or all, until it is resumed.",
            [.optionalID("session")]
        ) { call, principal, result in
            let id = try call.params.optionalID("session")
            try call.params.finish()
            try await eachOpen(id, call, principal, &result) { run, db in
                try await Ingestor.pauseReembedding(
                    session: run.sessionID, job: run.jobID, on: db)
            }
        },
        account(
            "reembed.resume", .write,
            "Lets re-embeddings that were paused, or stopped for a reason, go on.",
            [.optionalID("session"), .optionalFlag("force")]
        ) { call, principal, result in
            let id = try call.params.optionalID("session")
            let isForced = try call.params.optionalFlag("force") ?? false
            try call.params.finish()
            try await eachOpen(id, call, principal, &result, where: \.isPaused) { run, db in
                try await Ingestor.resumeReembedding(
                    session: run.sessionID, job: run.jobID, isForced: isForced, on: db)
            }
            call.services.ingestor.wake()
        },
        account(
            "reembed.cancel", .write,
            "Ends a session's re-embedding, or all; the session stays as it is.",
            [.optionalID("session")]
        ) { call, principal, result in
            let id = try call.params.optionalID("session")
            try call.params.finish()
            try await eachOpen(id, call, principal, &result) { run, db in
                guard try await JobRepository.cancel(id: run.jobID, on: db) else {
                    throw LibraryError.conflict("this re-embedding has ended")
                }
            }
        },
        account(
            "reembed.rollback", .write,
            "Brings back the model and vectors that a session, or all, had before the last switch.",
            .repeatable([.optionalID("session")])
        ) { call, principal, result in
            let id = try call.params.optionalID("session")
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            let sessions = try await ownSessions(id, call, principal)
            let frozen = call
            try await once(key, call, principal, &result) { writer in
                try await each(of: sessions, isOne: id != nil, frozen, principal, &writer) {
                    try await Ingestor.beginRollback(session: $0, on: $1)
                }
            }
            call.services.ingestor.wake()
        },
    ]

    private static let judgements = Parameter.optionalObjects(
        "judgements", maximumCount: 256,
        [
            .string("query", maximumBytes: 4096),
            .objects(
                "relevant", maximumCount: 256,
                [.string("chunk", maximumBytes: 36), .integer("grade", in: 0...1000)]),
        ])

    // MARK: Which sessions

    /// The named session of the account, or all of them.
    private static func ownSessions(
        _ id: UUID?, _ call: Call, _ principal: Principal
    ) async throws -> [StudySession] {
        let wanted = id ?? principal.boundSession
        if let wanted {
            let session: StudySession? =
                if principal.mayOpen(wanted) {
                    try await call.services.pool.withConnection(as: principal.asker) { db in
                        try await SessionRepository.get(
                            id: wanted, profileID: principal.profileID, on: db)
                    }
                } else {
                    nil
                }
            guard let session else {
                throw WireError(.notFound, "This account has no such session.", field: "session")
            }
            return [session]
        }
        var sessions: [StudySession] = []
        while true {
            let page = try await call.services.pool.withConnection(as: principal.asker) { db in
                try await SessionRepository.list(
                    profileID: principal.profileID, limit: 200,
                    before: sessions.last.map { TimeCursor(createdAt: $0.createdAt, id: $0.id) },
                    on: db)
            }
            sessions += page
            if page.count < 200 { return sessions }
        }
    }

    /// Begins something for each session, in a transaction of its own, and writes what began. Of one
    /// session a conflict is refused; of all, those where there was one are listed as skipped.
    private static func each(
        of sessions: [StudySession], isOne: Bool, _ call: Call, _ principal: Principal,
        _ writer: inout JSONWriter,
        _ begin: (UUID, Transaction) async throws -> (run: Reembedding, job: Job)
    ) async throws {
        var begun: [Standing] = []
        var skipped: [(session: UUID, reason: String)] = []
        for session in sessions {
            do {
                let (run, job) = try await call.services.pool.withTransaction(
                    as: principal.asker
                ) { db in
                    try await begin(session.id, db)
                }
                begun.append(Standing(run: run, job: job))
            } catch LibraryError.conflict(let reason) where !isOne {
                skipped.append((session.id, reason))
            }
        }
        writer.array("runs", of: begun) { writer, run in writer.object { $0.members(of: run) } }
        writer.array("skipped", of: skipped) { writer, one in
            writer.object {
                $0.member("session", one.session)
                $0.member("reason", one.reason)
            }
        }
    }

    /// Does something to the re-embedding under way of a session, or of all, and writes how they stand.
    private static func eachOpen(
        _ id: UUID?, _ call: Call, _ principal: Principal, _ result: inout JSONWriter,
        where isMeant: (Job) -> Bool = { _ in true },
        _ body: (Reembedding, Transaction) async throws -> Void
    ) async throws {
        let sessions = try await ownSessions(id, call, principal)
        let open = try await standing(of: sessions, limit: 1, call, principal)
            .filter { !$0.job.state.isEnded && (id != nil || isMeant($0.job)) }
        guard id == nil || !open.isEmpty else {
            throw WireError(.conflict, "The session is not being re-embedded.", field: "session")
        }
        for standing in open {
            try await call.services.pool.withTransaction(as: principal.asker) { db in
                try await body(standing.run, db)
            }
        }
        let touched = Set(open.map(\.run.jobID))
        let now = try await standing(of: sessions, limit: 1, call, principal)
        result.array("runs", of: now.filter { touched.contains($0.run.jobID) }) { writer, run in
            writer.object { $0.members(of: run) }
        }
    }

    private static func standing(
        of sessions: [StudySession], limit: Int, _ call: Call, _ principal: Principal
    ) async throws -> [Standing] {
        var runs: [Standing] = []
        for session in sessions {
            runs += try await call.services.pool.withConnection(as: principal.asker) { db in
                var found: [Standing] = []
                for (run, job) in try await ReembeddingRepository.list(
                    sessionID: session.id, limit: limit, on: db)
                {
                    let failures = try await ReembeddingRepository.failures(
                        sessionID: session.id, jobID: run.jobID, limit: 100, on: db)
                    found.append(Standing(run: run, job: job, failures: failures))
                }
                return found
            }
        }
        return runs
    }
}

extension ReembeddingTerms {
    /// What `reembed.start` says of the gate.
    fileprivate init(_ params: inout Parameters) throws(WireError) {
        self.init()
        isForced = try params.optionalFlag("force") ?? isForced
        minimumOverlap = try params.optionalNumber("minOverlap", in: 0...1) ?? minimumOverlap
        largestLoss = try params.optionalNumber("maxLoss", in: 0...1) ?? largestLoss
        queries = try params.optionalInteger("queries", in: 0...256) ?? queries
        retentionSeconds =
            try params.optionalInteger("retainSeconds", in: 0...31_536_000).map(Int64.init)
            ?? retentionSeconds
        for var object in try params.optionalObjects("judgements", maximumCount: 256) ?? [] {
            let query = try object.string("query", maximumBytes: 4096)
            var relevant: [UUID: Int] = [:]
            for var one in try object.objects("relevant", maximumCount: 256) {
                // Only compared with the session's own hits: it names nothing that could be had.
                let text = try one.string("chunk", maximumBytes: 36)
                guard let chunk = UUID(uuidString: text) else {
                    throw .invalid(one.field("chunk"), expected: "a UUID", got: text)
                }
                relevant[chunk] = try one.integer("grade", in: 0...1000)
                try one.finish()
            }
            try object.finish()
            judgements.append(Judgement(query: query, relevant: relevant))
        }
    }
}
