// A man in the middle: stands between a server and PostgreSQL and changes statements on their way.
// So a server can be run with a predicate dropped, and no line of it needs to know.
//
// https://www.postgresql.org/docs/16/protocol-message-formats.html

import Foundation
import NIOCore
import NIOPosix
import Postgres
import Synchronization
import TestSupport

/// What becomes of statements.
struct Rewriting: Sendable {
    /// Given the name of a statement (`Statement.name`; none for what is sent as mere text) and its SQL,
    /// says what to send in its place.
    let change: @Sendable (_ name: String, _ sql: String) -> String
}

final class StatementProxy: Sendable {

    private let listener: any Channel
    private let count: Count
    /// The same database, by way of the proxy.
    let configuration: PostgresConfiguration

    /// How many statements were changed.
    var changes: Int { count.value.withLock { $0 } }

    init(before pool: Pool, _ rewriting: Rewriting) async throws {
        let url = pool.configuration.url
        guard let host = url.firstMatch(of: /host=([^&]+)/),
            let folder = String(host.1).removingPercentEncoding,
            let socket = try FileManager.default.contentsOfDirectory(atPath: folder)
                .first(where: { $0.hasPrefix(".s.PGSQL.") && !$0.hasSuffix(".lock") })
        else { throw CocoaError(.fileNoSuchFile) }
        let own = try TestDirectory.make("proxy-\(UUID().uuidString.prefix(8))")
        let count = Count()
        self.count = count
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { client in
                ClientBootstrap(group: client.eventLoop)
                    .connect(unixDomainSocketPath: "\(folder)/\(socket)")
                    .flatMapThrowing { server in
                        try client.pipeline.syncOperations.addHandler(
                            Relay(
                                to: server,
                                Rewriting { name, sql in
                                    let changed = rewriting.change(name, sql)
                                    if changed != sql { count.value.withLock { $0 += 1 } }
                                    return changed
                                }))
                        try server.pipeline.syncOperations.addHandler(Relay(to: client, nil))
                    }
            }
            .bind(unixDomainSocketPath: "\(own)/\(socket)").get()
        configuration = try PostgresConfiguration(
            url: url.replacing(/host=[^&]+/, with: "host=\(own)"))
    }

    func close() async throws { try await listener.close() }

    private final class Count: Sendable {
        let value = Mutex(0)
    }
}

/// Hands on what it reads; from the client, message by message.
private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let peer: any Channel
    private let rewriting: Rewriting?
    private var buffer = ByteBuffer()
    private var hasStarted = false

    init(to peer: any Channel, _ rewriting: Rewriting?) {
        self.peer = peer
        self.rewriting = rewriting
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var data = unwrapInboundIn(data)
        guard let rewriting else {
            peer.writeAndFlush(data, promise: nil)
            return
        }
        buffer.writeBuffer(&data)
        var out = ByteBuffer()
        while var message = nextMessage(rewriting) { out.writeBuffer(&message) }
        buffer.discardReadBytes()
        if out.readableBytes > 0 { peer.writeAndFlush(out, promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { peer.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func nextMessage(_ rewriting: Rewriting) -> ByteBuffer? {
        // The first message, of a connection or of a cancellation, has no type.
        let typeLength = hasStarted ? 1 : 0
        guard
            let length = buffer.getInteger(
                at: buffer.readerIndex + typeLength, as: Int32.self),
            let message = buffer.readSlice(length: Int(length) + typeLength)
        else { return nil }
        guard hasStarted else {
            hasStarted = true
            return message
        }
        var body = message
        guard let type = body.readInteger(as: UInt8.self), body.readInteger(as: Int32.self) != nil,
            type == UInt8(ascii: "P") || type == UInt8(ascii: "Q")
        else { return message }
        let name = type == UInt8(ascii: "P") ? body.readNullTerminatedString() : nil
        guard let sql = body.readNullTerminatedString() else { return message }
        var changed = ByteBuffer()
        if let name { changed.writeNullTerminatedString(name) }
        // `12_document.selectByID`
        let plain = name.map { String($0.drop { $0 != "_" }.dropFirst()) } ?? ""
        changed.writeNullTerminatedString(rewriting.change(plain, sql))
        changed.writeBuffer(&body)
        var out = ByteBuffer()
        out.writeInteger(type)
        out.writeInteger(Int32(changed.readableBytes + 4))
        out.writeBuffer(&changed)
        return out
    }
}
