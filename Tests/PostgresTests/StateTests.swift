// The pool's and the connection's rules, without either.

import Postgres
import Testing

@Suite("The pool's bookkeeping")
struct PoolStateTests {
    let now = ContinuousClock.now

    @Test("It opens up to its size, then makes callers wait, then refuses")
    func admission() {
        var state = PoolState<String>(size: 1, waitLimit: 1)
        #expect(state.request().name == "open")
        #expect(state.request().name == "wait 1")
        #expect(state.request().name == "refuse")
        #expect(state.statistics == Pool.Statistics(size: 1, inUse: 1, idle: 0, waiting: 1))
    }

    @Test("A returned connection goes to the first in line, and the last to idleness")
    func order() {
        var state = PoolState<String>(size: 1, waitLimit: 9)
        _ = state.request()
        _ = state.request()
        _ = state.request()
        #expect(state.give(back: "a", at: now).name == "wake 1 use a")
        #expect(state.give(back: "a", at: now).name == "wake 2 use a")
        #expect(state.give(back: "a", at: now).name == "nothing")
        #expect(state.request().name == "use a")
    }

    @Test("The connection used last is lent first")
    func stack() {
        var state = PoolState<String>(size: 2, waitLimit: 0)
        _ = state.request()
        _ = state.request()
        _ = state.give(back: "a", at: now)
        _ = state.give(back: "b", at: now)
        #expect(state.request().name == "use b")
        #expect(state.request().name == "use a")
    }

    @Test("A lost connection's place goes to the first in line, who opens another")
    func place() {
        var state = PoolState<String>(size: 1, waitLimit: 1)
        _ = state.request()
        _ = state.request()
        #expect(state.giveUpPlace().name == "wake 1 open")
        #expect(state.giveUpPlace().name == "nothing")
        #expect(state.statistics.inUse == 0)
    }

    @Test("Who leaves the line is not woken; who was woken cannot leave")
    func leaving() {
        var state = PoolState<String>(size: 1, waitLimit: 2)
        _ = state.request()
        _ = state.request()
        _ = state.request()
        let left = [state.leave(1), state.leave(1)]
        #expect(left == [true, false])
        #expect(state.give(back: "a", at: now).name == "wake 2 use a")
        let late = state.leave(2)
        #expect(!late)
    }

    @Test("After shutdown nothing is lent and what comes back is closed")
    func shutdown() {
        var state = PoolState<String>(size: 2, waitLimit: 2)
        _ = state.request()
        _ = state.request()
        _ = state.request()
        _ = state.give(back: "a", at: now)
        let (close, tell) = state.shutDown()
        #expect(close.isEmpty && tell.isEmpty)
        #expect(state.request().name == "refuse")
        #expect(state.give(back: "a", at: now).name == "close a")
        #expect(state.giveUpPlace().name == "nothing")
        #expect(state.statistics == Pool.Statistics(size: 2, inUse: 0, idle: 0, waiting: 0))
    }

    @Test(
        "However events fall, places never exceed the size",
        arguments: 1...20 as ClosedRange<UInt64>)
    func invariant(seed: UInt64) {
        var random = Seeded(seed)
        var state = PoolState<Int>(size: 3, waitLimit: 4)
        var held = 0
        var line: [Int] = []
        for step in 0..<2_000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                switch state.request() {
                case .use, .open: held += 1
                case .wait(let id): line.append(id)
                case .refuse: #expect(held == 3 && line.count == 4)
                }
            case 2 where held > 0:
                let release =
                    Bool.random(using: &random)
                    ? state.give(back: step, at: now) : state.giveUpPlace()
                if case .wake(let id, _) = release {
                    #expect(line.first == id, "seed \(seed), step \(step)")
                    line.removeFirst()
                } else {
                    held -= 1
                }
            case 3 where !line.isEmpty:
                let left = state.leave(
                    line.remove(at: Int.random(in: 0..<line.count, using: &random)))
                #expect(left)
            default: break
            }
            let statistics = state.statistics
            #expect(statistics.inUse == held && statistics.waiting == line.count)
            #expect(statistics.inUse + statistics.idle <= 3, "seed \(seed), step \(step)")
            // Nobody waits while something is free.
            #expect(statistics.waiting == 0 || statistics.inUse == 3, "seed \(seed), step \(step)")
        }
    }
}

extension PoolState.Admission {
    fileprivate var name: String {
        switch self {
        case .use(let member, _): "use \(member)"
        case .open: "open"
        case .wait(let id): "wait \(id)"
        case .refuse: "refuse"
        }
    }
}

extension PoolState.Release {
    fileprivate var name: String {
        switch self {
        case .nothing: "nothing"
        case .wake(let id, .use(let member)): "wake \(id) use \(member)"
        case .wake(let id, .open): "wake \(id) open"
        case .wake(let id, .fail): "wake \(id) fail"
        case .close(let member): "close \(member)"
        }
    }
}

@Suite("A connection's rules")
struct ConnectionStateTests {
    func ready() -> ConnectionState {
        var state = ConnectionState()
        state.finish(.none)
        return state
    }

    @Test("What a broken socket means depends on what was under way")
    func lost() throws {
        var connecting = ConnectionState()
        #expect(connecting.lost("x") == .connectionFailed("x"))
        var idle = ready()
        #expect(idle.lost("x") == .connectionLost("x"))
        var statement = ready()
        try statement.begin(.statement)
        #expect(statement.lost("x") == .connectionLost("x"))
        var commit = ready()
        try commit.begin(.commit)
        #expect(commit.lost("x") == .outcomeUnknown("x"))
        // Once closed it stays closed, and says so to everyone after.
        #expect(throws: PostgresError.connectionLost("x")) { try commit.begin(.statement) }
        commit.finish(.none)
        #expect(!commit.isReady)
    }

    @Test("An interrupted connection is closed, whatever it was doing")
    func interrupted() throws {
        for (work, timedOut) in [
            (ConnectionState.Work.statement, PostgresError.timedOut),
            (.commit, .outcomeUnknown("no answer in time")), (.copy, .timedOut),
        ] {
            var state = ready()
            try state.begin(work)
            #expect(state.interrupted(.timedOut) == timedOut)
            #expect(throws: PostgresError.self) { try state.begin(.statement) }
        }
        var connecting = ConnectionState()
        #expect(connecting.interrupted(.timedOut) == .connectionFailed("no answer in time"))
    }

    @Test("A stale plan is prepared again once, and never inside a transaction")
    func recovery() {
        let state = ready()
        let gone = ServerError(.invalidStatementName, "gone")
        var changed = ServerError(.featureNotSupported, "cached plan must not change result type")
        changed.routine = "RevalidateCachedQuery"
        let other = ServerError(.featureNotSupported, "something else")
        for error in [gone, changed] {
            #expect(
                state.recovery(from: error, inTransactionBefore: false, isRetry: false)
                    == .prepareAgain)
            #expect(
                state.recovery(from: error, inTransactionBefore: false, isRetry: true)
                    == .forgetAndFail)
            #expect(
                state.recovery(from: error, inTransactionBefore: true, isRetry: false)
                    == .forgetAndFail)
        }
        #expect(state.recovery(from: other, inTransactionBefore: false, isRetry: false) == .fail)
    }
}

@Suite("The COPY reader")
struct CopyReaderTests {
    /// Two rows of (int4, text): (7, "ab"), (NULL, "").
    static let stream: [UInt8] =
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        + [0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 2, 0x61, 0x62]
        + [0, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0] + [0xFF, 0xFF]

    @Test("Rows are the same wherever the stream is cut", arguments: 1...stream.count)
    func cuts(size: Int) throws {
        var reader = CopyReader(types: [.scalar(.int4), .scalar(.text)])
        var rows: [String] = []
        var rest = Self.stream[...]
        while !rest.isEmpty {
            reader.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
            while let row = try reader.next() {
                rows.append(
                    "\(try row.get(0, as: Int?.self) ?? -1) \(try row.get(1, as: String.self))")
            }
        }
        #expect(rows == ["7 ab", "-1 "])
        #expect(reader.isAtEnd)
    }

    @Test("What is not a COPY stream is refused")
    func garbage() {
        var reader = CopyReader(types: [.scalar(.int4)])
        reader.append([UInt8](repeating: 0x41, count: 64))
        #expect(throws: PostgresError.self) { try reader.next() }
        var narrow = CopyReader(types: [.scalar(.int4)])
        narrow.append(Self.stream)
        #expect(throws: PostgresError.self) { try narrow.next() }
    }
}
