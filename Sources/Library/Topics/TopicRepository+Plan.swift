// Topics added at the end, and all of them put in place by a plan.

package import Postgres
package import struct Foundation.UUID

/// A topic, and how much of the session is about it.
package struct CountedTopic: Sendable {
    package let topic: Topic
    package let documents: Int
    /// Child chunks.
    package let chunks: Int
}

extension TopicRepository {
    /// A topic after the others. The session's row is locked: topics take their places in turn.
    ///
    /// - Throws: `LibraryError.conflict` when the session has a topic of this title, or as many as it
    ///   may have.
    package static func append(
        _ new: NewTopic, sessionID: UUID, on transaction: Transaction
    ) async throws -> Topic {
        _ = try await SessionRepository.nextRevision(id: sessionID, on: transaction)
        let topics = try await list(sessionID: sessionID, on: transaction)
        guard topics.count < NewTopic.sessionLimit else {
            throw LibraryError.conflict(
                "the session has \(topics.count) topics, as many as it may have")
        }
        guard !topics.contains(where: { $0.title.lowercased() == new.title.lowercased() }) else {
            throw LibraryError.conflict("the session has a topic named \(new.title)")
        }
        return try await create(
            sessionID: sessionID, title: new.title, subtopics: new.subtopics,
            orderIndex: (topics.last?.orderIndex ?? -1) + 1, on: transaction)
    }

    /// Gives the session these topics, in this order. One that is there already, by its title, stays
    /// the same topic, with its chat; new ones are made.
    ///
    /// - Throws: `LibraryError.conflict` when the session has topics that are not among these, unless
    ///   they may be removed, with their chats.
    package static func replaceAll(
        with wanted: [NewTopic], removingOthers: Bool, sessionID: UUID, on transaction: Transaction
    ) async throws -> [Topic] {
        _ = try await SessionRepository.nextRevision(id: sessionID, on: transaction)
        let present = try await list(sessionID: sessionID, on: transaction)
        let titles = Set(wanted.map { $0.title.lowercased() })
        let others = present.filter { !titles.contains($0.title.lowercased()) }
        guard removingOthers || others.isEmpty else {
            throw LibraryError.conflict(
                "the session has \(others.count) topics that are not in the plan; with `replace` "
                    + "they are removed, with their chats")
        }
        for other in others {
            _ = try await delete(sessionID: sessionID, id: other.id, on: transaction)
        }
        var ids: [UUID] = []
        for new in wanted {
            if let kept = present.first(where: {
                $0.title.lowercased() == new.title.lowercased()
            }) {
                _ = try await update(
                    sessionID: sessionID, id: kept.id, words: new, isCompleted: nil,
                    on: transaction)
                ids.append(kept.id)
            } else {
                ids.append(try await append(new, sessionID: sessionID, on: transaction).id)
            }
        }
        try await reorder(sessionID: sessionID, ids: ids, on: transaction)
        return try await list(sessionID: sessionID, on: transaction)
    }

    /// All of them, in order, with what is about them.
    package static func counted(sessionID: UUID, on db: some Queryable) async throws
        -> [CountedTopic]
    {
        try await db.query(selectCounted, sessionID).map { row in
            CountedTopic(
                topic: try Topic(row), documents: try row.get(8), chunks: try row.get(9))
        }
    }

    // Plan: for each topic an index scan of its documents, and a Bitmap Index Scan on
    // document_chunks_related_topic_ids_idx.
    package static let selectCounted = Statement(
        "topic.selectCounted",
        """
        SELECT \(columns),
            (
                SELECT count(*)
                FROM carrel.document_topics AS d
                WHERE d.session_id = $1 AND d.topic_id = t.id
            ),
            (
                SELECT count(*)
                FROM carrel.document_chunks AS c
                WHERE c.session_id = $1
                    AND c.type = 'CHILD'
                    AND c.related_topic_ids @> ARRAY[t.id]
            )
        FROM carrel.topics AS t
        WHERE session_id = $1
        ORDER BY order_index
        """)
}
