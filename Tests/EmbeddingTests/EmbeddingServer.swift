import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A small HTTP server on 127.0.0.1 that answers `/v1/embeddings` as a test tells it to: one thread
/// accepts, one thread a connection, one request a connection.
final class EmbeddingServer: Sendable {
    struct Request: Sendable {
        var head: String
        var model: String
        var input: [String]
        var dimensions: Int?
    }

    struct Answer: Sendable {
        var status = 200
        var headers = ""
        var body: String

        static func json(_ body: String) -> Answer { Answer(body: body) }

        static func vectors(_ rows: [[Double]]) -> Answer {
            let items = rows.enumerated().map { #"{"index":\#($0),"embedding":\#($1)}"# }
            return .json("{\"object\":\"list\",\"data\":[\(items.joined(separator: ","))]}")
        }
    }

    private struct State {
        var requests: [Request] = []
        var open = 0
        var mostOpen = 0
    }

    let port: Int
    private let listener: CInt
    private let state = Mutex(State())

    /// `answer` gets the request and how many came before it.
    ///
    /// - Throws: when there is no port to listen on.
    init(answer: @escaping @Sendable (Request, Int) -> Answer) throws {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                guard unsafe bind(listener, pointer, size) == 0, listen(listener, 64) == 0,
                    unsafe getsockname(listener, pointer, &size) == 0
                else { return -1 }
                return 0
            }
        }
        guard port == 0 else { throw POSIXError(.EADDRINUSE) }
        self.port = Int(UInt16(bigEndian: address.sin_port))
        self.listener = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                guard let server = self else {
                    close(connection)
                    return
                }
                Thread.detachNewThread {
                    server.serve(connection, answer)
                    close(connection)
                }
            }
        }
    }

    deinit {
        shutdown(listener, CInt(SHUT_RDWR))
        close(listener)
    }

    var requests: [Request] { state.withLock { $0.requests } }
    var mostAtOnce: Int { state.withLock { $0.mostOpen } }

    private func serve(_ connection: CInt, _ answer: (Request, Int) -> Answer) {
        guard let request = read(from: connection) else { return }
        let number = state.withLock { state in
            state.requests.append(request)
            state.open += 1
            state.mostOpen = max(state.mostOpen, state.open)
            return state.requests.count - 1
        }
        let answer = answer(request, number)
        state.withLock { $0.open -= 1 }
        let head =
            "HTTP/1.1 \(answer.status) Status\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(answer.body.utf8.count)\r\nConnection: close\r\n"
            + answer.headers + "\r\n"
        var bytes = Array((head + answer.body).utf8)[...]
        while !bytes.isEmpty {
            let sent = unsafe bytes.withUnsafeBytes {
                unsafe send(connection, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return }
            bytes = bytes.dropFirst(sent)
        }
    }

    private func read(from connection: CInt) -> Request? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
                let length = head.split(separator: "\r\n").compactMap { line -> Int? in
                    let parts = line.split(separator: ":", maxSplits: 1)
                    guard parts.count == 2, parts[0].lowercased() == "content-length" else {
                        return nil
                    }
                    return Int(parts[1].trimmingCharacters(in: .whitespaces))
                }.first
                let body = bytes[end.upperBound...]
                if body.count >= length ?? 0 {
                    struct Body: Decodable {
                        var model: String
                        var input: [String]
                        var dimensions: Int?
                    }
                    guard let json = try? JSONDecoder().decode(Body.self, from: Data(body)) else {
                        return nil
                    }
                    return Request(
                        head: head, model: json.model, input: json.input,
                        dimensions: json.dimensions)
                }
            }
            let count = unsafe recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
    }
}
