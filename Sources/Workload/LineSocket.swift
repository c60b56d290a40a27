// A TCP socket on which lines go out and come in. The benchmarks talk through it and not through
// CarrelClient: on a machine that client and server share, what the client spends is measured too.

internal import Foundation

#if canImport(Glibc)
    internal import Glibc
#endif

/// One connection; blocking until ``isBlocking`` is turned off.
@safe final class LineSocket {
    private(set) var descriptor: Int32
    private var received: [UInt8] = []
    /// Where the first line not yet taken begins, and how far it was searched for its end.
    private var start = 0
    private var searched = 0
    /// What the system would not take yet.
    private var waiting: [UInt8] = []
    private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)

    var isBlocking = true {
        didSet {
            let flags = fcntl(descriptor, F_GETFL)
            _ = fcntl(
                descriptor, F_SETFL, isBlocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK)
        }
    }

    /// Whether something is left to send.
    var isBehind: Bool { !waiting.isEmpty }

    init(host: String, port: Int) throws(WorkloadError) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, "\(port)", &hints, &found)
        guard status == 0, let address = unsafe found?.pointee else {
            throw WorkloadError("there is no address for \(host)")
        }
        defer { unsafe freeaddrinfo(found) }
        descriptor = unsafe socket(address.ai_family, address.ai_socktype, address.ai_protocol)
        guard descriptor >= 0 else { throw WorkloadError("cannot open a socket") }
        guard unsafe connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 else {
            close(descriptor)
            throw WorkloadError("no server answers at \(host):\(port)")
        }
        var yes: Int32 = 1
        _ = unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit {
        close(descriptor)
        unsafe piece.deallocate()
    }

    /// Sends all of it, or as much as the system takes and the rest with ``flush()``.
    func send(_ bytes: [UInt8]) throws(WorkloadError) {
        guard waiting.isEmpty else {
            waiting += bytes
            return
        }
        let sent = try write(bytes[...])
        if sent < bytes.count { waiting = Array(bytes[sent...]) }
    }

    /// Sends what is left.
    func flush() throws(WorkloadError) {
        let sent = try write(waiting[...])
        waiting.removeFirst(sent)
    }

    private func write(_ bytes: ArraySlice<UInt8>) throws(WorkloadError) -> Int {
        var done = 0
        while done < bytes.count {
            let sent = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(
                    descriptor, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            if sent > 0 {
                done += sent
            } else if errno == EAGAIN, !isBlocking {
                break
            } else if errno != EINTR {
                throw WorkloadError("the server closed the connection")
            }
        }
        return done
    }

    /// Takes in what has arrived; when blocking, waits for something.
    func receive() throws(WorkloadError) {
        let count = unsafe recv(descriptor, piece.baseAddress, piece.count, 0)
        if count > 0 {
            if start == received.count {
                received.removeAll(keepingCapacity: true)
                (start, searched) = (0, 0)
            }
            unsafe received.append(contentsOf: piece[..<count])
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            throw WorkloadError("the server closed the connection")
        }
    }

    /// The next whole line, without its LF; nil when there is none yet.
    func nextLine() -> ArraySlice<UInt8>? {
        let end = unsafe received.withUnsafeBytes { bytes -> Int? in
            guard let first = bytes.baseAddress, searched < bytes.count,
                let found = unsafe memchr(first + searched, 0x0A, bytes.count - searched)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - first
        }
        guard let end else {
            searched = received.count
            return nil
        }
        defer { (start, searched) = (end + 1, end + 1) }
        return received[start..<end]
    }
}
