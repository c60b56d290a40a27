// The socket's side of a connection: bytes in, lines out. A request that needs nothing but the
// processor for some microseconds is answered here and now; any other is a task. What to do is
// decided by `ConnectionState`; this does it, on the channel's event loop.
//
// Reading is asked for, never automatic: no read while the client leaves answers unread, while
// `initialize` runs, or while the requests under way hold too many bytes. TCP carries the pressure
// back to the sender.

import Accounts
import NIOCore
import Wire

final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let services: Services
    let configuration: ServerConfiguration
    let activity: Activity
    let desk: SearchDesk?
    let peer: Peer
    private let parser: JSONParser
    var splitter: FrameSplitter
    var state: ConnectionState
    var tasks: [RequestID: Running] = [:]
    var context: ChannelHandlerContext?
    private var clock: RepeatedTask?
    private var isReading = false
    private var isLeaving = false
    /// The client sends no more. It may still read, or be gone: that shows only in writing.
    private var isInputClosed = false
    private var queuedBytes = 0
    var requests = 0

    /// A request under way.
    struct Running {
        /// Nil while a search is at the desk.
        var task: Task<Void, Never>?
        var isCancelled = false
        var alarm: Scheduled<Void>?
        var isLate = false
        var isInitialize = false

        mutating func cancel() {
            isCancelled = true
            task?.cancel()
        }
    }

    init(
        channel: any Channel, name: String, services: Services,
        configuration: ServerConfiguration, activity: Activity, desk: SearchDesk?
    ) {
        self.services = services
        self.configuration = configuration
        self.activity = activity
        self.desk = desk
        peer = Peer(name: name, channel: channel)
        parser = JSONParser(maximumDepth: configuration.limits.nesting)
        state = ConnectionState(limits: configuration.limits, now: .now())
        splitter = FrameSplitter(lineLimit: state.lineLimit)
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelActive(context: ChannelHandlerContext) {
        let limits = configuration.limits
        let shortest = min(limits.unauthenticated, limits.idle, limits.unread)
        let period = TimeAmount.nanoseconds(
            max(20_000_000, TimeAmount(shortest).nanoseconds / 5))
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        clock = context.eventLoop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in
            this.value.tick()
        }
        readIfAllowed()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        splitter.append(unwrapInboundIn(data))
        takeLines()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        context.flush()
        readIfAllowed()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        takeLines()
        if !isReading { context.flush() }
        readIfAllowed()
        leaveIfNothingIsLeft()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { inputClosed(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        clock?.cancel()
        for running in tasks.values {
            running.alarm?.cancel()
            running.task?.cancel()
        }
        peer.close()
        activity.disconnected()
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A socket error ends its connection and nothing else.
        context.close(promise: nil)
    }

    // MARK: Lines

    func takeLines() {
        while let context, !isLeaving, state.mayTakeLine, context.channel.isWritable {
            guard let frame = splitter.next() else { return }
            switch frame {
            case .tooLong(let limit):
                refuse(
                    nil,
                    WireError(
                        .frameTooLarge, "A line may have \(limit) bytes here.", limit: limit))
            case .line(let line): take(line)
            }
            splitter.lineLimit = state.lineLimit
        }
    }

    private func take(_ line: ByteBuffer) {
        do throws(WireError) {
            switch Incoming(try parser.parse(line)) {
            case .refused(let id, let error): refuse(id, error)
            case .notification("$/cancel", let params): cancel(params)
            // Other notifications are from a later protocol; JSON-RPC has no answer for them.
            case .notification: break
            case .request(let request): take(request, bytes: line.readableBytes)
            }
        } catch {
            refuse(nil, error)
        }
    }

    private func take(_ request: Request, bytes: Int) {
        guard state.inFlight[request.id] == nil else {
            // Under the id itself this would be a second answer to the first request.
            return refuse(
                nil,
                WireError(
                    .invalidRequest, "A request with this id is under way.", field: "id",
                    got: "\(request.id)"))
        }
        let method = Method.all[request.method]
        let refusal = state.admit(request, bytes: bytes, needs: method?.needs, now: .now())
        if let refusal { return refuse(request.id, refusal) }
        guard let method else { return }
        do throws(WireError) {
            begin(
                method, request.id,
                try Call(
                    request, of: method, peer: peer, services: services,
                    configuration: configuration, activity: activity, number: requests + 1,
                    arrived: .now))
        } catch {
            state.finished(request.id, now: .now())
            if method.needs == .greeting { state.initialized(false, authenticated: false) }
            refuse(request.id, error)
        }
    }

    // MARK: Writing and reading

    func refuse(_ id: RequestID?, _ error: WireError) {
        requests += 1
        write(JSONWriter.error(id, error, requestID: "\(peer.name)-\(requests)"))
        // Refusals are written while reading, and flushed when the read is complete; outside of a
        // read someone has to.
        if !isReading { context?.flush() }
    }

    func write(_ line: ByteBuffer) {
        queuedBytes += line.readableBytes
        context?.write(wrapOutboundOut(line), promise: nil)
    }

    func readIfAllowed() {
        guard let context, !isReading, !isLeaving, !isInputClosed, state.mayTakeLine,
            context.channel.isWritable
        else { return }
        isReading = true
        context.read()
    }

    // MARK: Time

    private func tick() {
        guard let context else { return }
        let waiting =
            (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)).flatMap { $0 }
            ?? 0
        state.moved(writtenOut: queuedBytes - waiting, waiting: waiting, now: .now())
        switch state.farewell(at: .now()) {
        case nil: break
        case .silent: context.close(promise: nil)
        case .told(let error):
            guard !isLeaving else { return }
            refuse(nil, error)
            leave()
        }
    }

    /// Closes once what was written has gone out.
    private func leave() {
        guard let context, !isLeaving else { return }
        isLeaving = true
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            channel.close(promise: nil)
        }
    }

    // MARK: The client has finished

    /// What was asked is answered, then the connection closes. What takes longer than the grace is
    /// cancelled: most likely nobody is there any more.
    private func inputClosed(_ context: ChannelHandlerContext) {
        guard !isInputClosed else { return }
        isInputClosed = true
        takeLines()
        context.flush()
        leaveIfNothingIsLeft()
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: TimeAmount(configuration.halfCloseGrace)) {
            this.value.cancelAll()
        }
    }

    func leaveIfNothingIsLeft() {
        guard isInputClosed, tasks.isEmpty, context?.channel.isWritable == true else { return }
        leave()
    }

    // MARK: Shutting down

    /// Announces the end, refuses new work, closes when nothing runs any more.
    func drain(within time: Duration) {
        guard let context, state.drain() else { return }
        if state.phase == .initialized {
            let milliseconds = TimeAmount(time).nanoseconds / 1_000_000
            write(
                JSONWriter.notification("$/draining") {
                    $0.member("deadlineMs", milliseconds)
                })
            context.flush()
        }
        leaveWhenDrained()
    }

    func leaveWhenDrained() {
        guard let context else { return }
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: TimeAmount(configuration.drainingGrace)) {
            if this.value.state.isFinished { this.value.leave() }
        }
    }

    /// Ends what still runs; each request is answered `cancelled`, and then the connection closes.
    func cancelAll() {
        for id in tasks.keys { tasks[id]?.cancel() }
    }

    func closeNow() { context?.close(promise: nil) }
}
