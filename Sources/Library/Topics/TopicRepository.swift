// Topics of a session, in the order the student works through them.

package import Postgres
package import FoundationEssentials

package struct Topic: Sendable, Equatable {
    package let sessionID: UUID
    package let id: UUID
    package let title: String
    package let subtopics: [String]
    package let orderIndex: Int
    package let isCompleted: Bool
    package let createdAt: Date
    package let updatedAt: Date
}

package enum TopicRepository {
    /// - Throws: `LibraryError.conflict` when the session has a topic of this title;
    ///   `unique_violation` on `topics_order_index_key` when the place is taken.
    package static func create(
        sessionID: UUID, title: String, subtopics: [String] = [], orderIndex: Int,
        on db: some Queryable
    ) async throws -> Topic {
        let rows = try await db.query(insert, sessionID, title, subtopics, orderIndex)
        guard let row = rows.first else {
            throw LibraryError.conflict("the session has a topic named \(title)")
        }
        return try Topic(row)
    }

    package static func get(sessionID: UUID, id: UUID, on db: some Queryable) async throws -> Topic?
    {
        try await db.query(selectByID, sessionID, id).first.map(Topic.init)
    }

    /// All of them, in order; a session has dozens at most.
    package static func list(sessionID: UUID, on db: some Queryable) async throws -> [Topic] {
        try await db.query(selectAll, sessionID).map(Topic.init)
    }

    /// Gives the topics the places 0, 1, 2 … in the order of `ids`. One statement: the places are
    /// compared when it ends, so topics can change places.
    ///
    /// - Throws: `LibraryError.invalid` unless `ids` names every topic of the session once.
    package static func reorder(sessionID: UUID, ids: [UUID], on transaction: Transaction)
        async throws
    {
        let present = try await transaction.query(selectIDs, sessionID)
            .map { row throws(PostgresError) -> UUID in try row.get(0) }
        guard ids.count == present.count, Set(ids) == Set(present) else {
            throw LibraryError.invalid(
                field: "topics", reason: "expected each of the \(present.count) topics once")
        }
        try await transaction.execute(updateOrder, sessionID, ids)
    }

    package static func setCompleted(
        _ isCompleted: Bool, sessionID: UUID, id: UUID, on db: some Queryable
    ) async throws -> Bool {
        try await db.execute(updateCompleted, sessionID, id, isCompleted) > 0
    }

    /// Changes what is given. Nil when the session has no such topic.
    ///
    /// - Throws: `LibraryError.conflict` when another topic has the title.
    package static func update(
        sessionID: UUID, id: UUID, words: NewTopic?, isCompleted: Bool?, on transaction: Transaction
    ) async throws -> Topic? {
        _ = try await SessionRepository.nextRevision(id: sessionID, on: transaction)
        if let words,
            let other = try await transaction.query(selectByTitle, sessionID, words.title).first,
            try other.get(0) as UUID != id
        {
            throw LibraryError.conflict("the session has a topic named \(words.title)")
        }
        return try await transaction.query(
            updateWords, sessionID, id, words?.title, words?.subtopics, isCompleted
        ).first.map(Topic.init)
    }

    /// Deletes a topic with its chat, and takes it from every chunk. False when it was not there.
    package static func delete(sessionID: UUID, id: UUID, on transaction: Transaction) async throws
        -> Bool
    {
        _ = try await TopicRelations.forget(
            topicID: id, sessionID: sessionID, on: transaction)
        return try await transaction.execute(deleteByID, sessionID, id) > 0
    }

    /// Says that a document is about a topic; saying it again changes nothing.
    package static func link(
        sessionID: UUID, documentID: UUID, topicID: UUID, on db: some Queryable
    ) async throws {
        try await db.execute(insertLink, sessionID, documentID, topicID)
    }
}

extension TopicRepository {
    static let columns = """
        session_id, id, title, subtopics, order_index, is_completed, created_at, updated_at
        """

    private static let insert = Statement(
        "topic.insert",
        """
        INSERT INTO carrel.topics (session_id, title, subtopics, order_index)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (session_id, title) DO NOTHING
        RETURNING \(columns)
        """)

    private static let selectByID = Statement(
        "topic.selectByID",
        "SELECT \(columns) FROM carrel.topics WHERE session_id = $1 AND id = $2")

    private static let selectAll = Statement(
        "topic.selectAll",
        "SELECT \(columns) FROM carrel.topics WHERE session_id = $1 ORDER BY order_index")

    private static let selectIDs = Statement(
        "topic.selectIDs",
        "SELECT id FROM carrel.topics WHERE session_id = $1 ORDER BY id FOR UPDATE")

    private static let updateOrder = Statement(
        "topic.updateOrder",
        """
        UPDATE carrel.topics AS t
        SET order_index = wanted.place - 1, updated_at = now()
        FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (id, place)
        WHERE t.session_id = $1 AND t.id = wanted.id
        """)

    private static let updateCompleted = Statement(
        "topic.updateCompleted",
        """
        UPDATE carrel.topics
        SET is_completed = $3, updated_at = now()
        WHERE session_id = $1 AND id = $2
        """)

    private static let selectByTitle = Statement(
        "topic.selectByTitle",
        "SELECT id FROM carrel.topics WHERE session_id = $1 AND lower(title) = lower($2)")

    private static let updateWords = Statement(
        "topic.update",
        """
        UPDATE carrel.topics
        SET title = coalesce($3, title),
            subtopics = coalesce($4, subtopics),
            is_completed = coalesce($5, is_completed),
            updated_at = now()
        WHERE session_id = $1 AND id = $2
        RETURNING \(columns)
        """)

    private static let deleteByID = Statement(
        "topic.delete", "DELETE FROM carrel.topics WHERE session_id = $1 AND id = $2")

    private static let insertLink = Statement(
        "topic.link",
        """
        INSERT INTO carrel.document_topics (session_id, document_id, topic_id)
        VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING
        """)
}

extension Topic {
    init(_ row: Row) throws(PostgresError) {
        sessionID = try row.get(0)
        id = try row.get(1)
        title = try row.get(2)
        subtopics = try row.get(3)
        orderIndex = try row.get(4)
        isCompleted = try row.get(5)
        createdAt = try row.get(6)
        updatedAt = try row.get(7)
    }
}
