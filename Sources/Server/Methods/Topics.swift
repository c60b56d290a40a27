import Accounts
import Ingestion
import Library
import Postgres
import Retrieval
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Method {
    /// What a session is about. Whoever changes the words of a topic starts the job that relates
    /// chunks to topics anew.
    static let topics = [
        session(
            "topic.create", .write, "Makes a topic after the others, and relates chunks to it.",
            .repeatable([
                .string("title", maximumBytes: NewTopic.textLimit),
                .optionalStrings("subtopics", maximumCount: NewTopic.subtopicLimit),
            ])
        ) { call, session, result in
            let title = try call.params.string("title", maximumBytes: NewTopic.textLimit)
            let subtopics = try call.params.optionalStrings(
                "subtopics", maximumCount: NewTopic.subtopicLimit)
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            let new = try NewTopic(title: title, subtopics: subtopics ?? [])
            try await requireSession(session, call)
            try await onceInTransaction(key, call, session.principal, &result) { db, writer in
                let topic = try await TopicRepository.append(new, sessionID: session.id, on: db)
                let job = try await JobRepository.enqueueAssignment(sessionID: session.id, on: db)
                writer.object("topic") { $0.members(of: topic) }
                writer.object("job") { $0.members(of: job) }
            }
            call.services.ingestor.wake()
        },
        session(
            "topic.list", .read, "The topics in order, with how much is about each."
        ) { call, session, result in
            try call.params.finish()
            try await requireSession(session, call)
            let topics = try await call.services.pool.withConnection(as: session.asker) { db in
                try await TopicRepository.counted(sessionID: session.id, on: db)
            }
            result.array("topics", of: topics) { writer, counted in
                writer.object {
                    $0.members(of: counted.topic)
                    $0.member("documents", counted.documents)
                    $0.member("chunks", counted.chunks)
                }
            }
        },
        session(
            "topic.update", .write,
            "Changes a topic; new words relate chunks anew, `completed` is the student's tick.",
            [
                .id("topic"), .optionalString("title", maximumBytes: NewTopic.textLimit),
                .optionalStrings("subtopics", maximumCount: NewTopic.subtopicLimit),
                .optionalFlag("completed"),
            ]
        ) { call, session, result in
            let id = try call.params.id("topic")
            let title = try call.params.optionalString("title", maximumBytes: NewTopic.textLimit)
            let subtopics = try call.params.optionalStrings(
                "subtopics", maximumCount: NewTopic.subtopicLimit)
            let isCompleted = try call.params.optionalFlag("completed")
            try call.params.finish()
            try await requireSession(session, call)
            let hasWords = title != nil || subtopics != nil
            let (topic, job) = try await call.services.pool.withTransaction(as: session.asker) {
                db in
                let before = try await TopicRepository.get(sessionID: session.id, id: id, on: db)
                guard let before else { throw noTopic }
                let words =
                    hasWords
                    ? try NewTopic(
                        title: title ?? before.title, subtopics: subtopics ?? before.subtopics)
                    : nil
                let topic = try await TopicRepository.update(
                    sessionID: session.id, id: id, words: words, isCompleted: isCompleted, on: db)
                guard let topic else { throw noTopic }
                let job =
                    hasWords
                    ? try await JobRepository.enqueueAssignment(sessionID: session.id, on: db) : nil
                return (topic, job)
            }
            call.services.ingestor.wake()
            result.object("topic") { $0.members(of: topic) }
            if let job { result.object("job") { $0.members(of: job) } }
        },
        session(
            "topic.reorder", .write, "Puts the topics in this order; each stands in it once.",
            [.ids("topics", maximumCount: NewTopic.sessionLimit)]
        ) { call, session, result in
            let ids = try call.params.optionalIDs("topics", maximumCount: NewTopic.sessionLimit)
            guard let ids else { throw WireError.missing("topics") }
            try call.params.finish()
            try await requireSession(session, call)
            let topics = try await call.services.pool.withTransaction(as: session.asker) { db in
                _ = try await SessionRepository.nextRevision(id: session.id, on: db)
                try await TopicRepository.reorder(sessionID: session.id, ids: ids, on: db)
                return try await TopicRepository.list(sessionID: session.id, on: db)
            }
            result.array("topics", of: topics) { writer, topic in
                writer.object { $0.members(of: topic) }
            }
        },
        session(
            "topic.delete", .write, "Deletes a topic and its chat; no chunk is about it any more.",
            [.id("topic")]
        ) { call, session, result in
            let id = try call.params.id("topic")
            try call.params.finish()
            try await requireSession(session, call)
            let job = try await call.services.pool.withTransaction(as: session.asker) { db in
                guard
                    try await TopicRepository.delete(sessionID: session.id, id: id, on: db)
                else { throw noTopic }
                return try await JobRepository.enqueueAssignment(sessionID: session.id, on: db)
            }
            await call.services.searcher.snapshots?.committed(session.id)
            call.services.ingestor.wake()
            result.member("deleted", true)
            result.object("job") { $0.members(of: job) }
        },
    ]

    static var noTopic: WireError {
        WireError(.notFound, "The session has no such topic.", field: "topic")
    }
}

extension JSONWriter {
    mutating func members(of topic: Topic) {
        member("id", topic.id)
        member("title", topic.title)
        member("subtopics", topic.subtopics)
        member("order", topic.orderIndex)
        member("completed", topic.isCompleted)
        member("createdAt", topic.createdAt)
        member("updatedAt", topic.updatedAt)
    }
}
