// A web server as small and as rude as a test wants it: it sends the bytes it is told to, and they
// need not be HTTP.

internal import Foundation
internal import Glibc
internal import Synchronization

/// On 127.0.0.1; a thread accepts, a thread each connection, one request each.
package final class TinyWebServer: Sendable {
    /// The request's head; what is sent with `send` until it says false, then the connection closes.
    package typealias Answer = @Sendable (_ head: String, _ send: (String) -> Bool) -> Void

    package let port: Int
    private let listener: CInt
    private let received = Mutex<[String]>([])

    package init(_ answer: @escaping Answer) throws {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(listener, pointer, size) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, pointer, &size) == 0
            }
        }
        guard isListening else { throw NoFreePort() }
        port = Int(UInt16(bigEndian: address.sin_port))
        self.listener = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0, let server = self else { return }
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

    /// Heads of all requests so far.
    package var heads: [String] { received.withLock { $0 } }

    package func url(_ path: String = "/", host: String = "127.0.0.1") -> String {
        "http://\(host):\(port)\(path)"
    }

    private func serve(_ connection: CInt, _ answer: Answer) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.firstRange(of: Array("\r\n\r\n".utf8)) == nil {
            let count = unsafe recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            bytes += buffer[..<count]
        }
        let head = String(decoding: bytes, as: UTF8.self)
        received.withLock { $0.append(head) }
        answer(head) { text in
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                let sent = unsafe rest.withUnsafeBytes {
                    unsafe send(connection, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
                }
                guard sent > 0 else { return false }
                rest = rest.dropFirst(sent)
            }
            return true
        }
    }
}
