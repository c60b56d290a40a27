internal import NIOCore
internal import Wire

/// Cuts what arrives into lines and hands them to the conversation.
final class LineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Answers are larger than requests: a thousand hits with their parents.
    private static let lineLimit = 256 << 20

    private let conversation: Conversation
    private var splitter = FrameSplitter(lineLimit: LineHandler.lineLimit)
    private let parser = JSONParser(maximumDepth: 64)

    init(_ conversation: Conversation) { self.conversation = conversation }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        splitter.append(unwrapInboundIn(data))
        while let frame = splitter.next() {
            guard case .line(let line) = frame, let document = try? parser.parse(line) else {
                // Without this line's id, somebody would wait for ever.
                return end(context, .disconnected("the server sent what is not JSON"))
            }
            conversation.receive(line, document)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        conversation.end(.disconnected("the server closed it"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(context, .disconnected("\(error)"))
    }

    private func end(_ context: ChannelHandlerContext, _ reason: ClientError) {
        conversation.end(reason)
        context.close(promise: nil)
    }
}
