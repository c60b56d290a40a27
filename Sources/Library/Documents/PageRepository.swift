// Pages of a document: contiguous, in order, covering its text.

package import Postgres
package import FoundationEssentials

package struct Page: Sendable, Equatable {
    package let sessionID: UUID
    package let id: UUID
    package let documentID: UUID
    /// From 1.
    package let number: Int
    /// `start..<end` in the document's text, in Unicode scalars.
    package let start: Int
    package let end: Int

    package init(sessionID: UUID, id: UUID, documentID: UUID, number: Int, start: Int, end: Int) {
        self.sessionID = sessionID
        self.id = id
        self.documentID = documentID
        self.number = number
        self.start = start
        self.end = end
    }
}

package enum PageRepository {
    /// Stores pages, all in one statement; returns how many. Ids are the caller's.
    @discardableResult
    package static func insert(_ pages: [Page], on db: some Queryable) async throws -> Int {
        try await db.execute(
            insertMany, pages.map(\.sessionID), pages.map(\.id), pages.map(\.documentID),
            pages.map(\.number), pages.map(\.start), pages.map(\.end))
    }

    package static func get(sessionID: UUID, id: UUID, on db: some Queryable) async throws -> Page?
    {
        try await db.query(selectByID, sessionID, id).first.map(Page.init)
    }

    /// A document's pages by number, after the last one seen.
    package static func list(
        sessionID: UUID, documentID: UUID, limit: Int, after: Int = 0, on db: some Queryable
    ) async throws -> [Page] {
        try await db.query(selectPage, sessionID, documentID, after, limit).map(Page.init)
    }
}

extension PageRepository {
    private static let columns = "session_id, id, document_id, page_number, text_start, text_end"

    private static let insertMany = Statement(
        "page.insert",
        """
        INSERT INTO carrel.pages (\(columns))
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::int[], $6::int[])
        """)

    private static let selectByID = Statement(
        "page.selectByID",
        "SELECT \(columns) FROM carrel.pages WHERE session_id = $1 AND id = $2")

    // Plan: Index Scan using pages_page_number_key, from the cursor on.
    package static let selectPage = Statement(
        "page.selectPage",
        """
        SELECT \(columns)
        FROM carrel.pages
        WHERE session_id = $1 AND document_id = $2 AND page_number > $3
        ORDER BY page_number
        LIMIT $4
        """)
}

extension Page {
    init(_ row: Row) throws(PostgresError) {
        sessionID = try row.get(0)
        id = try row.get(1)
        documentID = try row.get(2)
        number = try row.get(3)
        start = try row.get(4)
        end = try row.get(5)
    }
}
