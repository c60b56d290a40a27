// SQL with a name: prepared once per connection, found again by its name.

/// A statement that each connection prepares on first use and keeps.
///
/// Parameter types are the ones the server infers, so `$1` in a comparison with an `int4` column
/// takes an `Int`. Where the server cannot tell (`jsonb_build_object('a', $1)`), cast: `$1::text`.
///
/// The name is for people: it is what `pg_prepared_statements` and the server's log show. Two
/// statements of one name and different SQL are two statements.
package struct Statement: Sendable, Equatable, Hashable {
    package let name: String
    package let sql: String

    package init(_ name: String, _ sql: String) {
        self.name = name
        self.sql = sql
    }

    /// Hashes the name alone, which is short and nearly always enough; `==` compares both.
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
