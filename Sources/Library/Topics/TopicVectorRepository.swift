// What topics mean, as vectors.

package import Postgres
package import struct Foundation.UUID

package enum TopicVectorRepository {
    /// The vectors of one topic: the title's, then the subtopics', 768 numbers each.
    package struct Meaning: Sendable {
        package let topicID: UUID
        package let vectors: [[Float]]

        package init(topicID: UUID, vectors: [[Float]]) {
            self.topicID = topicID
            self.vectors = vectors
        }
    }

    /// Puts the vectors of all topics in the place of those before.
    ///
    /// The session's row must be locked by this transaction: every chunk stored later is related by
    /// these.
    package static func replace(
        with meanings: [Meaning], sessionID: UUID, modelID: UUID, on transaction: Transaction
    ) async throws {
        try await transaction.execute(deleteAll, sessionID)
        for meaning in meanings {
            for (place, vector) in meaning.vectors.enumerated() {
                try await transaction.execute(
                    insert, sessionID, meaning.topicID, place, modelID, PostgresVector(vector))
            }
        }
    }

    private static let deleteAll = Statement(
        "topicVector.deleteAll", "DELETE FROM carrel.topic_vectors WHERE session_id = $1")

    private static let insert = Statement(
        "topicVector.insert",
        """
        INSERT INTO carrel.topic_vectors
            (session_id, topic_id, place, embedding_model_id, embedding)
        VALUES ($1, $2, $3, $4, $5)
        """)
}
