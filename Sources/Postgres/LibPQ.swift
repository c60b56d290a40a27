// The one file that calls libpq. Everything here is non-blocking except `connectStart` (name
// resolution) and `cancel`; all of it runs on the thread of the connection it belongs to.
// No pointer leaves this file: results are read through `Span`.
//
// https://www.postgresql.org/docs/16/libpq-async.html

internal import CLibPQ

/// A connection of libpq, or the place where one will be.
///
/// `@unchecked Sendable`: owned by one `Connection`, whose executor is the only caller until it lends
/// it to an `ImmediateConnection` for good; only `socket` is read elsewhere, and it is set once before
/// the connection is handed to anyone.
@safe
final class LibPQConnection: @unchecked Sendable {
    private var pointer: OpaquePointer?
    private(set) var socket: Int32 = -1

    enum Progress { case reading, writing, connected, failed }

    deinit { finish() }

    static func canParse(_ url: String) -> Bool {
        guard let options = unsafe PQconninfoParse(url, nil) else { return false }
        unsafe PQconninfoFree(options)
        return true
    }

    // MARK: Opening and closing

    /// Begins to connect.
    ///
    /// Looking the host's name up may block.
    func connectStart(_ configuration: PostgresConfiguration) {
        // Later words win, so the address may override the first and not the last.
        let words: [(String, String)] = [
            ("fallback_application_name", configuration.applicationName),
            ("dbname", configuration.url),
            ("client_encoding", "UTF8"),
        ]
        unsafe withCStrings(words.map(\.0)) { keywords in
            unsafe withCStrings(words.map(\.1)) { values in
                unsafe pointer = PQconnectStartParams(keywords, values, 1)
            }
        }
        // libpq prints notices to stderr unless told otherwise.
        unsafe PQsetNoticeReceiver(pointer, { _, _ in }, nil)
        unsafe socket = PQsocket(pointer)
    }

    func connectPoll() -> Progress {
        let status = unsafe PQconnectPoll(pointer)
        // libpq tries address after address, each with a socket of its own.
        unsafe socket = PQsocket(pointer)
        switch status {
        case PGRES_POLLING_OK:
            unsafe PQsetnonblocking(pointer, 1)
            return .connected
        case PGRES_POLLING_READING: return .reading
        case PGRES_POLLING_WRITING: return .writing
        default: return .failed
        }
    }

    /// Closes the socket.
    ///
    /// Idempotent.
    func finish() {
        unsafe PQfinish(pointer)
        unsafe pointer = nil
    }

    /// Asks the server, over a connection of its own, to stop what runs here.
    ///
    /// Blocks.
    func cancel() {
        guard let request = unsafe PQgetCancel(pointer) else { return }
        var message = [CChar](repeating: 0, count: 256)
        _ = unsafe message.withUnsafeMutableBufferPointer { buffer in
            unsafe PQcancel(request, buffer.baseAddress, Int32(buffer.count))
        }
        unsafe PQfreeCancel(request)
    }

    var isBroken: Bool { unsafe PQstatus(pointer) != CONNECTION_OK }

    var processID: Int32 { unsafe PQbackendPID(pointer) }

    var serverVersion: Int32 { unsafe PQserverVersion(pointer) }

    /// libpq's last error on one line, without its trailing newline.
    var errorMessage: String {
        guard let text = unsafe PQerrorMessage(pointer) else { return "out of memory" }
        let message = unsafe String(cString: text)
        let lines = message.split(separator: "\n", omittingEmptySubsequences: true)
        return lines.isEmpty ? "connection closed" : lines.joined(separator: "; ")
    }

    var transactionStatus: ConnectionState.TransactionStatus {
        switch unsafe PQtransactionStatus(pointer) {
        case PQTRANS_IDLE: .none
        case PQTRANS_INERROR: .failed
        default: .open
        }
    }

    // MARK: Sending

    func sendQuery(_ sql: String) -> Bool { unsafe PQsendQuery(pointer, sql) == 1 }

    /// One statement, not kept, rows in binary form.
    func sendUnnamed(_ sql: String) -> Bool {
        unsafe PQsendQueryParams(pointer, sql, 0, nil, nil, nil, nil, 1) == 1
    }

    func sendPrepare(_ name: String, _ sql: String) -> Bool {
        unsafe PQsendPrepare(pointer, name, sql, 0, nil) == 1
    }

    func sendDescribe(_ name: String) -> Bool { unsafe PQsendDescribePrepared(pointer, name) == 1 }

    func sendExecute(_ name: String, _ parameters: EncodedParameters) -> Bool {
        let count = parameters.lengths.count
        if count == 0 {
            return unsafe PQsendQueryPrepared(pointer, name, 0, nil, nil, nil, 1) == 1
        }
        return unsafe parameters.bytes.withUnsafeBytes { bytes in
            let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            return unsafe withUnsafeTemporaryAllocation(
                of: UnsafePointer<CChar>?.self, capacity: count
            ) { values in
                for index in 0..<count {
                    let offset = parameters.offsets[index]
                    unsafe values[index] = offset < 0 ? nil : base.map { unsafe $0 + offset }
                }
                return unsafe PQsendQueryPrepared(
                    pointer, name, Int32(count), values.baseAddress, parameters.lengths,
                    parameters.formats, 1) == 1
            }
        }
    }

    /// What remains to be written: 0 none, 1 some, -1 the connection is broken.
    func flush() -> Int32 { unsafe PQflush(pointer) }

    // MARK: Receiving

    func consumeInput() -> Bool { unsafe PQconsumeInput(pointer) == 1 }

    /// Whether `nextResult` would block.
    var isBusy: Bool { unsafe PQisBusy(pointer) == 1 }

    func nextResult() -> LibPQResult? {
        guard let result = unsafe PQgetResult(pointer) else { return nil }
        return unsafe LibPQResult(result)
    }

    func nextNotification() -> Notification? {
        guard let notify = unsafe PQnotifies(pointer) else { return nil }
        defer { unsafe PQfreemem(notify) }
        return unsafe Notification(
            channel: String(cString: notify.pointee.relname),
            payload: String(cString: notify.pointee.extra),
            processID: notify.pointee.be_pid)
    }

    // MARK: COPY

    func putCopyData(_ bytes: [UInt8]) -> Bool {
        guard bytes.count <= Int32.max else { return false }
        return unsafe bytes.withUnsafeBytes { buffer in
            unsafe PQputCopyData(
                pointer, buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                Int32(buffer.count)) == 1
        }
    }

    /// Ends COPY FROM STDIN; with a reason, makes it fail.
    func putCopyEnd(failure: String?) -> Bool {
        guard let failure else { return unsafe PQputCopyEnd(pointer, nil) == 1 }
        return unsafe PQputCopyEnd(pointer, failure) == 1
    }

    enum CopyData { case bytes, wait, end, failed }

    /// Appends the next piece of COPY TO STDOUT to `buffer`.
    func getCopyData(into buffer: inout [UInt8]) -> CopyData {
        var data: UnsafeMutablePointer<CChar>?
        let count = unsafe PQgetCopyData(pointer, &data, 1)
        switch count {
        case 0: return .wait
        case -1: return .end
        case -2: return .failed
        default:
            unsafe buffer.append(contentsOf: UnsafeRawBufferPointer(start: data, count: Int(count)))
            unsafe PQfreemem(data)
            return .bytes
        }
    }
}

/// The parameters of one execution, in one buffer.
///
/// `offsets[i]` is -1 for NULL.
struct EncodedParameters {
    var bytes: [UInt8] = []
    var offsets: [Int] = []
    var lengths: [Int32] = []
    var formats: [Int32] = []
}

/// A result of libpq, which never changes after it has arrived; freed with its last owner.
@safe
final class LibPQResult: @unchecked Sendable {
    enum Kind { case tuples, command, copyIn, copyOut, empty, failed }

    private let pointer: OpaquePointer
    let rowCount: Int
    let columnCount: Int

    fileprivate init(_ pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
        unsafe rowCount = Int(PQntuples(pointer))
        unsafe columnCount = Int(PQnfields(pointer))
    }

    deinit { unsafe PQclear(pointer) }

    var kind: Kind {
        switch unsafe PQresultStatus(pointer) {
        case PGRES_TUPLES_OK: .tuples
        case PGRES_COMMAND_OK: .command
        case PGRES_COPY_IN: .copyIn
        case PGRES_COPY_OUT: .copyOut
        case PGRES_EMPTY_QUERY: .empty
        default: .failed
        }
    }

    /// Rows inserted, updated, deleted, copied or selected; 0 for a statement that counts none.
    var affected: Int {
        guard let text = unsafe PQcmdTuples(pointer) else { return 0 }
        return unsafe Int(String(cString: text)) ?? 0
    }

    /// What was done: `COMMIT`, `ROLLBACK`, `INSERT 0 1`.
    var commandTag: String {
        guard let text = unsafe PQcmdStatus(pointer) else { return "" }
        return unsafe String(cString: text)
    }

    // https://www.postgresql.org/docs/16/protocol-error-fields.html
    var error: ServerError {
        func field(_ code: Character) -> String? {
            guard let ascii = code.asciiValue,
                let text = unsafe PQresultErrorField(pointer, Int32(ascii))
            else { return nil }
            return unsafe String(cString: text)
        }
        guard let code = field("C") else {
            // libpq's own failures (a broken socket, no memory) carry no SQLSTATE.
            let message = unsafe PQresultErrorMessage(pointer).map { unsafe String(cString: $0) }
            return ServerError(SQLState(""), message ?? "unknown error")
        }
        var error = ServerError(SQLState(code), field("M") ?? "")
        error.detail = field("D")
        error.hint = field("H")
        error.schema = field("s")
        error.table = field("t")
        error.column = field("c")
        error.constraint = field("n")
        error.routine = field("R")
        return error
    }

    /// OIDs of the parameters, when this answers a Describe.
    var parameterOIDs: [UInt32] {
        (0..<(unsafe PQnparams(pointer))).map { unsafe PQparamtype(pointer, $0) }
    }

    var columnOIDs: [UInt32] { (0..<Int32(columnCount)).map { unsafe PQftype(pointer, $0) } }

    func columnName(_ column: Int) -> String {
        guard let name = unsafe PQfname(pointer, Int32(column)) else { return "" }
        return unsafe String(cString: name)
    }

    func isNull(row: Int, column: Int) -> Bool {
        unsafe PQgetisnull(pointer, Int32(row), Int32(column)) == 1
    }

    /// Lends the bytes of one cell.
    ///
    /// NULL reads as no bytes: ask `isNull` first.
    func withBytes<R, E: Error>(
        row: Int, column: Int, _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        let count = unsafe Int(PQgetlength(pointer, Int32(row), Int32(column)))
        let start = unsafe PQgetvalue(pointer, Int32(row), Int32(column))
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
        return unsafe try body(Span(_unsafeElements: bytes.assumingMemoryBound(to: UInt8.self)))
    }
}

/// Lends an array of C strings that ends with NULL.
private func withCStrings(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Void
) {
    var bytes: [CChar] = []
    var offsets: [Int] = []
    for string in strings {
        offsets.append(bytes.count)
        bytes.append(contentsOf: string.utf8CString)
    }
    unsafe bytes.withUnsafeBufferPointer { buffer in
        var pointers = unsafe offsets.map { offset in
            unsafe buffer.baseAddress.map { unsafe $0 + offset }
        }
        unsafe pointers.append(nil)
        unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
    }
}
