// The tables as a picture, drawn from a live catalog: Mermaid, which code forges render
// (https://mermaid.js.org/syntax/entityRelationshipDiagram.html).

package import Postgres

/// An entity-relationship diagram of the schema `carrel`.
package struct SchemaDiagram: Sendable, Equatable {
    /// Mermaid, without the fence around it.
    package let mermaid: String

    package static func read(on db: some Queryable) async throws -> SchemaDiagram {
        var lines = ["erDiagram"]
        for row in try await db.query(selectRelations) {
            let relation: String = try row.get(0)
            lines.append("    \(relation)")
        }
        var table: String?
        for row in try await db.query(selectColumns) {
            let next: String = try row.get(0)
            if next != table {
                if table != nil { lines.append("    }") }
                lines.append("    \(next) {")
                table = next
            }
            let column: String = try row.get(1)
            lines.append("        \(column)")
        }
        if table != nil { lines.append("    }") }
        return SchemaDiagram(mermaid: lines.joined(separator: "\n"))
    }

    /// `uuid document_id PK,FK`, with "null" behind what may be NULL.
    private static let selectColumns = Statement(
        "diagram.columns",
        """
        SELECT c.relname::text,
            concat_ws(' ',
                regexp_replace(t.typname, '^_(.*)$', '\\1[]'),
                a.attname,
                nullif(concat_ws(',',
                    CASE WHEN EXISTS (
                        SELECT FROM pg_catalog.pg_constraint AS k
                        WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)
                    ) THEN 'PK' END,
                    CASE WHEN EXISTS (
                        SELECT FROM pg_catalog.pg_constraint AS k
                        WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)
                    ) THEN 'FK' END
                ), ''),
                CASE WHEN NOT a.attnotnull THEN '"null"' END)
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
        JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
        WHERE c.relnamespace = 'carrel'::regnamespace
            AND c.relkind IN ('r', 'p')
            AND a.attnum > 0
            AND NOT a.attisdropped
        ORDER BY c.relname, a.attnum
        """)

    /// `documents ||--o{ pages : "document_id, cascade"`: one, or at most one where the key may be
    /// NULL, to any number.
    private static let selectRelations = Statement(
        "diagram.relations",
        """
        SELECT format('%s %s--o{ %s : "%s%s"', parent.relname,
            CASE WHEN bool_and(a.attnotnull) THEN '||' ELSE '|o' END,
            child.relname,
            coalesce(
                string_agg(a.attname, ', ' ORDER BY a.attname)
                    FILTER (WHERE a.attname <> 'session_id'),
                'session_id'),
            CASE k.confdeltype WHEN 'c' THEN ', cascade' WHEN 'n' THEN ', set null' ELSE '' END)
        FROM pg_catalog.pg_constraint AS k
        JOIN pg_catalog.pg_class AS child ON child.oid = k.conrelid
        JOIN pg_catalog.pg_class AS parent ON parent.oid = k.confrelid
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
        WHERE k.contype = 'f' AND k.connamespace = 'carrel'::regnamespace
        GROUP BY k.oid, k.confdeltype, parent.relname, child.relname
        ORDER BY parent.relname, child.relname, 1
        """)
}
