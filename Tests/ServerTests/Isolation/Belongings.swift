// What belongs to whom, read from the catalog: a table that a migration adds tomorrow is in it.

import Postgres

/// Whose rows are meant: an account's, or those of one of its sessions.
struct Domain {
    /// Conditions by what a table has; the first that fits says whose a row is.
    let conditions: [(table: String?, column: String?, sql: String)]

    /// All of an account.
    static func account(_ id: String) -> Domain {
        let sessions = "SELECT s.id FROM carrel.study_sessions AS s WHERE s.profile_id = '\(id)'"
        return Domain(conditions: [
            ("profiles", nil, "t.id = '\(id)'"),
            ("audit_log", nil, "coalesce(t.actor_id = '\(id)', false)"),
            ("groups", nil, "coalesce(t.owner_id = '\(id)', false)"),
            // A group is its owner's, and so is who belongs to it.
            (
                "group_members", nil,
                "t.group_id IN (SELECT g.id FROM carrel.groups AS g WHERE g.owner_id = '\(id)')"
            ),
            (nil, "profile_id", "t.profile_id = '\(id)'"),
            (nil, "session_id", "t.session_id IN (\(sessions))"),
        ])
    }

    /// One session and what is in it.
    static func session(_ id: String) -> Domain {
        Domain(conditions: [
            ("study_sessions", nil, "t.id = '\(id)'"),
            ("audit_log", nil, "coalesce(t.session_id = '\(id)', false)"),
            ("api_keys", nil, "coalesce(t.session_id = '\(id)', false)"),
            (nil, "session_id", "t.session_id = '\(id)'"),
        ])
    }

    /// Nobody's: what the service keeps of itself.
    static let nobodys: Set = [
        "schema_migrations", "embedding_models", "audit_head", "login_attempts", "unclaimed_blobs",
    ]
}

/// A table of the schema.
struct OwnedTable {
    let name: String
    let hasID: Bool
    private let columns: Set<String>

    static func all(on db: Connection) async throws -> [OwnedTable] {
        let rows = try await db.query(
            Statement(
                "isolation.tables",
                """
                SELECT c.relname::text, bool_or(a.attname = 'id' AND a.atttypid = 'uuid'::regtype),
                    array_agg(a.attname::text)
                FROM pg_catalog.pg_class AS c
                JOIN pg_catalog.pg_attribute AS a
                    ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                WHERE c.relnamespace = 'carrel'::regnamespace AND c.relkind IN ('r', 'p')
                GROUP BY c.relname
                ORDER BY c.relname
                """))
        return try rows.map { row throws(PostgresError) in
            let columns: [String] = try row.get(2)
            return OwnedTable(
                name: try row.get(0), hasID: try row.get(1), columns: Set(columns))
        }
    }

    /// Whether a row `t` belongs to a domain, in SQL; nil for tables in which nothing does.
    func condition(_ domain: Domain) -> String? {
        domain.conditions.first { condition in
            condition.table.map { $0 == name } ?? condition.column.map(columns.contains) ?? false
        }?.sql
    }
}

/// The ids of somebody's rows, by table, in their order.
struct Belongings {
    let ids: [String: [String]]

    var all: Set<String> { Set(ids.values.joined()) }

    /// The first and the last of each table.
    var some: [String] {
        ids.sorted { $0.key < $1.key }.flatMap { Set([$1.first, $1.last].compactMap(\.self)) }
    }

    /// Of the domain only what meets a condition, where one is given by table.
    static func read(
        _ domain: Domain, on pool: Pool, where condition: (OwnedTable) -> String? = { _ in "true" }
    ) async throws -> Belongings {
        try await pool.withConnection(as: .service) { db in
            var ids: [String: [String]] = [:]
            for table in try await OwnedTable.all(on: db) where table.hasID {
                guard let owned = table.condition(domain), let condition = condition(table) else {
                    continue
                }
                let rows = try await db.query(
                    Statement(
                        "isolation.ids",
                        """
                        SELECT t.id::text FROM carrel.\(table.name) AS t
                        WHERE \(owned) AND (\(condition)) ORDER BY t.id
                        """))
                ids[table.name] = try rows.map { row throws(PostgresError) in try row.get(0) }
            }
            return Belongings(ids: ids)
        }
    }
}

/// What every table holds, as hashes: what is a domain's, and what is not.
struct Holdings: Equatable {
    struct Table: Equatable {
        let own: String
        let others: String
    }

    var tables: [String: Table]

    static func read(_ domain: Domain, on pool: Pool) async throws -> Holdings {
        try await pool.withConnection(as: .service) { db in
            let parts = try await OwnedTable.all(on: db).map { table in
                let isOwn = table.condition(domain) ?? "false"
                func hash(_ condition: String) -> String {
                    """
                    coalesce(md5(string_agg(t::text, ' ' ORDER BY t::text)
                        FILTER (WHERE \(condition))), '')
                    """
                }
                return """
                    SELECT '\(table.name)', \(hash(isOwn)), \(hash("NOT (\(isOwn))"))
                    FROM carrel.\(table.name) AS t
                    """
            }
            let rows = try await db.query(
                Statement("isolation.holdings", parts.joined(separator: " UNION ALL ")))
            var tables: [String: Table] = [:]
            for row in rows {
                tables[try row.get(0)] = Table(own: try row.get(1), others: try row.get(2))
            }
            // Bytes of blobs are swept when their time has come, whoever asks what.
            tables["unclaimed_blobs"] = nil
            return Holdings(tables: tables)
        }
    }

    /// Where something of others' is not as it was.
    func changes(since before: Holdings, besides exempt: Set<String> = []) -> [String] {
        tables.keys.filter {
            !exempt.contains($0) && tables[$0]?.others != before.tables[$0]?.others
        }.sorted()
    }

    /// Where anything is not as it was.
    func anyChanges(since before: Holdings, besides exempt: Set<String> = []) -> [String] {
        tables.keys.filter { !exempt.contains($0) && tables[$0] != before.tables[$0] }.sorted()
    }
}
