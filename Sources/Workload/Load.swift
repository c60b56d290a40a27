// The load: requests sent over a number of connections, each answer timed. One thread and `pselect`,
// because the machine's other core is the server's.

internal import Foundation

#if canImport(Glibc)
    internal import Glibc
#endif

/// How the requests follow each other.
public enum Pace: Sendable {
    /// Closed loop: each place under way is filled again as soon as its answer is in, until `count`
    /// requests are answered. Tells the throughput; its times leave out what a caller would
    /// have waited while the server stood still (coordinated omission).
    case closed(count: Int)
    /// Open loop: request i is due at i / `rate` seconds, whether or not answers come, for `seconds`.
    /// A time counts from when the request was due.
    case open(rate: Double, seconds: Double)
}

/// What a load measured.
public struct LoadResult: Sendable {
    /// For each answered request, in the order of the requests: nanoseconds from its start (closed
    /// loop: sent, open loop: due) to its whole answer being there.
    public internal(set) var nanoseconds: [Int64] = []
    /// When each of these was begun, in nanoseconds since the first.
    public internal(set) var begun: [Int64] = []
    /// From the first request to the last answer.
    public internal(set) var seconds = 0.0
    /// Requests that were refused, `busy` above all.
    public internal(set) var refused = 0
    /// The answers of the first requests, as many as were to be kept.
    public internal(set) var answers: [[UInt8]] = []
}

/// Connections with the same session open, and requests to send on them.
public final class Load {
    private let sockets: [LineSocket]
    /// By connection, then by question: a request up to its id.
    private let requests: [[[UInt8]]]
    private let depth: Int

    /// Connects and writes the requests, so that the loop only sends bytes.
    ///
    /// - Parameters:
    ///   - questions: asked in turn.
    ///   - session: the session's id.
    ///   - address: the server's.
    ///   - connections: how many.
    ///   - depth: how many requests may be under way on each; the server allows 64.
    /// - Throws: when the server refuses.
    public init(
        _ questions: [Question], session: String, on address: ServerAddress, connections: Int = 1,
        depth: Int = 1
    ) throws(WorkloadError) {
        var sockets: [LineSocket] = []
        var requests: [[[UInt8]]] = []
        let bodies = questions.map(\.members)
        for _ in 0..<connections {
            let connection = try ServerConnection(address)
            let handle = try connection.open(session)
            sockets.append(connection.socket)
            requests.append(
                bodies.map {
                    Array(
                        #"{"jsonrpc":"2.0","method":"search","params":{"session":"\#(handle)",\#($0)},"id":"#
                            .utf8)
                })
        }
        self.sockets = sockets
        self.requests = requests
        self.depth = depth
    }

    /// How long the first request is, in bytes, LF included.
    public var requestBytes: Int { requests[0][0].count + #"0}\n"#.utf8.count }

    /// Sends at a pace and waits for every answer.
    ///
    /// - Parameters:
    ///   - pace: closed or open loop.
    ///   - first: with which question to begin.
    ///   - kept: how many answers to keep, of the first requests.
    ///   - isEnough: asked all the time; once it says so nothing more is sent.
    /// - Returns: times, and the answers kept.
    /// - Throws: when the server closes a connection.
    public func run(
        _ pace: Pace, from first: Int = 0, keeping kept: Int = 0,
        until isEnough: () -> Bool = { false }
    ) throws(WorkloadError) -> LoadResult {
        for socket in sockets { socket.isBlocking = false }
        defer { for socket in sockets { socket.isBlocking = true } }
        Clock.sharpen()
        var run = Run(pace: pace, kept: kept, connections: sockets.count, depth: depth)
        while run.answered < run.total {
            if isEnough() { run.stop() }
            let now = Clock.now
            while let (request, connection) = run.due(now) {
                let questions = requests[connection]
                let id = Array("\(request)}\n".utf8)
                run.started[request] = run.isOpen ? run.dueTime(request) : Clock.now
                try sockets[connection].send(questions[(first + request) % questions.count] + id)
            }
            try wait(until: run.nextDue(Clock.now))
            for (connection, socket) in sockets.enumerated() {
                while let line = socket.nextLine() { run.finish(line, on: connection) }
            }
        }
        return run.result
    }

    /// Waits for answers or the next request, and takes in what has come.
    private func wait(until due: Int64?) throws(WorkloadError) {
        var readable = DescriptorSet()
        var writable = DescriptorSet()
        for socket in sockets {
            readable.insert(socket.descriptor)
            if socket.isBehind { writable.insert(socket.descriptor) }
        }
        let left = due.map { max(0, $0 - Clock.now) } ?? 1_000_000_000
        guard DescriptorSet.wait(&readable, &writable, nanoseconds: left) else { return }
        for socket in sockets {
            if writable.contains(socket.descriptor) { try socket.flush() }
            if readable.contains(socket.descriptor) { try socket.receive() }
        }
    }
}

/// One run's accounts, without a socket.
private struct Run {
    let isOpen: Bool
    private(set) var total: Int
    private let interval: Double
    private let begun = Clock.now
    private let kept: Int
    private let depth: Int
    private var underWay: [Int]
    private var next = 0
    private(set) var answered = 0
    var started: [Int64]
    private var times: [Int64]
    private var answers: [[UInt8]]
    private var refused = 0

    init(pace: Pace, kept: Int, connections: Int, depth: Int) {
        switch pace {
        case .closed(let count): (isOpen, total, interval) = (false, count, 0)
        case .open(let rate, let seconds):
            (isOpen, total, interval) = (true, Int(rate * seconds), 1e9 / rate)
        }
        self.kept = min(kept, total)
        self.depth = depth
        underWay = Array(repeating: 0, count: connections)
        started = Array(repeating: 0, count: total)
        times = Array(repeating: -1, count: total)
        answers = Array(repeating: [], count: min(kept, total))
    }

    func dueTime(_ request: Int) -> Int64 { begun + Int64(Double(request) * interval) }

    /// A request to send now and the connection with the least under way. A full connection holds a
    /// request back, never its clock.
    mutating func due(_ now: Int64) -> (request: Int, connection: Int)? {
        guard next < total, dueTime(next) <= now,
            let connection = underWay.indices.min(by: { underWay[$0] < underWay[$1] }),
            underWay[connection] < depth
        else { return nil }
        defer { next += 1 }
        underWay[connection] += 1
        return (next, connection)
    }

    /// Sends nothing more.
    mutating func stop() { total = next }

    /// When the next request is due; nil when only an answer can make room for it.
    func nextDue(_ now: Int64) -> Int64? {
        guard next < total, underWay.contains(where: { $0 < depth }) else { return nil }
        return dueTime(next)
    }

    mutating func finish(_ line: ArraySlice<UInt8>, on connection: Int) {
        guard let request = Self.id(of: line), started.indices.contains(request) else { return }
        let now = Clock.now
        underWay[connection] -= 1
        answered += 1
        if Self.isResult(line) { times[request] = now - started[request] } else { refused += 1 }
        if request < kept { answers[request] = Array(line) }
    }

    var result: LoadResult {
        let answered = (0..<total).filter { times[$0] >= 0 }
        return LoadResult(
            nanoseconds: answered.map { times[$0] },
            begun: answered.map { started[$0] - begun },
            seconds: Double(Clock.now - begun) / 1e9, refused: refused, answers: answers)
    }

    /// The number after the first `"id":`, which stands at the beginning of every answer.
    private static func id(of line: ArraySlice<UInt8>) -> Int? {
        let mark = Array(#""id":"#.utf8)
        guard let at = line.prefix(64).firstRange(of: mark) else { return nil }
        var value: Int?
        for byte in line[at.upperBound...] {
            guard case 0x30...0x39 = byte else { break }
            value = (value ?? 0) * 10 + Int(byte - 0x30)
        }
        return value
    }

    private static func isResult(_ line: ArraySlice<UInt8>) -> Bool {
        line.prefix(96).firstRange(of: Array(#""result":"#.utf8)) != nil
    }
}

enum Clock {
    /// Nanoseconds of a clock that only goes forward.
    static var now: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Asks Linux to wake this thread to the microsecond instead of up to 50 µs late (proc(5),
    /// timerslack_ns); otherwise the load's own lateness would be measured.
    static func sharpen() {
        try? Data("1000".utf8).write(to: URL(filePath: "/proc/thread-self/timerslack_ns"))
    }
}
