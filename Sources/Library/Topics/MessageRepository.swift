// Messages of a chat, with the chunks they cite.

package import Postgres
package import FoundationEssentials

package enum MessageRole: String, Sendable, Codable, CaseIterable {
    case user, assistant, system
}

package struct Message: Sendable, Equatable {
    package let sessionID: UUID
    package let id: UUID
    package let chatID: UUID
    package let role: MessageRole
    package let content: String
    package let citedChunkIDs: [UUID]
    package let createdAt: Date
}

package enum MessageRepository {
    /// Adds a message and marks its chat as started.
    ///
    /// What it cites must be there now; a message outlives the chunks it cites.
    ///
    /// - Throws: `LibraryError.invalid` naming the place of the first chunk that the session does not
    ///   have (`citedChunks[2]`); `.notFound` when there is no such chat.
    package static func append(
        sessionID: UUID, chatID: UUID, role: MessageRole, content: String,
        citedChunkIDs: [UUID] = [], on db: some Queryable
    ) async throws -> Message {
        if let row = try await db.query(selectMissing, sessionID, citedChunkIDs).first,
            let place: Int = try row.get(0)
        {
            throw LibraryError.invalid(
                field: "citedChunks[\(place - 1)]", reason: "the session has no such chunk")
        }
        let rows = try await db.query(
            insert, sessionID, chatID, role.rawValue, content, citedChunkIDs)
        guard let row = rows.first else { throw LibraryError.notFound }
        return try Message(row)
    }

    /// A chat's messages, oldest first, after the last one seen.
    package static func list(
        sessionID: UUID, chatID: UUID, limit: Int, after: TimeCursor? = nil,
        on db: some Queryable
    ) async throws -> [Message] {
        try await db.query(selectPage, sessionID, chatID, limit, after?.createdAt, after?.id)
            .map(Message.init)
    }
}

extension MessageRepository {
    private static let columns = """
        session_id, id, chat_id, role, content, cited_chunk_ids, created_at
        """

    /// The first of the chunks cited, counted from 1, that the session does not have.
    private static let selectMissing = Statement(
        "message.selectMissing",
        """
        SELECT min(cited.place)
        FROM unnest($2::uuid[]) WITH ORDINALITY AS cited (id, place)
        WHERE NOT EXISTS (
            SELECT FROM carrel.document_chunks AS c WHERE c.session_id = $1 AND c.id = cited.id
        )
        """)

    /// The clock, not the transaction's time: two messages of one transaction have an order.
    private static let insert = Statement(
        "message.insert",
        """
        WITH chat AS (
            UPDATE carrel.chats
            SET is_started = true, updated_at = now()
            WHERE session_id = $1 AND id = $2
            RETURNING session_id, id
        )
        INSERT INTO carrel.messages
            (session_id, chat_id, role, content, cited_chunk_ids, created_at)
        SELECT session_id, id, $3, $4, $5, clock_timestamp()
        FROM chat
        RETURNING \(columns)
        """)

    // Plan: Index Scan using messages_session_id_chat_id_created_at_idx, from the cursor on.
    package static let selectPage = Statement(
        "message.selectPage",
        """
        SELECT \(columns)
        FROM carrel.messages
        WHERE session_id = $1
            AND chat_id = $2
            AND (created_at, id) > (
                coalesce($4, '-infinity'::timestamptz),
                coalesce($5, '00000000-0000-0000-0000-000000000000'::uuid)
            )
        ORDER BY created_at, id
        LIMIT $3
        """)
}

extension Message {
    init(_ row: Row) throws(PostgresError) {
        sessionID = try row.get(0)
        id = try row.get(1)
        chatID = try row.get(2)
        role = try row.label(3)
        content = try row.get(4)
        citedChunkIDs = try row.get(5)
        createdAt = try row.get(6)
    }
}
