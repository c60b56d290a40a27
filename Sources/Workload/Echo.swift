// What the machine itself takes for a question and its answer: the floor under every latency over TCP.

internal import Foundation

#if canImport(Glibc)
    internal import Glibc
#endif

/// Lines of the same lengths as a search's, sent to a thread that does nothing but answer.
public enum Echo {
    /// Sends a line of `request` bytes and waits for one of `answer` bytes, `count` times in a closed loop.
    ///
    /// - Returns: nanoseconds of each round.
    /// - Throws: when there is no socket to be had.
    public static func measure(
        request: Int, answer: Int, count: Int = 2_000
    ) throws(WorkloadError) -> [Int64] {
        let listener = try Listener()
        let thread = Thread { listener.answerOne(with: line(answer)) }
        thread.start()
        let socket = try LineSocket(host: "127.0.0.1", port: listener.port)
        let question = line(request)
        var nanoseconds: [Int64] = []
        // The first fifty only warm up.
        for round in 0..<count + 50 {
            let begun = ContinuousClock.now
            try socket.send(question)
            repeat { try socket.receive() } while socket.nextLine() == nil
            let taken = begun.duration(to: .now)
            if round >= 50 { nanoseconds.append(Int64(taken / .nanoseconds(1))) }
        }
        return nanoseconds
    }

    private static func line(_ count: Int) -> [UInt8] {
        [UInt8](repeating: 0x78, count: max(0, count - 1)) + [0x0A]
    }
}

/// A port of 127.0.0.1 on which one connection is answered.
private final class Listener: Sendable {
    private let descriptor: Int32
    let port: Int

    init() throws(WorkloadError) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw WorkloadError("cannot open a socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
        guard isBound else { throw WorkloadError("cannot listen on 127.0.0.1") }
    }

    deinit { close(descriptor) }

    /// Answers every line of one connection until it is closed.
    func answerOne(with answer: [UInt8]) {
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0 else { return }
        defer { close(connection) }
        var yes: Int32 = 1
        _ = unsafe setsockopt(
            connection, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = unsafe recv(connection, &piece, piece.count, 0)
            guard count > 0 else { return }
            guard piece[count - 1] == 0x0A else { continue }
            var sent = 0
            while sent < answer.count {
                let more = unsafe answer.withUnsafeBytes {
                    unsafe Glibc.send(
                        connection, $0.baseAddress! + sent, answer.count - sent, Int32(MSG_NOSIGNAL)
                    )
                }
                guard more > 0 else { return }
                sent += more
            }
        }
    }
}
