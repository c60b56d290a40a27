// What a plan is drafted from: the parents of a session, where they stand, and the headings in them.

package import Postgres
package import struct Foundation.UUID

/// A parent chunk as a plan sees it.
package struct PlanParent: Sendable {
    /// A stretch of a parent under one heading path; empty where there is no heading.
    package struct Heading: Sendable, Equatable {
        package let path: [String]
        package let tokens: Int

        package init(path: [String], tokens: Int) {
            self.path = path
            self.tokens = tokens
        }
    }

    package let id: UUID
    package let documentID: UUID
    package let fileName: String
    package let fileHash: String
    package let index: Int
    package let tokens: Int
    package let text: String
    /// In reading order.
    package var headings: [Heading]

    package init(
        id: UUID, documentID: UUID, fileName: String, fileHash: String, index: Int, tokens: Int,
        text: String, headings: [Heading]
    ) {
        self.id = id
        self.documentID = documentID
        self.fileName = fileName
        self.fileHash = fileHash
        self.index = index
        self.tokens = tokens
        self.text = text
        self.headings = headings
    }
}

extension SessionRepository {
    /// At most `limit` embedded parents, and their vectors, 768 numbers each, in the same order.
    ///
    /// The ids of parents follow from their content, as if drawn at random, so the first ones by id
    /// are a fair sample and the same for the same content.
    package static func planMaterial(of session: UUID, limit: Int, on db: some Queryable)
        async throws -> (parents: [PlanParent], vectors: [Float])
    {
        var parents: [PlanParent] = []
        var vectors: [Float] = []
        var places: [UUID: Int] = [:]
        for row in try await db.query(selectParents, session, limit) {
            let id: UUID = try row.get(0)
            places[id] = parents.count
            parents.append(
                PlanParent(
                    id: id, documentID: try row.get(1), fileName: try row.get(2),
                    fileHash: try row.get(3), index: try row.get(4), tokens: try row.get(5),
                    text: try row.get(6), headings: []))
            try row.appendVector(7, to: &vectors)
        }
        for row in try await db.query(selectHeadings, session, parents.map(\.id)) {
            guard let place = places[try row.get(0)] else { continue }
            parents[place].headings.append(
                PlanParent.Heading(path: try row.get(1), tokens: try row.get(2)))
        }
        return (parents, vectors)
    }

    // Plan: Index Scan using document_chunks_pkey, in the order of ids, until there are enough.
    private static let selectParents = Statement(
        "plan.selectParents",
        """
        SELECT c.id, c.document_id, d.file_name, d.file_hash, c.chunk_index, c.token_count,
            c.chunk_text, c.embedding
        FROM carrel.document_chunks AS c
        JOIN carrel.documents AS d ON d.session_id = c.session_id AND d.id = c.document_id
        WHERE c.session_id = $1 AND c.type = 'PARENT' AND c.embedding IS NOT NULL
        ORDER BY c.id
        LIMIT $2
        """)

    private static let selectHeadings = Statement(
        "plan.selectHeadings",
        """
        SELECT c.parent_chunk_id, s.heading_path, sum(c.token_count)::bigint
        FROM carrel.document_chunks AS c
        JOIN carrel.sections AS s ON s.session_id = c.session_id AND s.id = c.section_id
        WHERE c.session_id = $1 AND c.parent_chunk_id = ANY($2)
        GROUP BY c.parent_chunk_id, s.id, s.heading_path
        ORDER BY c.parent_chunk_id, min(c.chunk_index), s.id
        """)
}
