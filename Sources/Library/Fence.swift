// Does row-level security hide rows here? Asked once, when a server starts: a role that no policy binds
// (a superuser, the owner of the tables) would serve everybody's rows without a word.

package import Postgres
internal import FoundationEssentials

/// What keeps rows of other accounts from being seen, whatever a statement forgets to say.
package enum Fence {
    /// Proves that this database hides rows from connections like the pool's.
    ///
    /// Every table that has an owner must be fenced for the role in use; and an account, made for the
    /// purpose and rolled back, must be seen by the service and by itself, and by nobody else.
    ///
    /// On Citus there is no fence, and nothing is asked (docs/decisions/0016).
    ///
    /// - Throws: `LibraryError.unfenced`, with what is wrong and what to do about it.
    package static func check(_ pool: Pool) async throws {
        let open: [String]? = try await pool.withConnection(as: .nobody) { db in
            if try await db.query(selectCitus).single() { return nil }
            return try await db.query(selectOpen).map { row throws(PostgresError) in
                try row.get(0)
            }
        }
        guard let open else { return }
        guard open.isEmpty else {
            throw LibraryError.unfenced(
                "row-level security does not bind this connection on \(open.joined(separator: ", ")): "
                    + "connect as carrel_app, which is no superuser and owns no table")
        }
        let (me, other) = (UUID(), UUID())
        let seen: [Int]
        do {
            seen = try await probe(me, other, pool)
        } catch let error as PostgresError where error.sqlState != nil {
            throw LibraryError.unfenced(
                "the connection cannot become carrel_service (\(error)): connect as carrel_app, and "
                    + "GRANT carrel_service TO carrel_app")
        }
        guard seen == [1, 1, 0, 0] else {
            throw LibraryError.unfenced(
                "an account's row is seen \(seen[0]) times by the service, \(seen[1]) by itself, "
                    + "\(seen[2]) by another and \(seen[3]) by nobody; expected 1, 1, 0, 0. "
                    + "carrel_app must be NOINHERIT, and the policies as the migrations made them "
                    + "(`carrel migrate verify`)")
        }
    }

    /// How often the service, the account, another one and nobody see the account.
    private static func probe(_ me: UUID, _ other: UUID, _ pool: Pool) async throws -> [Int] {
        do {
            try await pool.withTransaction(as: .service) { db in
                try await db.execute(insertProbe, me)
                var seen: [Int] = [try await db.query(countProbe, me).single()]
                // The transaction is ours and ends in a rollback: the settings may change within.
                for asker in [me.uuidString, other.uuidString, ""] {
                    try await db.query(ask, asker)
                    seen.append(try await db.query(countProbe, me).single())
                }
                throw Seen(counts: seen)
            }
            return []
        } catch let seen as Seen {
            return seen.counts
        }
    }

    /// Leaves a transaction by the way of failure, so that it is rolled back.
    private struct Seen: Error { let counts: [Int] }
}

extension Fence {
    private static let selectCitus = Statement(
        "fence.hasCitus",
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')")

    /// Tables of an account or a session whose rows this role sees without being asked who it is.
    private static let selectOpen = Statement(
        "fence.selectOpen",
        """
        SELECT c.relname::text
        FROM pg_catalog.pg_class AS c
        WHERE c.relnamespace = to_regnamespace('carrel')
            AND c.relkind IN ('r', 'p')
            AND NOT row_security_active(c.oid)
            AND (
                c.relname = 'profiles'
                OR EXISTS (
                    SELECT
                    FROM pg_catalog.pg_attribute AS a
                    WHERE a.attrelid = c.oid
                        AND a.attname IN ('session_id', 'profile_id')
                        AND NOT a.attisdropped
                )
            )
        ORDER BY c.relname
        """)

    private static let insertProbe = Statement(
        "fence.insertProbe",
        """
        INSERT INTO carrel.profiles (id, handle, email, password_hash)
        VALUES ($1, 'probe ' || $1::uuid, $1::uuid || '@probe.invalid', '!')
        """)

    private static let countProbe = Statement(
        "fence.countProbe", "SELECT count(*) FROM carrel.profiles WHERE id = $1")

    private static let ask = Statement(
        "fence.ask",
        """
        SELECT set_config('role', 'none', true), set_config('carrel.profile_id', $1, true)
        """)
}
