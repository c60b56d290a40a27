// The whole log, read once from beginning to end.

package import Postgres

extension AuditRepository {
    /// Checks every entry, in one snapshot of the database; entries added meanwhile are not looked at.
    ///
    /// Needs a role that sees all rows. `kept` is a hash printed earlier, which must be in the chain.
    /// Memory does not grow with the log.
    package static func verify(kept: [UInt8]? = nil, on connection: Connection) async throws
        -> AuditChain
    {
        try await connection.withTransaction(isolation: .repeatableRead, readOnly: true) { db in
            var chain = AuditChain(kept: kept)
            var rows: Rows
            repeat {
                rows = try await db.query(selectLinks, chain.last, pageRows)
                for row in rows { chain.take(try AuditLink(row)) }
            } while rows.count == pageRows
            let head = try await db.query(selectHead).first
            chain.end(head: try head.map { (id: try $0.get(0), hash: try $0.get(1)) })
            return chain
        }
    }

    private static let pageRows = 1_000

    private static let selectLinks = Statement(
        "audit.selectLinks",
        """
        SELECT id, (extract(epoch FROM at) * 1000000)::bigint::text, actor_id::text, action,
            target_type, target_id::text, session_id::text, ip::text, request_id, metadata::text,
            previous_hash, entry_hash
        FROM carrel.audit_log
        WHERE id > $1
        ORDER BY id
        LIMIT $2
        """)

    private static let selectHead = Statement(
        "audit.selectHead", "SELECT id, entry_hash FROM carrel.audit_head")
}

extension AuditLink {
    init(_ row: Row) throws(PostgresError) {
        let id: Int64 = try row.get(0)
        var fields: [String?] = ["\(id)"]
        for column in 1...9 { fields.append(try row.get(column)) }
        self.init(
            id: id, fields: fields, previousHash: try row.get(10), hash: try row.get(11))
    }
}
