// What a cache of a session reads: all of it, or what changed since a revision.

package import Postgres
package import FoundationEssentials

/// Everything but the chunks: few rows, read before them.
package struct SessionChanges: Sendable {
    /// The session as it is in this snapshot of the database.
    package let version: SessionVersion
    /// Its model's name.
    package let model: String
    /// The revision after which rows were read; nil when all were.
    package let after: Int64?
    /// The documents that the chunks read lie in.
    package let documents: [DocumentName]
    /// The sections that the chunks read start in.
    package let sections: [SectionPlace]
    /// Documents that were deleted since, with all their chunks. One that was stored again after
    /// that has new rows among the chunks.
    package let removedDocuments: [UUID]
    /// Every removal after this revision is remembered, and none before it for sure.
    package let removalsAfter: Int64
}

package struct DocumentName: Sendable, Equatable {
    package let id: UUID
    package let fileName: String

    package init(id: UUID, fileName: String) {
        self.id = id
        self.fileName = fileName
    }
}

package struct SectionPlace: Sendable, Equatable {
    package let id: UUID
    /// Headings from the outermost to this one.
    package let headingPath: [String]
    /// The page it starts on.
    package let pageNumber: Int

    package init(id: UUID, headingPath: [String], pageNumber: Int) {
        self.id = id
        self.headingPath = headingPath
        self.pageNumber = pageNumber
    }
}

extension SessionRepository {
    /// What was written to a session after a revision, or all of it, except the chunks, which
    /// `ChunkRepository.changed` reads in the same transaction. Nil when the session is gone.
    ///
    /// The transaction must be REPEATABLE READ: only then do version, places and chunks belong
    /// together. A session's revisions are committed in order, so whoever sees revision r sees all
    /// rows up to r and none after it.
    package static func changes(
        of session: UUID, after revision: Int64?, on transaction: Transaction
    ) async throws -> SessionChanges? {
        guard let row = try await transaction.query(selectSnapshotVersion, session).first else {
            return nil
        }
        let version = try SessionVersion(row)
        let model: String = try row.get(6)
        var places = Places()
        if let revision {
            if revision != version.revision {
                places = try await changedPlaces(of: session, after: revision, on: transaction)
            }
        } else {
            places = try await allPlaces(of: session, on: transaction)
        }
        return SessionChanges(
            version: version, model: model, after: revision, documents: places.documents,
            sections: places.sections, removedDocuments: places.removed,
            removalsAfter: try row.get(7))
    }

    private struct Places {
        var documents: [DocumentName] = []
        var sections: [SectionPlace] = []
        var removed: [UUID] = []
    }

    private static func allPlaces(of session: UUID, on db: Transaction) async throws -> Places {
        Places(
            documents: try await db.query(selectDocuments, session).map { row in
                DocumentName(id: try row.get(0), fileName: try row.get(1))
            },
            sections: try await db.query(selectSections, session).map { row in
                SectionPlace(
                    id: try row.get(0), headingPath: try row.get(1), pageNumber: try row.get(2))
            })
    }

    /// In one statement: searches wait for a catch-up, and a round trip is half of what it takes.
    private static func changedPlaces(
        of session: UUID, after revision: Int64, on db: Transaction
    ) async throws -> Places {
        var places = Places()
        for row in try await db.query(selectChangedPlaces, session, revision) {
            let id: UUID = try row.get(0)
            if let fileName: String = try row.get(1) {
                places.documents.append(DocumentName(id: id, fileName: fileName))
            } else if let headingPath: [String] = try row.get(2) {
                places.sections.append(
                    SectionPlace(id: id, headingPath: headingPath, pageNumber: try row.get(3)))
            } else {
                places.removed.append(id)
            }
        }
        return places
    }

    private static let selectSnapshotVersion = Statement(
        "snapshot.selectVersion",
        """
        SELECT s.id, s.profile_id, s.status, s.revision, s.chunk_count, s.embedding_model_id,
            m.name, s.removals_after
        FROM carrel.study_sessions AS s
        JOIN carrel.embedding_models AS m ON m.id = s.embedding_model_id
        WHERE s.id = $1
        """)

    private static let selectDocuments = Statement(
        "snapshot.selectDocuments",
        "SELECT id, file_name FROM carrel.documents WHERE session_id = $1")

    private static let selectSections = Statement(
        "snapshot.selectSections",
        """
        SELECT s.id, s.heading_path, p.page_number
        FROM carrel.sections AS s
        JOIN carrel.pages AS p ON p.session_id = s.session_id AND p.id = s.page_id
        WHERE s.session_id = $1
        """)

    // Documents, with a name; sections, with a heading path; removed documents, with neither.
    //
    // Plan: Index Scan using document_chunks_session_id_revision_idx, once, then the primary keys. The order
    // is there for the planner: of a session that its statistics do not know it expects one row by any
    // index, and read all of one with 12,000 chunks by the wrong one (22 to 105 ms).
    package static let selectChangedPlaces = Statement(
        "snapshot.selectChangedPlaces",
        """
        WITH changed AS MATERIALIZED (
            SELECT document_id, section_id
            FROM carrel.document_chunks
            WHERE session_id = $1 AND revision > $2
            ORDER BY revision
        )
        SELECT d.id, d.file_name, NULL::text[], NULL::integer
        FROM (SELECT DISTINCT document_id FROM changed) AS c
        JOIN carrel.documents AS d ON d.session_id = $1 AND d.id = c.document_id
        UNION ALL
        SELECT s.id, NULL, s.heading_path, p.page_number
        FROM (SELECT DISTINCT section_id FROM changed) AS c
        JOIN carrel.sections AS s ON s.session_id = $1 AND s.id = c.section_id
        JOIN carrel.pages AS p ON p.session_id = $1 AND p.id = s.page_id
        UNION ALL
        SELECT DISTINCT r.document_id, NULL, NULL::text[], NULL::integer
        FROM carrel.removed_documents AS r
        WHERE r.session_id = $1 AND r.revision > $2
        """)
}
