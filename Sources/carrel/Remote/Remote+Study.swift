// Plans, topics and chats, as the commands ask for them.

import CarrelClient
import Foundation

extension RemoteOptions {
    /// A connection with that session open: the server and the handle.
    func open(_ option: SessionOption) async throws -> (Remote, String) {
        let server = try await connect()
        let session = try await server.session(named: option.session)
        return (server, try await server.open(session.id))
    }
}

extension Remote {
    // MARK: Plans

    func draftPlan(in session: String, language: String?) async throws -> PlanShape {
        struct Parameters: Encodable {
            let session: String
            let language: String?
        }
        struct Answer: Decodable { let plan: PlanShape }
        let answer: Answer = try await call(
            "session.plan.draft", Parameters(session: session, language: language))
        return answer.plan
    }

    /// The plan as it stands; nil when there is none.
    func plan(of session: UUID) async throws -> PlanShape? {
        struct Session: Decodable { let plan: PlanShape? }
        struct Answer: Decodable { let session: Session }
        let answer: Answer = try await call(
            "session.get", ["session": session.uuidString.lowercased()])
        return answer.session.plan
    }

    func editPlan(_ plan: PlanShape, in session: String) async throws -> PlanShape {
        struct Topic: Encodable {
            let title: String
            let subtopics: [String]?
        }
        struct Parameters: Encodable {
            let session: String
            let topics: [Topic]
        }
        struct Answer: Decodable { let plan: PlanShape }
        let topics = plan.topics.map { Topic(title: $0.title, subtopics: $0.subtopics) }
        let answer: Answer = try await call(
            "session.plan.edit", Parameters(session: session, topics: topics))
        return answer.plan
    }

    func acceptPlan(in session: String, replacing: Bool) async throws -> JobShape {
        struct Parameters: Encodable {
            let session: String
            let replace: Bool
        }
        struct Answer: Decodable { let job: JobShape }
        let answer: Answer = try await call(
            "session.plan.accept", Parameters(session: session, replace: replacing))
        return answer.job
    }

    // MARK: Topics

    func topics(in session: String) async throws -> [TopicShape] {
        struct Answer: Decodable { let topics: [TopicShape] }
        let answer: Answer = try await call("topic.list", ["session": session])
        return answer.topics
    }

    /// The topic with that id or title.
    func topic(named name: String, in session: String) async throws -> TopicShape {
        let id = UUID(uuidString: name)
        let found = try await topics(in: session).first {
            $0.id == id || $0.title.lowercased() == name.lowercased()
        }
        guard let found else {
            throw Failure("there is no topic \"\(name)\"; see `carrel topic list`")
        }
        return found
    }

    func createTopic(
        _ title: String, _ subtopics: [String], in session: String
    ) async throws -> (TopicShape, JobShape) {
        struct Parameters: Encodable {
            let session: String
            let title: String
            let subtopics: [String]
        }
        struct Answer: Decodable {
            let topic: TopicShape
            let job: JobShape
        }
        let answer: Answer = try await call(
            "topic.create", Parameters(session: session, title: title, subtopics: subtopics))
        return (answer.topic, answer.job)
    }

    func tick(_ topic: UUID, completed: Bool, in session: String) async throws -> TopicShape {
        struct Parameters: Encodable {
            let session: String
            let topic: UUID
            let completed: Bool
        }
        struct Answer: Decodable { let topic: TopicShape }
        let answer: Answer = try await call(
            "topic.update", Parameters(session: session, topic: topic, completed: completed))
        return answer.topic
    }

    func reorder(_ topics: [UUID], in session: String) async throws {
        struct Parameters: Encodable {
            let session: String
            let topics: [UUID]
        }
        struct Nothing: Decodable {}
        let _: Nothing = try await call(
            "topic.reorder", Parameters(session: session, topics: topics))
    }

    func deleteTopic(_ topic: UUID, in session: String) async throws -> JobShape {
        struct Answer: Decodable { let job: JobShape }
        let answer: Answer = try await call(
            "topic.delete", ["session": session, "topic": topic.uuidString.lowercased()])
        return answer.job
    }

    /// Waits until chunks are related to the topics as they are now.
    func relate(_ job: JobShape, quiet: Bool) async throws {
        let progress = Progress("relating", unit: "chunks", quiet: quiet)
        let ended = try await follow(job) { progress.update(done: $0.done, total: $0.total) }
        progress.finish()
        guard ended.state == "SUCCEEDED" else {
            throw Failure("passages were not related: \(ended.error ?? ended.state.lowercased())")
        }
    }

    // MARK: Chats

    func chats(in session: String) async throws -> [ChatShape] {
        struct Answer: Page {
            let chats: [ChatShape]
            let next: String?
            var items: [ChatShape] { chats }
        }
        return try await everything(
            "chat.list", PageParameters(session: session), as: Answer.self)
    }

    /// The chat about a topic, or the general one when `topic` is nil.
    func chat(
        about topic: String?, in session: String, making: Bool
    ) async throws -> ChatShape? {
        var id: UUID?
        if let topic { id = try await self.topic(named: topic, in: session).id }
        if let found = try await chats(in: session).first(where: { $0.topic == id }) {
            return found
        }
        guard making else { return nil }
        struct Parameters: Encodable {
            let session: String
            let topic: UUID?
        }
        struct Answer: Decodable { let chat: ChatShape }
        let answer: Answer = try await call("chat.create", Parameters(session: session, topic: id))
        return answer.chat
    }

    func messages(in chat: UUID, session: String) async throws -> [MessageShape] {
        struct Answer: Page {
            let messages: [MessageShape]
            let next: String?
            var items: [MessageShape] { messages }
        }
        return try await everything(
            "message.list",
            PageParameters(session: session, chat: chat.uuidString.lowercased()),
            as: Answer.self)
    }

    func say(
        _ content: String, as role: String, citing chunks: [String], in chat: UUID,
        session: String
    ) async throws -> MessageShape {
        struct Parameters: Encodable {
            let session: String
            let chat: UUID
            let role: String
            let content: String
            let citedChunks: [String]
        }
        struct Answer: Decodable { let message: MessageShape }
        let answer: Answer = try await call(
            "message.append",
            Parameters(
                session: session, chat: chat, role: role, content: content, citedChunks: chunks))
        return answer.message
    }
}
