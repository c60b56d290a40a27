// Everything that can go wrong between a caller and PostgreSQL, as one closed type.
//
// `description` may be shown to anyone: it carries no row data. PostgreSQL puts values into DETAIL
// ("Key (email)=(…) already exists"), so DETAIL appears only in `debugDescription`.

/// Why a database operation did not happen, or may not have happened.
package enum PostgresError: Error, Sendable, Equatable {
    /// The server answered with an error. The connection goes on; an open transaction has failed.
    case server(ServerError)

    /// No connection could be opened: wrong address, refused, not ready, wrong password.
    case connectionFailed(String)

    /// The connection broke. What was running has been rolled back by the server.
    case connectionLost(String)

    /// Nothing free in the pool within its limits. Trying again later is reasonable.
    case unavailable(String)

    /// The calling task was cancelled. A connection interrupted half-way has been closed.
    case cancelled

    /// The statement ran past `PostgresConfiguration.statementTimeout`; its connection is closed.
    case timedOut

    /// A parameter cannot be sent. `index` is the number after the dollar sign, or the column of
    /// a COPY row, counted from 1.
    case invalidParameter(index: Int, reason: String)

    /// A column cannot be read as the type that was asked for.
    case decoding(String)

    /// The connection broke while COMMIT was under way: it may have happened or not.
    case outcomeUnknown(String)
}

/// An error as the server reported it, with the fields a program may act on.
///
/// https://www.postgresql.org/docs/16/protocol-error-fields.html
package struct ServerError: Error, Sendable, Equatable {
    package let sqlState: SQLState
    package let message: String
    package var detail: String?
    package var hint: String?
    package var schema: String?
    package var table: String?
    package var column: String?
    package var constraint: String?
    /// The server's C function that raised it; never translated, unlike `message`.
    package var routine: String?

    package init(_ sqlState: SQLState, _ message: String) {
        self.sqlState = sqlState
        self.message = message
    }
}

extension PostgresError {
    /// The SQLSTATE when the server refused, else nil.
    ///
    /// `catch let e where e.sqlState == .…` reads well.
    package var sqlState: SQLState? {
        if case .server(let error) = self { error.sqlState } else { nil }
    }

    /// Whether a row was refused because the asker could not have seen it: as if what it belongs to
    /// were not there.
    package var isRowSecurity: Bool {
        if case .server(let error) = self { error.isRowSecurity } else { false }
    }
}

extension ServerError {
    /// Told from a missing grant, which has the same SQLSTATE, by where it was raised.
    package var isRowSecurity: Bool {
        sqlState == .insufficientPrivilege && routine == "ExecWithCheckOptions"
    }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String {
        switch self {
        case .server(let error): error.description
        case .connectionFailed(let reason): "cannot connect to PostgreSQL: \(reason)"
        case .connectionLost(let reason): "the connection to PostgreSQL was lost: \(reason)"
        case .unavailable(let reason): "the database is not available: \(reason)"
        case .cancelled: "the database operation was cancelled"
        case .timedOut: "the database operation took longer than allowed"
        case .invalidParameter(let index, let reason): "parameter \(index): \(reason)"
        case .decoding(let reason): "unexpected data from PostgreSQL: \(reason)"
        case .outcomeUnknown(let reason):
            "the connection broke during COMMIT, which may or may not have happened: \(reason)"
        }
    }

    package var debugDescription: String {
        if case .server(let error) = self { error.debugDescription } else { description }
    }
}

extension ServerError: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String { "PostgreSQL: \(message) (SQLSTATE \(sqlState.code))" }

    package var debugDescription: String {
        let fields = [
            ("detail", detail), ("hint", hint), ("schema", schema), ("table", table),
            ("column", column), ("constraint", constraint), ("routine", routine),
        ]
        return fields.reduce(into: description) { text, field in
            if let value = field.1 { text += "; \(field.0): \(value)" }
        }
    }
}
