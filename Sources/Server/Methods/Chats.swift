import Accounts
import Library
import Postgres
import Wire

extension Method {
    /// What is said about a session and its topics, and which chunks were cited.
    static let chats = [
        session(
            "chat.create", .write,
            "Makes the chat of a topic, or without one the session's general chat.",
            .repeatable([.optionalID("topic")])
        ) { call, session, result in
            let topic = try call.params.optionalID("topic")
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            try await requireSession(session, call)
            try await onceInTransaction(key, call, session.principal, &result) { db, writer in
                if let topic,
                    try await TopicRepository.get(sessionID: session.id, id: topic, on: db) == nil
                {
                    throw noTopic
                }
                let chat = try await ChatRepository.create(
                    sessionID: session.id, topicID: topic, on: db)
                writer.object("chat") { $0.members(of: chat) }
            }
        },
        session(
            "chat.list", .read, "The chats of the session, oldest first.",
            .paged()
        ) { call, session, result in
            let page = try ListPage<TimeCursor>(&call)
            try call.params.finish()
            try await requireSession(session, call)
            let chats = try await call.services.pool.withConnection(as: session.asker) { db in
                try await ChatRepository.list(
                    sessionID: session.id, limit: page.limit + 1, after: page.cursor, on: db)
            }
            page.write("chats", chats, &result) {
                TimeCursor(createdAt: $0.createdAt, id: $0.id)
            } _: { writer, chat in
                writer.object { $0.members(of: chat) }
            }
        },
        session(
            "message.append", .write, "Says something in a chat, citing chunks of the session.",
            .repeatable([
                .id("chat"), .choice("role", of: MessageRole.self),
                .string("content", maximumBytes: contentLimit),
                .optionalIDs("citedChunks", maximumCount: citationLimit),
            ])
        ) { call, session, result in
            let chat = try call.params.id("chat")
            let role = try call.params.choice("role", of: MessageRole.self)
            let content = try call.params.string("content", maximumBytes: contentLimit)
            let cited = try call.params.optionalIDs("citedChunks", maximumCount: citationLimit)
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            try await requireSession(session, call)
            try await onceInTransaction(key, call, session.principal, &result) { db, writer in
                guard try await ChatRepository.get(sessionID: session.id, id: chat, on: db) != nil
                else { throw noChat }
                let message = try await MessageRepository.append(
                    sessionID: session.id, chatID: chat, role: role, content: content,
                    citedChunkIDs: cited ?? [], on: db)
                writer.object("message") { $0.members(of: message) }
            }
        },
        session(
            "message.list", .read, "What was said in a chat, oldest first.",
            .paged([.id("chat")])
        ) { call, session, result in
            let chat = try call.params.id("chat")
            let page = try ListPage<TimeCursor>(&call)
            try call.params.finish()
            try await requireSession(session, call)
            let messages = try await call.services.pool.withConnection(as: session.asker) { db in
                guard try await ChatRepository.get(sessionID: session.id, id: chat, on: db) != nil
                else { throw noChat }
                return try await MessageRepository.list(
                    sessionID: session.id, chatID: chat, limit: page.limit + 1,
                    after: page.cursor, on: db)
            }
            page.write("messages", messages, &result) {
                TimeCursor(createdAt: $0.createdAt, id: $0.id)
            } _: { writer, message in
                writer.object { $0.members(of: message) }
            }
        },
    ]

    /// Bytes of one message: an answer of a language model with room to spare.
    private static let contentLimit = 256 << 10
    private static let citationLimit = 256

    private static var noChat: WireError {
        WireError(.notFound, "The session has no such chat.", field: "chat")
    }
}

extension JSONWriter {
    fileprivate mutating func members(of chat: Chat) {
        member("id", chat.id)
        member("type", chat.type.rawValue)
        if let topic = chat.topicID { member("topic", topic) } else { null("topic") }
        member("started", chat.isStarted)
        member("createdAt", chat.createdAt)
        member("updatedAt", chat.updatedAt)
    }

    fileprivate mutating func members(of message: Message) {
        member("id", message.id)
        member("chat", message.chatID)
        member("role", message.role.rawValue)
        member("content", message.content)
        member("citedChunks", message.citedChunkIDs)
        member("createdAt", message.createdAt)
    }
}
