// Chats of a session: any number of general ones, and at most one per topic.

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
    package let isStarted: Bool
    package let createdAt: Date
    package let updatedAt: Date
}

package enum ChatRepository {
    /// A chat about a topic, or a general one when `topicID` is nil.
    ///
    /// - Throws: `LibraryError.conflict` when the topic has a chat already.
    package static func create(sessionID: UUID, topicID: UUID? = nil, on db: some Queryable)
        async throws -> Chat
    {
        let type: ChatType = topicID == nil ? .general : .topic
        let rows = try await db.query(insert, sessionID, type.rawValue, topicID)
        guard let row = rows.first else {
            throw LibraryError.conflict("the topic has a chat already")
        }
        return try Chat(row)
    }

    package static func get(sessionID: UUID, id: UUID, on db: some Queryable) async throws -> Chat?
    {
        try await db.query(selectByID, sessionID, id).first.map(Chat.init)
    }

    /// All of them, oldest first.
    package static func list(sessionID: UUID, on db: some Queryable) async throws -> [Chat] {
        try await db.query(selectAll, sessionID).map(Chat.init)
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
        ON CONFLICT (session_id, topic_id) DO NOTHING
        RETURNING \(columns)
        """)

    private static let selectByID = Statement(
        "chat.selectByID",
        "SELECT \(columns) FROM carrel.chats WHERE session_id = $1 AND id = $2")

    private static let selectAll = Statement(
        "chat.selectAll",
        "SELECT \(columns) FROM carrel.chats WHERE session_id = $1 ORDER BY created_at, id")
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
