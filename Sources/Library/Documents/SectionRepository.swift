// Sections of a document: in order, covering its text, each counted on the page it starts on.

package import Postgres
package import FoundationEssentials

package struct Section: Sendable, Equatable {
    package let sessionID: UUID
    package let id: UUID
    /// The page it starts on; it may end on a later one.
    package let pageID: UUID
    package let pageNumber: Int
    /// From 0 on that page.
    package let index: Int
    package let heading: String?
    /// Headings from the outermost to this one.
    package let headingPath: [String]
    package let content: String
    /// `start..<end` in the document's text, in Unicode scalars.
    package let start: Int
    package let end: Int
}

/// A section before it has a row.
package struct NewSection: Sendable {
    package var id: UUID
    package var pageID: UUID
    package var index: Int
    package var heading: String?
    package var headingPath: [String]
    package var content: String
    package var start: Int
    package var end: Int

    package init(
        id: UUID, pageID: UUID, index: Int, heading: String?, headingPath: [String],
        content: String, start: Int, end: Int
    ) {
        self.id = id
        self.pageID = pageID
        self.index = index
        self.heading = heading
        self.headingPath = headingPath
        self.content = content
        self.start = start
        self.end = end
    }
}

package enum SectionRepository {
    /// Stores sections one by one: there are few of them, and an array of arrays (the heading
    /// paths) cannot be ragged in PostgreSQL.
    package static func insert(
        _ sections: [NewSection], sessionID: UUID, on db: some Queryable
    ) async throws {
        for section in sections {
            try await db.execute(
                insert, sessionID, section.id, section.pageID, section.index, section.heading,
                section.headingPath, section.content, section.start, section.end)
        }
    }

    package static func get(sessionID: UUID, id: UUID, on db: some Queryable) async throws
        -> Section?
    {
        try await db.query(selectByID, sessionID, id).first.map(Section.init)
    }

    /// A document's sections in reading order, after the last one seen.
    package static func list(
        sessionID: UUID, documentID: UUID, limit: Int, after: SectionCursor? = nil,
        on db: some Queryable
    ) async throws -> [Section] {
        try await db.query(
            selectPage, sessionID, documentID, limit, after?.pageNumber ?? 0, after?.index ?? 0
        ).map(Section.init)
    }
}

extension SectionRepository {
    private static let columns = """
        s.session_id, s.id, s.page_id, p.page_number, s.section_index, s.heading,
        s.heading_path, s.content, s.text_start, s.text_end
        """

    private static let insert = Statement(
        "section.insert",
        """
        INSERT INTO carrel.sections
            (session_id, id, page_id, section_index, heading, heading_path, content, text_start,
             text_end)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """)

    private static let selectByID = Statement(
        "section.selectByID",
        """
        SELECT \(columns)
        FROM carrel.sections AS s
        JOIN carrel.pages AS p ON p.session_id = s.session_id AND p.id = s.page_id
        WHERE s.session_id = $1 AND s.id = $2
        """)

    // Plan: a join of pages by pages_page_number_key with sections by sections_section_index_key.
    package static let selectPage = Statement(
        "section.selectPage",
        """
        SELECT \(columns)
        FROM carrel.pages AS p
        JOIN carrel.sections AS s ON s.session_id = p.session_id AND s.page_id = p.id
        WHERE p.session_id = $1
            AND p.document_id = $2
            AND p.page_number >= $4
            AND (p.page_number, s.section_index) > ($4, $5)
        ORDER BY p.page_number, s.section_index
        LIMIT $3
        """)
}

extension Section {
    init(_ row: Row) throws(PostgresError) {
        sessionID = try row.get(0)
        id = try row.get(1)
        pageID = try row.get(2)
        pageNumber = try row.get(3)
        index = try row.get(4)
        heading = try row.get(5)
        headingPath = try row.get(6)
        content = try row.get(7)
        start = try row.get(8)
        end = try row.get(9)
    }
}
