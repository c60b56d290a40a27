// One exchange on one libcurl handle, blocking. The one file that calls libcurl.

internal import CCurl

/// A handle that keeps its connections; used by one thread at a time.
@safe final class CurlHandle: @unchecked Sendable {
    private let http: OpaquePointer

    init() throws(CloudError) {
        guard let http = unsafe carrel_http_new() else {
            throw .local(reason: "no memory for a connection")
        }
        unsafe self.http = http
    }

    deinit { unsafe carrel_http_free(http) }

    /// Blocks until the answer is complete or nothing will come of it.
    func perform(_ transfer: Transfer, within limits: HTTPLimits) throws(CloudError) -> HTTPResponse
    {
        let request = transfer.request
        var lines = request.headers.map { header in
            header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)"
        }
        // Asks for nothing before sending, and sends no type we did not name.
        lines += ["Expect:", "Content-Type:"].filter { line in
            !request.headers.contains { $0.name.lowercased() + ":" == line.lowercased() }
        }
        var status = 0
        let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        let outcome = unsafe withCStrings(lines) { headers in
            unsafe request.method.withCString { method in
                unsafe request.url.withCString { url in
                    var question = unsafe carrel_http_request(
                        method: method, url: url, headers: headers,
                        body_size: Int64(request.body?.size ?? -1),
                        timeout_ms: limits.timeout.milliseconds,
                        stall_ms: limits.stall.milliseconds, context: context,
                        allow: { context, bytes, count in
                            unsafe Transfer.of(context).allows(Array(from: bytes, count: count))
                                ? 1 : 0
                        },
                        read: { context, bytes, count in
                            unsafe Transfer.of(context).read(into: bytes, count)
                        },
                        header: { context, bytes, count in
                            unsafe Transfer.of(context).header(Array(from: bytes, count: count))
                                ? 0 : 1
                        },
                        write: { context, bytes, count in
                            unsafe Transfer.of(context).write(Array(from: bytes, count: count))
                                ? 0 : 1
                        },
                        cancelled: { context in
                            unsafe Transfer.of(context).isCancelled ? 1 : 0
                        })
                    return unsafe carrel_http_perform(http, &question, &status)
                }
            }
        }
        transfer.response.status = status
        if outcome != CARREL_HTTP_OK { throw transfer.error(for: Int(outcome)) }
        return transfer.response
    }
}

extension Transfer {
    fileprivate static func of(_ context: UnsafeMutableRawPointer?) -> Transfer {
        unsafe Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
    }

    fileprivate func read(into bytes: UnsafeMutablePointer<UInt8>?, _ count: Int) -> Int {
        guard let piece = nextPiece(count) else { return Int(bitPattern: UInt.max) }
        for (index, byte) in piece.enumerated() { unsafe bytes![index] = byte }
        return piece.count
    }

    fileprivate func error(for outcome: Int) -> CloudError {
        switch outcome {
        case CARREL_HTTP_REFUSED: .forbiddenAddress(host: host)
        case CARREL_HTTP_STOPPED: failure ?? .cancelled
        case CARREL_HTTP_BAD_URL: .invalid(field: "url", reason: "is not one of HTTP")
        case CARREL_HTTP_UNKNOWN_HOST:
            .unavailable(reason: "no host of that name was found")
        case CARREL_HTTP_NO_CONNECTION: .unavailable(reason: "no connection")
        case CARREL_HTTP_TIMED_OUT: .unavailable(reason: "no answer in time")
        case CARREL_HTTP_TLS:
            .unavailable(reason: "no trusted connection (its certificate was not accepted)")
        default: .unavailable(reason: "the answer broke off")
        }
    }
}

extension [UInt8] {
    fileprivate init(from bytes: UnsafePointer<UInt8>?, count: Int) {
        unsafe self.init(UnsafeBufferPointer(start: bytes, count: count))
    }
}

extension Duration {
    fileprivate var milliseconds: Int { Int(self / .milliseconds(1)) }
}

/// Lends the lines as an array of C strings ended by NULL.
private func withCStrings<R>(
    _ lines: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R
) -> R {
    var bytes: [CChar] = []
    var starts: [Int] = []
    for line in lines {
        starts.append(bytes.count)
        bytes += line.utf8CString
    }
    return unsafe bytes.withUnsafeBufferPointer { text in
        var pointers: [UnsafePointer<CChar>?] = unsafe starts.map { start in
            unsafe text.baseAddress! + start
        }
        unsafe pointers.append(nil)
        return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
    }
}
