// A connection to a Carrel server, for Swift programs. It adds nothing to the protocol but types:
// one line out, one line back, matched by id.

internal import Foundation
internal import NIOCore
internal import NIOPosix
package import Wire

/// One connection to a Carrel server.
///
/// Calls may overlap: they are pipelined on the connection and answered in any order. Cancelling
/// the task of a call tells the server, which then answers `cancelled`.
///
/// ```swift
/// let carrel = try await CarrelClient.connect(host: "127.0.0.1", port: 7117, apiKey: key)
/// let opened: Opened = try await carrel.call("session.open", ["session": id])
/// let answer: Answer = try await carrel.call("search", Question(session: opened.handle, k: 5))
/// ```
public final class CarrelClient: Sendable {
    /// The dates of the protocol that this client speaks, newest first.
    public static let protocolVersions = ["2026-11-01"]

    private let channel: any Channel
    private let conversation: Conversation

    private init(_ channel: any Channel, _ conversation: Conversation) {
        self.channel = channel
        self.conversation = conversation
    }

    /// Opens a connection and says who is calling.
    ///
    /// - Parameters:
    ///   - host: the server's name or address.
    ///   - port: the server's port.
    ///   - apiKey: `ck_…`; without it only `ping` and the `auth` methods are answered.
    ///   - clientName: names the calling program in the server's log.
    /// - Returns: a connection that is ready for calls.
    /// - Throws: ``ClientError/cannotConnect(_:)``, or the server's refusal of the key or of
    ///   every protocol version of this client.
    public static func connect(
        host: String, port: Int, apiKey: String?, clientName: String = "carrel-client"
    ) async throws(ClientError) -> CarrelClient {
        let conversation = Conversation()
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .connectTimeout(.seconds(10))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(LineHandler(conversation))
                    }
                }
                .connect(host: host, port: port).get()
        } catch {
            throw .cannotConnect("\(host):\(port): \(error)")
        }
        let client = CarrelClient(channel, conversation)
        do throws(ClientError) {
            _ = try await client.request("initialize", timeout: .seconds(10)) {
                $0.member("protocolVersions", protocolVersions)
                $0.object("client") {
                    $0.member("name", clientName)
                    $0.member("version", protocolVersions[0])
                }
                if let apiKey { $0.object("auth") { $0.member("apiKey", apiKey) } }
            }
        } catch {
            await client.close()
            throw error
        }
        return client
    }

    /// Calls a method and decodes its result.
    ///
    /// Vectors travel cheapest as `vectorB64` (base64 of little-endian fp32).
    ///
    /// - Parameters:
    ///   - method: the method's name, as in the protocol.
    ///   - parameters: encodes as a JSON object.
    ///   - as: the shape of the result, where it does not follow from its use.
    ///   - timeout: how long to wait for the answer; `nil` waits as long as the connection lives.
    /// - Returns: the decoded result.
    /// - Throws: ``ClientError``.
    public func call<Parameters: Encodable, Result: Decodable>(
        _ method: String, _ parameters: Parameters, as: Result.Type = Result.self,
        timeout: Duration? = nil
    ) async throws(ClientError) -> Result {
        let encoded: String
        do {
            encoded = String(decoding: try JSONEncoder().encode(parameters), as: UTF8.self)
        } catch {
            throw .encoding("\(error)")
        }
        let reply = try await exchange(method, timeout: timeout) { $0.raw(encoded) }
        do {
            return try JSONDecoder().decode(
                Envelope<Result>.self, from: Data(reply.line.readableBytesView)
            ).result
        } catch {
            throw .decoding("\(method): \(error)")
        }
    }

    /// The course of a job, from now to its end.
    ///
    /// - Parameter job: the id that the starting method returned.
    /// - Returns: one element at once, one for every change, the last with a state that is over.
    ///   It ends early only when the connection does.
    /// - Throws: ``ClientError``.
    public func progress(of job: String) async throws(ClientError) -> AsyncStream<JobProgress> {
        let (stream, continuation) = AsyncStream.makeStream(of: JobProgress.self)
        // Registered first: the server may report before its answer is read here.
        let subscription = conversation.subscribe(to: job, continuation)
        continuation.onTermination = { [conversation] _ in conversation.drop(subscription) }
        do throws(ClientError) {
            let reply = try await request("job.subscribe") { $0.member("job", job) }
            if let state = reply["job"]?.object, let now = JobProgress(job: job, state) {
                conversation.report(now)
            }
        } catch {
            continuation.finish()
            throw error
        }
        return stream
    }

    /// Ends the connection.
    ///
    /// What is under way fails with ``ClientError/disconnected(_:)``.
    public func close() async {
        try? await channel.close().get()
    }

    /// Calls a method with parameters written straight to the line, and returns the result as
    /// parsed, without a decoder: what a benchmark of the server wants.
    package func request(
        _ method: String, timeout: Duration? = nil,
        _ members: (inout JSONWriter) -> Void
    ) async throws(ClientError) -> JSONObject {
        let reply = try await exchange(method, timeout: timeout) { $0.object(members) }
        guard let result = reply.message["result"]?.object else {
            throw .decoding("\(method): the result is not an object")
        }
        return result
    }

    private func exchange(
        _ method: String, timeout: Duration?, _ params: (inout JSONWriter) -> Void
    ) async throws(ClientError) -> Conversation.Reply {
        let id = conversation.nextID()
        var writer = JSONWriter()
        writer.object {
            $0.member("jsonrpc", "2.0")
            $0.member("id", id)
            $0.member("method", method)
            $0.key("params")
            params(&$0)
        }
        var line = writer.buffer
        line.writeInteger(UInt8(ascii: "\n"))
        let alarm = timeout.map { timeout in
            channel.eventLoop.scheduleTask(in: TimeAmount(timeout)) { [conversation, channel] in
                if conversation.fail(id, .timedOut(timeout)) { channel.cancelRequest(id) }
            }
        }
        defer { alarm?.cancel() }
        return try await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard conversation.expect(id, continuation) else { return }
                channel.writeAndFlush(line).whenFailure { [conversation] error in
                    conversation.fail(id, .disconnected("\(error)"))
                }
            }
        } onCancel: {
            channel.cancelRequest(id)
        }.get()
    }
}

extension Channel {
    /// Tells the server that nobody waits for an answer any more; it answers all the same.
    fileprivate func cancelRequest(_ id: Int) {
        writeAndFlush(JSONWriter.notification("$/cancel") { $0.member("id", id) }, promise: nil)
    }
}

/// An answer around its result.
private struct Envelope<Result: Decodable>: Decodable {
    let result: Result
}
