// The audit log: what was done, in the transaction that did it.
//
// All entries are one chain, so entries are added one after another: who adds one holds the chain's
// end until its transaction ends. Therefore `record` is the last statement of its transaction. Others
// then wait for one commit, never for the work before it, and nobody who holds the end waits for a
// lock of somebody who wants it.

package import Postgres
package import FoundationEssentials

package enum AuditRepository {
    /// Adds an entry; it is there if and only if the transaction commits.
    ///
    /// Call it last: the end of the chain stays locked from here to the commit.
    ///
    /// `action` is the method's name, or `auth.failed`. `metadata` is for what the ids do not say; no
    /// secret, no text of a document.
    ///
    /// - Throws: `LibraryError.auditLogBroken` when the end of the chain is not there.
    package static func record(
        action: String, actor: UUID?, target: AuditTarget? = nil, session: UUID? = nil,
        ip: INET? = nil, requestID: String? = nil, metadata: [String: String] = [:],
        on transaction: Transaction
    ) async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let count = try await transaction.execute(
            append, actor, action, target?.kind.rawValue, target?.id, session, ip, requestID,
            String(decoding: try encoder.encode(metadata), as: UTF8.self))
        guard count == 1 else { throw LibraryError.auditLogBroken }
    }

    /// Entries newest first, `limit` at most; `before` is the last one seen. Only those of `actor`, and
    /// only those that concern `session`, where they are not nil.
    package static func list(
        actor: UUID?, session: UUID? = nil, limit: Int, before: AuditCursor? = nil,
        on db: some Queryable
    ) async throws -> [AuditEntry] {
        let statement = actor == nil ? selectAll : selectByActor
        return try await db.query(statement, actor, session, limit, before?.at, before?.id)
            .map(AuditEntry.init)
    }
}

extension AuditRepository {
    /// The head's row is changed first. Under READ COMMITTED a second writer waits there and then
    /// computes from the row as the first one left it.
    private static let append = Statement(
        "audit.append",
        """
        WITH head AS (
            UPDATE carrel.audit_head AS h
            SET id = h.id + 1,
                previous_hash = h.entry_hash,
                entry_hash = carrel.audit_entry_hash(
                    h.entry_hash, h.id + 1, statement_timestamp(),
                    $1, $2, $3, $4, $5, $6, $7, $8::text::jsonb)
            RETURNING h.id, h.previous_hash, h.entry_hash
        )
        INSERT INTO carrel.audit_log
            (id, at, actor_id, action, target_type, target_id, session_id, ip, request_id, metadata,
             previous_hash, entry_hash)
        SELECT head.id, statement_timestamp(), $1, $2, $3, $4, $5, $6, $7, $8::text::jsonb,
            head.previous_hash, head.entry_hash
        FROM head
        """)

    private static let columns = """
        id, at, actor_id, action, target_type, target_id, session_id, ip, request_id,
        metadata::text, entry_hash
        """

    private static let rest = """
        AND ($2::uuid IS NULL OR session_id = $2)
            AND (at, id) < (
                coalesce($4, 'infinity'::timestamptz), coalesce($5, 9223372036854775807)
            )
        ORDER BY at DESC, id DESC
        LIMIT $3
        """

    // Plan: Index Scan Backward using audit_log_actor_id_at_idx, Incremental Sort.
    private static let selectByActor = Statement(
        "audit.selectByActor",
        "SELECT \(columns) FROM carrel.audit_log WHERE actor_id = $1 \(rest)")

    private static let selectAll = Statement(
        "audit.selectAll",
        "SELECT \(columns) FROM carrel.audit_log WHERE $1::uuid IS NULL \(rest)")
}
