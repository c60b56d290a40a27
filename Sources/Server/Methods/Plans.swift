import Accounts
import Ingestion
import Lexical
import Library
import Postgres
import Retrieval
import Study
import Wire

extension Method {
    /// What to study, drafted from the session's own content and settled by its owner.
    static let plans = [
        session(
            "session.plan.draft", .write,
            "Drafts topics from headings, clusters of parents and distinctive words.",
            [.optionalChoice("language", of: Language.self)]
        ) { call, session, result in
            let language = try call.params.optionalChoice("language", of: Language.self)
            try call.params.finish()
            try await requireSession(session, call)
            let plan = try await Planning.draft(
                as: session.asker, session: session.id, language: language,
                pool: call.services.pool)
            result.object("plan") { $0.members(of: plan) }
        },
        session(
            "session.plan.edit", .write,
            "Puts these topics, in this order, in place of the draft's.",
            [
                .objects(
                    "topics", maximumCount: NewTopic.sessionLimit,
                    [
                        .string("title", maximumBytes: NewTopic.textLimit),
                        .optionalStrings("subtopics", maximumCount: NewTopic.subtopicLimit),
                    ])
            ]
        ) { call, session, result in
            let objects = try call.params.objects("topics", maximumCount: NewTopic.sessionLimit)
            try call.params.finish()
            let topics = try objects.enumerated().map { index, object in
                var object = object
                let title = try object.string("title", maximumBytes: NewTopic.textLimit)
                let subtopics = try object.optionalStrings(
                    "subtopics", maximumCount: NewTopic.subtopicLimit)
                try object.finish()
                return try NewTopic(
                    title: title, subtopics: subtopics ?? [], prefix: "topics[\(index)].")
            }
            try await requireSession(session, call)
            let plan = try await call.services.pool.withTransaction(as: session.asker) { db in
                try await Planning.edit(session: session.id, topics: topics, on: db)
            }
            result.object("plan") { $0.members(of: plan) }
        },
        session(
            "session.plan.accept", .write,
            "Makes the draft's topics the session's, and relates chunks to them.",
            .repeatable([.optionalFlag("replace")])
        ) { call, session, result in
            let replaces = try call.params.optionalFlag("replace") ?? false
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            try await requireSession(session, call)
            try await onceInTransaction(key, call, session.principal, &result) { db, writer in
                let (topics, job) = try await Planning.accept(
                    session: session.id, removingOthers: replaces, on: db)
                writer.array("topics", of: topics) { writer, topic in
                    writer.object { $0.members(of: topic) }
                }
                writer.object("job") { $0.members(of: job) }
            }
            await call.services.searcher.snapshots?.committed(session.id)
            call.services.ingestor.wake()
        },
    ]
}

extension JSONWriter {
    mutating func members(of plan: StudyPlan) {
        member("version", plan.version)
        array("topics", of: plan.topics) { writer, topic in
            writer.object {
                $0.member("title", topic.title)
                $0.member("subtopics", topic.subtopics)
                $0.member("order", topic.order)
                guard let evidence = topic.evidence else { return }
                $0.object("evidence") {
                    $0.member("chunks", evidence.chunks)
                    $0.member("headings", evidence.headings)
                    $0.member("share", evidence.share)
                }
            }
        }
    }
}
