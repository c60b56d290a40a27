// The documents of a topic.

package import Postgres
package import struct Foundation.UUID

extension DocumentRepository {
    /// The documents that are about a topic, newest first, after the last one seen.
    package static func listDocuments(
        sessionID: UUID, topicID: UUID, limit: Int, after: TimeCursor? = nil,
        on db: some Queryable
    ) async throws -> [Document] {
        try await db.query(selectTopicPage, sessionID, limit, after?.createdAt, after?.id, topicID)
            .map(Document.init)
    }

    private static let selectTopicPage = Statement(
        "document.selectTopicPage",
        """
        SELECT \(columns)
        FROM carrel.documents
        WHERE session_id = $1
            AND (created_at, id) < (
                coalesce($3, 'infinity'::timestamptz),
                coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
            )
            AND EXISTS (
                SELECT
                FROM carrel.document_topics AS x
                WHERE x.session_id = $1 AND x.document_id = documents.id AND x.topic_id = $5
            )
        ORDER BY created_at DESC, id DESC
        LIMIT $2
        """)
}
