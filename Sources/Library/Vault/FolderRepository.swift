// Folders of a session: a tree. That it stays one is the database's to see to.

package import Postgres
package import FoundationEssentials

package struct Folder: Sendable, Equatable {
    package let sessionID: UUID
    package let id: UUID
    /// Nil at the root.
    package let parentID: UUID?
    package let name: String
    package let createdAt: Date
}

package enum FolderRepository {
    /// A new folder.
    ///
    /// - Throws: `LibraryError.conflict` when the place has a folder of this name; a `PostgresError`
    ///   with SQLSTATE `foreign_key_violation` when the session has no such parent.
    package static func create(
        sessionID: UUID, name: String, parentID: UUID? = nil, on db: some Queryable
    ) async throws -> Folder {
        let rows = try await db.query(insert, sessionID, parentID, name)
        guard let row = rows.first else { throw taken(name) }
        return try Folder(row)
    }

    /// All folders in no order of depth, by id, `limit` at most; `after` is the last one seen.
    package static func list(
        sessionID: UUID, limit: Int, after: UUID? = nil, on db: some Queryable
    ) async throws -> [Folder] {
        try await db.query(select, sessionID, limit, after).map(Folder.init)
    }

    /// Puts a folder, with all that is in it, into another; nil is the root.
    ///
    /// - Throws: `LibraryError.notFound`; a `PostgresError` by the constraint `folders_no_cycle` or
    ///   `folders_not_in_itself` when the parent lies below it, by `folders_name_key` when the place has
    ///   one of this name.
    package static func move(
        sessionID: UUID, id: UUID, to parentID: UUID?, on db: some Queryable
    ) async throws -> Folder {
        guard let row = try await db.query(updateParent, sessionID, id, parentID).first else {
            throw LibraryError.notFound
        }
        return try Folder(row)
    }

    /// - Throws: as `move` does.
    package static func rename(
        sessionID: UUID, id: UUID, to name: String, on db: some Queryable
    ) async throws -> Folder {
        guard let row = try await db.query(updateName, sessionID, id, name).first else {
            throw LibraryError.notFound
        }
        return try Folder(row)
    }

    /// Deletes a folder and those in it; documents in them are in none afterwards. Returns whether it
    /// was there.
    package static func delete(sessionID: UUID, id: UUID, on db: some Queryable) async throws
        -> Bool
    {
        try await db.execute(remove, sessionID, id) > 0
    }

    private static func taken(_ name: String) -> LibraryError {
        .conflict("there is a folder named \(name) already")
    }
}

extension FolderRepository {
    private static let columns = "session_id, id, parent_id, name, created_at"

    private static let insert = Statement(
        "folder.insert",
        """
        INSERT INTO carrel.folders (session_id, parent_id, name)
        VALUES ($1, $2, $3)
        ON CONFLICT (session_id, parent_id, name) DO NOTHING
        RETURNING \(columns)
        """)

    private static let select = Statement(
        "folder.select",
        """
        SELECT \(columns)
        FROM carrel.folders
        WHERE session_id = $1
            AND id > coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid)
        ORDER BY id
        LIMIT $2
        """)

    // The trigger takes the same lock, but after the row's: two moves would wait for one another.
    private static let updateParent = Statement(
        "folder.move",
        """
        WITH turn AS MATERIALIZED (
            SELECT pg_advisory_xact_lock(hashtext('carrel.folders'), hashtext($1::uuid::text))
        )
        UPDATE carrel.folders
        SET parent_id = $3
        FROM turn
        WHERE session_id = $1 AND id = $2
        RETURNING \(columns)
        """)

    private static let updateName = Statement(
        "folder.rename",
        """
        UPDATE carrel.folders
        SET name = $3
        WHERE session_id = $1 AND id = $2
        RETURNING \(columns)
        """)

    private static let remove = Statement(
        "folder.delete", "DELETE FROM carrel.folders WHERE session_id = $1 AND id = $2")
}

extension Folder {
    init(_ row: Row) throws(PostgresError) {
        sessionID = try row.get(0)
        id = try row.get(1)
        parentID = try row.get(2)
        name = try row.get(3)
        createdAt = try row.get(4)
    }
}
