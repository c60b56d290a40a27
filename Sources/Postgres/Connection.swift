// One connection to PostgreSQL: an actor that lives on its own thread.
//
// Each method below runs to its end without suspending, so statements on one connection never
// interleave. What is legal when, and what a failure means, is `ConnectionState`'s to say; what the
// bytes are is libpq's. This file sends, waits, and collects.

internal import Synchronization

/// A connection. Statements sent from several tasks run one after another.
///
/// Cancelling the calling task, or running past the statement timeout, makes the server stop and
/// closes the connection: what it would still send belongs to a question nobody asks any more.
package actor Connection: Queryable {
    package nonisolated let configuration: PostgresConfiguration

    nonisolated let thread: ConnectionThread
    nonisolated let libpq = LibPQConnection()
    /// What other threads may know without asking this one.
    private nonisolated let shared = Mutex(Shared())

    var state = ConnectionState()
    /// On whose behalf the server takes statements to be.
    private var asker = Asker.nobody
    var prepared: [Statement: Prepared] = [:]
    private var preparedCount = 0
    private var types: [UInt32: PostgresType] = [:]
    private var notificationSink: AsyncStream<Notification>.Continuation?

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe thread.asUnownedSerialExecutor()
    }

    package nonisolated var connection: Connection { self }

    enum Health: Sendable { case opening, idle, inTransaction, closed }

    private struct Shared {
        var health = Health.opening
        /// On whose behalf the next statement is to be run.
        var asker = Asker.nobody
        var processID: Int32 = 0
        var serverVersion: Int32 = 0
    }

    /// A statement that this connection's server knows by `name`.
    struct Prepared: Sendable {
        let name: String
        let parameters: [PostgresType]
        let columns: [Column]
    }

    /// Statements kept per connection before all are dropped: each costs the server some tens of
    /// kilobytes.
    ///
    /// Carrel has fewer; only generated SQL could pass it.
    private static let preparedLimit = 512

    private init(_ configuration: PostgresConfiguration) {
        self.configuration = configuration
        thread = ConnectionThread()
    }

    deinit {
        let libpq = libpq
        thread.stop { libpq.finish() }
    }

    // MARK: Opening and closing

    /// Connects.
    ///
    /// Costs one process start on the server, a few milliseconds.
    ///
    /// - Throws: `connectionFailed` with libpq's reason, also when `connectTimeout` passes.
    package static func open(
        _ configuration: PostgresConfiguration
    ) async throws(PostgresError) -> Connection {
        let connection = Connection(configuration)
        try await connection.interruptible { connection, cancellation throws(PostgresError) in
            try connection.connect(cancellation)
        }
        return connection
    }

    /// Says goodbye to the server.
    ///
    /// Later calls throw `connectionLost`.
    package func close() {
        state.closed()
        shutDown(cancelling: false)
    }

    /// The server process behind this connection, as `pg_stat_activity` names it.
    package nonisolated var processID: Int32 { shared.withLock { $0.processID } }

    /// 160014 for 16.14.
    package nonisolated var serverVersion: Int { Int(shared.withLock { $0.serverVersion }) }

    nonisolated var health: Health { shared.withLock { $0.health } }

    package nonisolated var isClosed: Bool { health == .closed }

    private func connect(_ cancellation: Cancellation) throws(PostgresError) {
        let deadline = ContinuousClock.now.advanced(by: configuration.connectTimeout)
        libpq.connectStart(configuration)
        var progress = LibPQConnection.Progress.writing
        while progress != .connected {
            if progress == .failed || libpq.socket < 0 { throw lost() }
            try wait(cancellation, until: deadline, writable: progress == .writing)
            progress = libpq.connectPoll()
        }
        state.finish(.none)
        shared.withLock { shared in
            shared.health = .idle
            shared.processID = libpq.processID
            shared.serverVersion = libpq.serverVersion
        }
        thread.watch(libpq.socket) { [weak self] in
            self?.assumeIsolated { $0.receiveIdleInput() }
        }
    }

    /// Closes once the caller has its answer: telling the server to stop may take a while.
    private func shutDown(cancelling: Bool) {
        shared.withLock { $0.health = .closed }
        thread.watch(-1, nil)
        notificationSink?.finish()
        notificationSink = nil
        let libpq = libpq
        thread.afterJobs {
            if cancelling { libpq.cancel() }
            libpq.finish()
        }
    }

    // MARK: Statements

    nonisolated func run(
        _ statement: Statement, _ parameters: [(any PostgresEncodable)?]
    ) async throws(PostgresError) -> Rows {
        try await interruptible { connection, cancellation throws(PostgresError) in
            try connection.execute(statement, parameters, cancellation)
        }
    }

    nonisolated func runScript(_ sql: String) async throws(PostgresError) {
        try await interruptible { connection, cancellation throws(PostgresError) in
            try connection.simple(sql, .statement, cancellation)
        }
    }

    /// One round trip that does nothing; throws when the connection no longer answers.
    package nonisolated func ping(within limit: Duration) async throws(PostgresError) {
        try await interruptible { connection, cancellation throws(PostgresError) in
            _ = try connection.exchange(.statement, cancellation, within: limit) {
                $0.sendQuery("")
            }
        }
    }

    private func execute(
        _ statement: Statement, _ parameters: [(any PostgresEncodable)?],
        _ cancellation: Cancellation
    ) throws(PostgresError) -> Rows {
        let wasInTransaction = state.transaction != .none
        var isRetry = false
        while true {
            let plan: Prepared
            if let known = prepared[statement] {
                plan = known
            } else {
                plan = try prepare(statement, cancellation)
            }
            let encoded = try Connection.encode(parameters, for: plan)
            do throws(PostgresError) {
                let result = try exchange(.statement, cancellation) { libpq in
                    libpq.sendExecute(plan.name, encoded)
                }
                guard result.kind == .tuples || result.kind == .command || result.kind == .empty
                else { throw refuseCopy() }
                return Rows(result: result, columns: plan.columns)
            } catch {
                guard case .server(let serverError) = error else { throw error }
                let recovery = state.recovery(
                    from: serverError, inTransactionBefore: wasInTransaction, isRetry: isRetry)
                if recovery == .fail { throw error }
                prepared[statement] = nil
                if recovery == .forgetAndFail { throw error }
                isRetry = true
            }
        }
    }

    func simple(
        _ sql: String, _ work: ConnectionState.Work, _ cancellation: Cancellation?
    ) throws(PostgresError) {
        if sql.utf8.contains(0) {
            throw .invalidParameter(index: 0, reason: "SQL must not contain a NUL character")
        }
        let result = try exchange(work, cancellation) { $0.sendQuery(sql) }
        if result.kind == .copyIn || result.kind == .copyOut { throw refuseCopy() }
        // PostgreSQL answers COMMIT of a failed transaction with a ROLLBACK and no error.
        if work == .commit, result.commandTag != "COMMIT" {
            throw .server(
                ServerError(
                    .failedTransaction,
                    "a statement of the transaction had failed, so COMMIT rolled it back"))
        }
    }

    /// COPY as a plain statement leaves the protocol in a state this path does not serve.
    private func refuseCopy() -> PostgresError {
        _ = interrupt(.cancelled)
        return .invalidParameter(index: 0, reason: "COPY needs copyIn or copyOut")
    }

    // MARK: Preparing

    func prepare(
        _ statement: Statement, _ cancellation: Cancellation
    ) throws(PostgresError) -> Prepared {
        if statement.sql.utf8.contains(0) {
            throw .invalidParameter(index: 0, reason: "SQL must not contain a NUL character")
        }
        if prepared.count >= Connection.preparedLimit, state.transaction == .none {
            try simple("DEALLOCATE ALL", .statement, cancellation)
            prepared = [:]
        }
        preparedCount += 1
        // A number makes the name unique; PostgreSQL cuts names after 63 bytes.
        let name = "\(preparedCount)_\(String(statement.name.prefix(40)))"
        let plan = try describe(name: name, sql: statement.sql, cancellation)
        prepared[statement] = plan
        return plan
    }

    /// Prepares under `name` (empty: for this once) and asks for the types on both sides.
    func describe(
        name: String, sql: String, _ cancellation: Cancellation
    ) throws(PostgresError) -> Prepared {
        _ = try exchange(.statement, cancellation) { $0.sendPrepare(name, sql) }
        let answer = try exchange(.statement, cancellation) { $0.sendDescribe(name) }
        let parameterOIDs = answer.parameterOIDs
        let columnOIDs = answer.columnOIDs
        try learnTypes(parameterOIDs + columnOIDs, cancellation)
        return Prepared(
            name: name,
            parameters: parameterOIDs.map(type),
            columns: columnOIDs.enumerated().map { index, oid in
                Column(name: answer.columnName(index), type: type(oid))
            })
    }

    private func type(_ oid: UInt32) -> PostgresType {
        PostgresType(builtIn: oid) ?? types[oid] ?? .other(oid: oid)
    }

    /// Looks up the types of extensions and enums, once each per connection.
    private func learnTypes(
        _ oids: [UInt32], _ cancellation: Cancellation
    ) throws(PostgresError) {
        let unknown = Set(oids).filter { PostgresType(builtIn: $0) == nil && types[$0] == nil }
        if unknown.isEmpty { return }
        let list = unknown.sorted().map(String.init).joined(separator: ",")
        let result = try exchange(.statement, cancellation) { libpq in
            libpq.sendUnnamed(
                """
                SELECT t.oid, t.typname::text, t.typtype::text, e.typtype::text
                FROM pg_catalog.pg_type AS t
                LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem AND t.typcategory = 'A'
                WHERE t.oid IN (\(list))
                """)
        }
        let columns: [Column] = [
            Column(name: "oid", type: .scalar(.oid)), Column(name: "typname", type: .scalar(.text)),
            Column(name: "typtype", type: .scalar(.text)),
            Column(name: "element", type: .scalar(.text)),
        ]
        for row in Rows(result: result, columns: columns) {
            let oid = UInt32(try row.get(0, as: Int.self))
            let name: String = try row.get(1)
            let kind: String = try row.get(2)
            let elementKind: String? = try row.get(3)
            types[oid] =
                switch (name, kind, elementKind) {
                case ("vector", "b", nil): .scalar(.vector)
                case ("citext", "b", nil): .scalar(.text)
                case (_, "e", _): .scalar(.enumeration)
                case (_, _, "e"): .array(.enumeration)
                default: .other(oid: oid)
                }
        }
    }

    /// Writes parameters as the statement's types ask for.
    static func encode(
        _ parameters: [(any PostgresEncodable)?], for plan: Prepared
    ) throws(PostgresError) -> EncodedParameters {
        guard parameters.count == plan.parameters.count else {
            throw .invalidParameter(
                index: min(parameters.count, plan.parameters.count) + 1,
                reason: "the statement takes \(plan.parameters.count), got \(parameters.count)")
        }
        var buffer = WireBuffer(acceptsText: true)
        var encoded = EncodedParameters()
        for (index, parameter) in parameters.enumerated() {
            guard let parameter else {
                encoded.offsets.append(-1)
                encoded.lengths.append(0)
                encoded.formats.append(WireBuffer.Format.binary.rawValue)
                continue
            }
            let start = buffer.bytes.count
            buffer.format = .binary
            do throws(EncodingFailure) {
                try parameter.encode(as: plan.parameters[index], into: &buffer)
            } catch {
                throw .invalidParameter(index: index + 1, reason: error.reason)
            }
            guard let length = Int32(exactly: buffer.bytes.count - start) else {
                throw .invalidParameter(index: index + 1, reason: "more than 2 GiB")
            }
            encoded.offsets.append(start)
            encoded.lengths.append(length)
            encoded.formats.append(buffer.format.rawValue)
            // A text parameter is a C string; and an empty value needs an address of its own.
            buffer.append(UInt8(0))
        }
        encoded.bytes = buffer.bytes
        return encoded
    }

    // MARK: Talking to the server

    /// From now on statements ask on behalf of `asker`. The server is told with the next one, if it does
    /// not know already.
    ///
    /// - Precondition: no transaction is open.
    package nonisolated func act(as asker: Asker) {
        shared.withLock { shared in
            precondition(shared.health != .inTransaction, "who asks cannot change meanwhile")
            shared.asker = asker
        }
    }

    /// Sends one request and collects its answer, up to ReadyForQuery.
    func exchange(
        _ work: ConnectionState.Work, _ cancellation: Cancellation?, within limit: Duration? = nil,
        _ send: (LibPQConnection) -> Bool
    ) throws(PostgresError) -> LibPQResult {
        let wanted = shared.withLock { $0.asker }
        if wanted != asker, state.transaction == .none {
            _ = try roundTrip(.statement, cancellation, within: limit) {
                $0.sendQuery(wanted.script)
            }
            asker = wanted
        }
        return try roundTrip(work, cancellation, within: limit, send)
    }

    private func roundTrip(
        _ work: ConnectionState.Work, _ cancellation: Cancellation?, within limit: Duration?,
        _ send: (LibPQConnection) -> Bool
    ) throws(PostgresError) -> LibPQResult {
        if cancellation?.isRequested == true { throw .cancelled }
        try state.begin(work)
        guard send(libpq) else { throw lost() }
        let deadline = deadline(limit)
        try flush(cancellation, until: deadline)
        return try collect(cancellation, until: deadline)
    }

    func deadline(_ limit: Duration? = nil) -> ContinuousClock.Instant? {
        (limit ?? configuration.statementTimeout).map { ContinuousClock.now.advanced(by: $0) }
    }

    /// Writes what libpq holds back, reading meanwhile: the server may be waiting for us to read.
    func flush(
        _ cancellation: Cancellation?, until deadline: ContinuousClock.Instant?
    ) throws(PostgresError) {
        while true {
            switch libpq.flush() {
            case 0: return
            case 1: try wait(cancellation, until: deadline, writable: true)
            default: throw lost()
            }
            guard libpq.consumeInput() else { throw lost() }
        }
    }

    /// The last result of the answer, or the first error in it.
    ///
    /// A COPY answer stays open.
    func collect(
        _ cancellation: Cancellation?, until deadline: ContinuousClock.Instant?
    ) throws(PostgresError) -> LibPQResult {
        var last: LibPQResult?
        var failure: ServerError?
        while let result = try nextResult(cancellation, until: deadline) {
            last = result
            if result.kind == .failed, failure == nil { failure = result.error }
            if result.kind == .copyIn || result.kind == .copyOut { return result }
        }
        if libpq.isBroken { throw lost() }
        state.finish(libpq.transactionStatus)
        let health = state.transaction == .none ? Health.idle : .inTransaction
        shared.withLock { $0.health = health }
        deliverNotifications()
        if let failure { throw .server(failure) }
        guard let last else { throw lost() }
        return last
    }

    func nextResult(
        _ cancellation: Cancellation?, until deadline: ContinuousClock.Instant?
    ) throws(PostgresError) -> LibPQResult? {
        while libpq.isBusy {
            try wait(cancellation, until: deadline, writable: false)
            guard libpq.consumeInput() else { throw lost() }
        }
        return libpq.nextResult()
    }

    /// Sleeps until the socket has something, or throws because waiting is over.
    func wait(
        _ cancellation: Cancellation?, until deadline: ContinuousClock.Instant?, writable: Bool
    ) throws(PostgresError) {
        while true {
            if cancellation?.isRequested == true { throw interrupt(.cancelled) }
            switch thread.wait(libpq.socket, writable: writable, until: deadline) {
            case .ready: return
            case .woken: continue
            case .timedOut: throw interrupt(.timedOut)
            }
        }
    }

    func interrupt(_ interruption: ConnectionState.Interruption) -> PostgresError {
        let error = state.interrupted(interruption)
        shutDown(cancelling: true)
        return error
    }

    func lost() -> PostgresError {
        let error = state.lost(libpq.errorMessage)
        shutDown(cancelling: false)
        return error
    }

    /// Runs `body` on this connection's thread, with a flag that the calling task's cancellation
    /// raises.
    ///
    /// The one way in from other threads.
    nonisolated func interruptible<R: Sendable>(
        _ body: @Sendable (isolated Connection, Cancellation) throws(PostgresError) -> R
    ) async throws(PostgresError) -> R {
        let cancellation = Cancellation(thread)
        let result: Result<R, PostgresError> = await withTaskCancellationHandler {
            await isolated(cancellation, body)
        } onCancel: {
            cancellation.request()
        }
        return try result.get()
    }

    private func isolated<R: Sendable>(
        _ cancellation: Cancellation,
        _ body: @Sendable (isolated Connection, Cancellation) throws(PostgresError) -> R
    ) -> Result<R, PostgresError> {
        Result { () throws(PostgresError) in try body(self, cancellation) }
    }

    // MARK: While nobody asks

    /// Whether no transaction is open and nothing is running: fit for another borrower.
    nonisolated var isIdle: Bool { health == .idle }

    /// Whether this can be handed out: idle, and nothing unexpected in its socket.
    ///
    /// Cheap: one poll(2) and a lock, no hop.
    nonisolated var looksIdle: Bool {
        let hasUnreadInput = hasInput(libpq.socket)
        return !hasUnreadInput && isIdle
    }

    /// Reads what arrived while idle (a notification, or the server's last words) and says whether
    /// the connection is still good.
    func settle() -> Bool {
        receiveIdleInput()
        return state.isReady && state.transaction == .none
    }

    private func receiveIdleInput() {
        guard state.isReady else { return }
        if !libpq.consumeInput() || libpq.isBroken {
            _ = lost()
            return
        }
        deliverNotifications()
    }

    // MARK: Notifications

    /// What arrives on the channels this connection listens to, whoever sent it.
    ///
    /// Ends when the connection does: afterwards anything may have been missed. One stream per
    /// connection.
    package func notifications() -> AsyncStream<Notification> {
        let (stream, continuation) = AsyncStream.makeStream(of: Notification.self)
        notificationSink?.finish()
        notificationSink = continuation
        if case .closed = state.phase { continuation.finish() }
        return stream
    }

    /// Starts to listen.
    ///
    /// Call `notifications` first to miss nothing.
    package nonisolated func listen(_ channel: String) async throws(PostgresError) {
        try await runScript("LISTEN \(quotedIdentifier(channel))")
    }

    private func deliverNotifications() {
        while let notification = libpq.nextNotification() {
            notificationSink?.yield(notification)
        }
    }
}

/// A message from NOTIFY.
package struct Notification: Sendable, Equatable {
    package let channel: String
    package let payload: String
    /// The server process that sent it.
    package let processID: Int32
}

/// `name` as an SQL identifier, quoted so that it means exactly itself.
package func quotedIdentifier(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
        + "\""
}
