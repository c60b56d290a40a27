// A schema's catalog as lines of text that compare: one line for each type, table, column,
// constraint, index, trigger, function, policy, grant and view, worded by PostgreSQL itself.
//
// Left out is what may differ between two databases of one shape: oids, the order of columns,
// owners and what they may, statistics, data. The schema's own name is taken out of every line.

package import Postgres

/// The sorted lines of a schema; empty when there is no such schema.
package struct CatalogDescription: Sendable, Equatable {
    package let lines: [String]

    package init(lines: [String]) { self.lines = lines }

    package static func read(schema: String, on db: some Queryable) async throws
        -> CatalogDescription
    {
        let rows = try await db.query(select, schema)
        return CatalogDescription(
            lines: try rows.map { row throws(PostgresError) in try row.get(0) })
    }

    /// The lines the other has not, in order.
    package func subtracting(_ other: CatalogDescription) -> [String] {
        let others = Set(other.lines)
        return lines.filter { !others.contains($0) }
    }
}

extension CatalogDescription {
    private static let select = Statement(
        "catalog.describe",
        #"""
        WITH ours AS (SELECT oid AS schema FROM pg_catalog.pg_namespace WHERE nspname = $1),
        described AS (
            SELECT format('type %s is enum (%s)', t.typname,
                string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)) AS line
            FROM pg_catalog.pg_type t
            JOIN ours ON t.typnamespace = ours.schema
            JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
            GROUP BY t.typname
            UNION ALL
            SELECT format('relation %s of kind %s%s%s%s', c.relname, c.relkind,
                CASE WHEN c.relpersistence <> 'p' THEN ' persistence ' || c.relpersistence::text END,
                CASE WHEN c.relrowsecurity THEN ' with row security'
                    || CASE WHEN c.relforcerowsecurity THEN ' forced' ELSE '' END END,
                ' options ' || array_to_string(c.reloptions, ', '))
            FROM pg_catalog.pg_class c
            JOIN ours ON c.relnamespace = ours.schema
            WHERE c.relkind NOT IN ('i', 'I', 'c')
            UNION ALL
            SELECT format('column %s.%s %s%s%s%s%s', c.relname, a.attname,
                format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attnotnull THEN ' NOT NULL' END,
                CASE WHEN a.attgenerated = '' THEN ' DEFAULT ' ELSE ' GENERATED AS ' END
                    || pg_get_expr(d.adbin, d.adrelid),
                CASE WHEN a.attidentity <> '' THEN ' IDENTITY ' || a.attidentity::text END,
                CASE WHEN a.attstorage <> t.typstorage THEN ' STORAGE ' || a.attstorage::text END)
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            JOIN ours ON c.relnamespace = ours.schema
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attnum > 0 AND NOT a.attisdropped
            UNION ALL
            SELECT format('constraint %s on %s %s', k.conname, c.relname, pg_get_constraintdef(k.oid))
            FROM pg_catalog.pg_constraint k
            JOIN ours ON k.connamespace = ours.schema
            JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
            WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
            UNION ALL
            SELECT format('index %s', pg_get_indexdef(i.indexrelid))
                || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
            FROM pg_catalog.pg_index i
            JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
            JOIN ours ON c.relnamespace = ours.schema
            UNION ALL
            SELECT format('trigger %s', pg_get_triggerdef(g.oid))
                || CASE g.tgenabled WHEN 'O' THEN '' ELSE ' ENABLED ' || g.tgenabled::text END
            FROM pg_catalog.pg_trigger g
            JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
            JOIN ours ON c.relnamespace = ours.schema
            WHERE NOT g.tgisinternal
            UNION ALL
            SELECT format('function %s', pg_get_functiondef(p.oid))
            FROM pg_catalog.pg_proc p
            JOIN ours ON p.pronamespace = ours.schema
            WHERE p.prokind IN ('f', 'p')
            UNION ALL
            SELECT format('policy %s on %s %s for %s to %s using (%s) check (%s)', policyname, tablename,
                permissive, cmd, roles, qual, with_check)
            FROM pg_catalog.pg_policies
            WHERE schemaname = $1
            UNION ALL
            SELECT format('grant on relation %s to %s: %s', c.relname, pg_get_userbyid(g.grantee),
                g.privilege_type)
            FROM pg_catalog.pg_class c
            JOIN ours ON c.relnamespace = ours.schema
            CROSS JOIN aclexplode(c.relacl) AS g
            WHERE g.grantee <> c.relowner
            UNION ALL
            SELECT format('grant on schema to %s: %s', pg_get_userbyid(g.grantee), g.privilege_type)
            FROM pg_catalog.pg_namespace n
            JOIN ours ON n.oid = ours.schema
            CROSS JOIN aclexplode(n.nspacl) AS g
            WHERE g.grantee <> n.nspowner
            UNION ALL
            SELECT format('default grant on %s to %s: %s', a.defaclobjtype, pg_get_userbyid(g.grantee),
                g.privilege_type)
            FROM pg_catalog.pg_default_acl a
            JOIN ours ON a.defaclnamespace = ours.schema
            CROSS JOIN aclexplode(a.defaclacl) AS g
            UNION ALL
            SELECT format('view %s is %s', viewname, definition)
            FROM pg_catalog.pg_views
            WHERE schemaname = $1
        )
        SELECT line
        FROM (SELECT replace(line, $1 || '.', '') AS line FROM described) AS named
        ORDER BY line COLLATE "C"
        """#)
}
