// Groups of accounts, to share documents with.

package import Postgres
package import FoundationEssentials

package struct Group: Sendable, Equatable {
    package struct Member: Sendable, Equatable {
        package let id: UUID
        package let handle: String
    }

    package let id: UUID
    package let name: String
    /// Who looks after it; nil when that account is gone.
    package let ownerID: UUID?
    package let createdAt: Date
    /// In the order of their handles.
    package let members: [Member]
}

package enum GroupRepository {
    /// - Throws: `LibraryError.conflict` when the name is taken.
    package static func create(name: String, ownerID: UUID, on db: some Queryable) async throws
        -> UUID
    {
        guard let row = try await db.query(insert, name, ownerID).first else {
            throw LibraryError.conflict("there is a group named \(name) already")
        }
        return try row.get(0)
    }

    /// A group that the account looks after or belongs to; any group when `profileID` is nil.
    package static func get(id: UUID, visibleTo profileID: UUID?, on db: some Queryable)
        async throws -> Group?
    {
        try await db.query(selectOne, profileID, id).first.map(Group.init)
    }

    /// The groups the account looks after or belongs to, all when `profileID` is nil; by id, `limit`
    /// at most, `after` being the last one seen.
    package static func list(
        visibleTo profileID: UUID?, limit: Int, after: UUID? = nil, on db: some Queryable
    ) async throws -> [Group] {
        try await db.query(selectPage, profileID, limit, after).map(Group.init)
    }

    /// Deletes a group, and with it what was shared to it. Returns whether it was there.
    package static func delete(id: UUID, on db: some Queryable) async throws -> Bool {
        try await db.execute(remove, id) > 0
    }

    /// Returns whether the account was not a member before.
    package static func addMember(_ profileID: UUID, to id: UUID, on db: some Queryable)
        async throws -> Bool
    {
        try await db.execute(insertMember, id, profileID) > 0
    }

    /// Returns whether the account was a member.
    package static func removeMember(_ profileID: UUID, from id: UUID, on db: some Queryable)
        async throws -> Bool
    {
        try await db.execute(deleteMember, id, profileID) > 0
    }
}

extension GroupRepository {
    private static let insert = Statement(
        "group.insert",
        """
        INSERT INTO carrel.groups (name, owner_id)
        VALUES ($1, $2)
        ON CONFLICT (name) DO NOTHING
        RETURNING id
        """)

    /// $1 is the account that looks, or NULL.
    private static let visible = """
        SELECT g.id, g.name, g.owner_id, g.created_at,
            coalesce(array_agg(p.id ORDER BY p.handle) FILTER (WHERE p.id IS NOT NULL), '{}'),
            coalesce(array_agg(p.handle ORDER BY p.handle) FILTER (WHERE p.id IS NOT NULL), '{}')
        FROM carrel.groups AS g
        LEFT JOIN carrel.group_members AS m ON m.group_id = g.id
        LEFT JOIN carrel.profiles AS p ON p.id = m.profile_id
        WHERE ($1::uuid IS NULL
            OR g.owner_id = $1
            OR g.id IN (
                SELECT mine.group_id FROM carrel.group_members AS mine WHERE mine.profile_id = $1
            ))
        """

    private static let selectOne = Statement(
        "group.select", "\(visible) AND g.id = $2 GROUP BY g.id")

    private static let selectPage = Statement(
        "group.selectPage",
        """
        \(visible)
            AND g.id > coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid)
        GROUP BY g.id
        ORDER BY g.id
        LIMIT $2
        """)

    private static let remove = Statement(
        "group.delete", "DELETE FROM carrel.groups WHERE id = $1")

    private static let insertMember = Statement(
        "group.addMember",
        """
        INSERT INTO carrel.group_members (group_id, profile_id)
        VALUES ($1, $2)
        ON CONFLICT DO NOTHING
        """)

    private static let deleteMember = Statement(
        "group.removeMember",
        "DELETE FROM carrel.group_members WHERE group_id = $1 AND profile_id = $2")
}

extension Group {
    init(_ row: Row) throws(PostgresError) {
        id = try row.get(0)
        name = try row.get(1)
        ownerID = try row.get(2)
        createdAt = try row.get(3)
        let ids: [UUID] = try row.get(4)
        let handles: [String] = try row.get(5)
        members = zip(ids, handles).map { Member(id: $0, handle: $1) }
    }
}
