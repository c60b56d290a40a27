// Where the database is and how patient to be with it.

/// A validated address and the limits of every connection opened with it.
package struct PostgresConfiguration: Sendable {
    /// `postgres://user:password@host:port/database?host=/socket/directory`, or libpq's
    /// `key=value` form; whatever libpq accepts, environment variables (`PGHOST` …) included.
    /// https://www.postgresql.org/docs/16/libpq-connect.html#LIBPQ-CONNSTRING
    package let url: String

    /// Longest wait for one statement's answer.
    ///
    /// `nil` waits as long as it takes. Past it the statement is cancelled, its connection closed,
    /// and the caller gets `timedOut`.
    package var statementTimeout: Duration?

    /// Longest wait for a connection to open.
    package var connectTimeout: Duration = .seconds(10)

    /// Shown in `pg_stat_activity` unless the address names one.
    package var applicationName = "carrel"

    /// - Throws: `connectionFailed` when libpq cannot read the address. The message never repeats
    ///   the address: it may hold a password.
    package init(url: String, statementTimeout: Duration? = nil) throws(PostgresError) {
        if url.utf8.contains(0) {
            throw .connectionFailed("the database address contains a NUL character")
        }
        guard LibPQConnection.canParse(url) else {
            throw .connectionFailed(
                "the database address is not a valid PostgreSQL connection string")
        }
        self.url = url
        self.statementTimeout = statementTimeout
    }
}
