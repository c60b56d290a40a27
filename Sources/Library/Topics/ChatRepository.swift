// Chats of a session: at most one general one, and at most one per topic.

package import Postgres
package import FoundationEssentials

package enum ChatType: String, Sendable, Codable, CaseIterable {
    case general = "GENERAL"
    case topic = "TOPIC"
}

package struct Chat: Sendable, Equatable {
    package let sessionID: UUID
    package let id: UUID
    package let type: ChatType
    package let topicID: UUID?
    /// Whether anything was ever said in it.
    package let isStarted: Bool
    package let createdAt: Date
    package let updatedAt: Date
}

package enum ChatRepository {
    /// A chat about a topic, or the general one when `topicID` is nil.
    ///
    /// - Throws: `LibraryError.conflict`, naming the chat, when there is one already.
    package static func create(sessionID: UUID, topicID: UUID? = nil, on db: some Queryable)
        async throws -> Chat
    {
        let type: ChatType = topicID == nil ? .general : .topic
        if let row = try await db.query(insert, sessionID, type.rawValue, topicID).first {
            return try Chat(row)
        }
        let existing = try await db.query(selectByTopic, sessionID, topicID).first.map(Chat.init)
        let subject = topicID == nil ? "the session has a general chat" : "the topic has a chat"
        let name = existing.map { ", \($0.id.uuidString.lowercased())" } ?? ""
        throw LibraryError.conflict("\(subject) already\(name)")
    }

    package static func get(sessionID: UUID, id: UUID, on db: some Queryable) async throws -> Chat?
    {
        try await db.query(selectByID, sessionID, id).first.map(Chat.init)
    }

    /// Oldest first, after the last one seen.
    package static func list(
        sessionID: UUID, limit: Int, after: TimeCursor? = nil, on db: some Queryable
    ) async throws -> [Chat] {
        try await db.query(selectPage, sessionID, limit, after?.createdAt, after?.id)
            .map(Chat.init)
    }
}

extension ChatRepository {
    private static let columns = """
        session_id, id, type, topic_id, is_started, created_at, updated_at
        """

    private static let insert = Statement(
        "chat.insert",
        """
        INSERT INTO carrel.chats (session_id, type, topic_id)
        VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING
        RETURNING \(columns)
        """)

    private static let selectByID = Statement(
        "chat.selectByID",
        "SELECT \(columns) FROM carrel.chats WHERE session_id = $1 AND id = $2")

    private static let selectByTopic = Statement(
        "chat.selectByTopic",
        """
        SELECT \(columns)
        FROM carrel.chats
        WHERE session_id = $1 AND topic_id IS NOT DISTINCT FROM $2
        """)

    // A session has one chat more than topics at most; there is no index for the order.
    private static let selectPage = Statement(
        "chat.selectPage",
        """
        SELECT \(columns)
        FROM carrel.chats
        WHERE session_id = $1
            AND (created_at, id) > (
                coalesce($3, '-infinity'::timestamptz),
                coalesce($4, '00000000-0000-0000-0000-000000000000'::uuid)
            )
        ORDER BY created_at, id
        LIMIT $2
        """)
}

extension Chat {
    init(_ row: Row) throws(PostgresError) {
        sessionID = try row.get(0)
        id = try row.get(1)
        type = try row.label(2)
        topicID = try row.get(3)
        isStarted = try row.get(4)
        createdAt = try row.get(5)
        updatedAt = try row.get(6)
    }
}
