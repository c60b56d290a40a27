// The bluntest client there is: bytes out, lines in. What a test sends is what arrives.

import NIOCore
import NIOPosix
import Synchronization
import Wire

/// One raw connection to a server under test.
final class LineClient: Sendable {
    enum Failure: Error { case closed, noAnswer(String) }

    private let channel: any Channel
    private let inbox: Inbox

    private init(_ channel: any Channel, _ inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    /// Connects. A client that never `reads` makes the server wait.
    static func connect(_ port: Int, reads: Bool = true) async throws -> LineClient {
        let inbox = Inbox()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .channelOption(.socketOption(.so_rcvbuf), value: reads ? 1 << 20 : 4096)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Receiver(inbox))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return LineClient(channel, inbox)
    }

    func send(bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Sends a line.
    func send(_ line: String) async throws { try await send(bytes: Array((line + "\n").utf8)) }

    /// Sends without waiting until the bytes have left.
    func push(_ line: String) {
        channel.writeAndFlush(ByteBuffer(string: line + "\n"), promise: nil)
    }

    /// The next line that matches, in any order; others are kept for later.
    func next(
        _ what: String = "a line", within time: Duration = .seconds(120),
        where matches: @Sendable (JSONValue) -> Bool = { _ in true }
    ) async throws -> JSONValue {
        let end = ContinuousClock.now.advanced(by: time)
        while true {
            // Asked first: what came before the end is in the inbox by then.
            let isClosed = inbox.isClosed
            if let value = inbox.take(where: matches) { return value }
            if isClosed { throw Failure.closed }
            guard ContinuousClock.now < end else { throw Failure.noAnswer(what) }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// The answer to an id.
    func answer(_ id: Int, within time: Duration = .seconds(120)) async throws -> JSONValue {
        try await next("the answer to \(id)", within: time) { $0.object?["id"]?.int == id }
    }

    /// Sends a request and waits for its answer.
    @discardableResult
    func call(_ id: Int, _ method: String, _ params: String = "{}") async throws -> JSONValue {
        try await send(request(id, method, params))
        return try await answer(id)
    }

    /// Waits until the server has closed the connection.
    func isClosed(within time: Duration = .seconds(120)) async -> Bool {
        let end = ContinuousClock.now.advanced(by: time)
        while !inbox.isClosed, ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(2))
        }
        return inbox.isClosed
    }

    func close() async { try? await channel.close() }

    /// Says that no more will be sent, and goes on reading.
    func finishSending() async throws { try await channel.close(mode: .output) }
}

func request(_ id: Int, _ method: String, _ params: String = "{}") -> String {
    "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":\"\(method)\",\"params\":\(params)}"
}

extension JSONValue {
    /// The value at a path of names and places: `["result", "hits", "0", "score"]`.
    func at(_ path: String...) -> JSONValue? {
        path.reduce(self as JSONValue?) { value, step in
            if let index = Int(step) {
                value?.array.flatMap { Array($0) }.flatMap {
                    $0.indices.contains(index) ? $0[index] : nil
                }
            } else {
                value?.object?.first { $0.key == step }?.value
            }
        }
    }

    /// The kind of the error this answer is.
    var errorKind: String? { at("error", "data", "kind")?.string }

    var text: String {
        var writer = JSONWriter()
        writer.value(self)
        return writer.text
    }
}

/// Lines that came and were not asked for yet.
private final class Inbox: Sendable {
    private struct State {
        var values: [JSONValue] = []
        var isClosed = false
    }
    private let state = Mutex(State())

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func put(_ value: JSONValue) { state.withLock { $0.values.append(value) } }
    func close() { state.withLock { $0.isClosed = true } }

    func take(where matches: (JSONValue) -> Bool) -> JSONValue? {
        state.withLock { state in
            state.values.firstIndex(where: matches).map { state.values.remove(at: $0) }
        }
    }
}

private final class Receiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let inbox: Inbox
    private let parser = JSONParser()
    private var splitter = FrameSplitter(lineLimit: 64 << 20)

    init(_ inbox: Inbox) { self.inbox = inbox }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        splitter.append(unwrapInboundIn(data))
        while case .line(let line)? = splitter.next() {
            guard let document = try? parser.parse(line) else {
                context.close(promise: nil)
                return
            }
            inbox.put(document.root)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { inbox.close() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
