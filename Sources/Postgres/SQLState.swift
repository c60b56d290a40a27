// PostgreSQL's error codes, matched by meaning.
// https://www.postgresql.org/docs/16/errcodes-appendix.html

/// A five-character SQLSTATE.
///
/// Its first two characters are the class.
package struct SQLState: Sendable, Hashable, CustomStringConvertible {
    package let code: String

    package init(_ code: String) { self.code = code }

    package var description: String { code }

    /// The class: `23` for every integrity constraint violation.
    package var errorClass: Substring { code.prefix(2) }

    package var isIntegrityViolation: Bool { errorClass == "23" }

    /// Running the whole transaction again may succeed.
    package var isWorthRetrying: Bool {
        self == .serializationFailure || self == .deadlockDetected
    }

    // Class 0A, 22: features and data.
    package static let featureNotSupported = SQLState("0A000")
    package static let stringDataRightTruncation = SQLState("22001")
    package static let numericValueOutOfRange = SQLState("22003")
    package static let invalidDatetimeFormat = SQLState("22007")
    package static let divisionByZero = SQLState("22012")
    package static let invalidParameterValue = SQLState("22023")
    package static let invalidTextRepresentation = SQLState("22P02")
    package static let invalidBinaryRepresentation = SQLState("22P03")
    package static let untranslatableCharacter = SQLState("22P05")
    package static let dataException = SQLState("22000")

    // Class 23: integrity.
    package static let restrictViolation = SQLState("23001")
    package static let notNullViolation = SQLState("23502")
    package static let foreignKeyViolation = SQLState("23503")
    package static let uniqueViolation = SQLState("23505")
    package static let checkViolation = SQLState("23514")
    package static let exclusionViolation = SQLState("23P01")

    // Classes 25, 26, 28, 2B, 3D: transactions, statements, who and where.
    package static let activeTransaction = SQLState("25001")
    package static let readOnlyTransaction = SQLState("25006")
    package static let failedTransaction = SQLState("25P02")
    package static let invalidStatementName = SQLState("26000")
    package static let invalidAuthorization = SQLState("28000")
    package static let invalidPassword = SQLState("28P01")
    package static let dependentObjectsStillExist = SQLState("2BP01")
    package static let invalidCatalogName = SQLState("3D000")
    package static let invalidSchemaName = SQLState("3F000")

    // Class 40: try the transaction again.
    package static let serializationFailure = SQLState("40001")
    package static let deadlockDetected = SQLState("40P01")

    // Class 42: the statement itself.
    package static let insufficientPrivilege = SQLState("42501")
    package static let syntaxError = SQLState("42601")
    package static let undefinedColumn = SQLState("42703")
    package static let undefinedObject = SQLState("42704")
    package static let datatypeMismatch = SQLState("42804")
    package static let undefinedFunction = SQLState("42883")
    package static let undefinedTable = SQLState("42P01")
    package static let duplicateDatabase = SQLState("42P04")
    package static let duplicateTable = SQLState("42P07")
    package static let duplicateObject = SQLState("42710")
    package static let indeterminateDatatype = SQLState("42P18")

    // Classes 53, 54, 55, 57, 58, P0, XX: resources, locks, the operator, the machine.
    package static let diskFull = SQLState("53100")
    package static let outOfMemory = SQLState("53200")
    package static let tooManyConnections = SQLState("53300")
    package static let programLimitExceeded = SQLState("54000")
    package static let objectNotInPrerequisiteState = SQLState("55000")
    package static let objectInUse = SQLState("55006")
    package static let lockNotAvailable = SQLState("55P03")
    package static let queryCanceled = SQLState("57014")
    package static let adminShutdown = SQLState("57P01")
    package static let crashShutdown = SQLState("57P02")
    package static let cannotConnectNow = SQLState("57P03")
    package static let raiseException = SQLState("P0001")
    package static let internalError = SQLState("XX000")
}
