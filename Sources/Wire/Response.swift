// What the server says, each a line with its LF.

package import NIOCore

extension JSONWriter {
    /// `{"jsonrpc":"2.0","id":…,"result":{`
    ///
    /// - Parameters:
    ///   - id: the request that is answered.
    ///   - capacity: how many bytes to make room for at once.
    /// - Returns: a writer inside the result: what it is told next are the members of the result.
    package static func beginResult(_ id: RequestID, capacity: Int = 256) -> JSONWriter {
        var writer = JSONWriter(capacity: capacity)
        writer.begin()
        writer.member("jsonrpc", "2.0")
        writer.key("id")
        writer.value(id)
        writer.key("result")
        writer.begin()
        return writer
    }

    /// The answer begun by ``beginResult(_:)``, with its LF.
    package consuming func endResult() -> ByteBuffer {
        end()
        end()
        endLine()
        return buffer
    }

    /// `{"jsonrpc":"2.0","id":…,"error":{…}}`; the id is null when the request had none to keep.
    ///
    /// The `requestID` names this refusal in the server's log.
    package static func error(
        _ id: RequestID?, _ error: WireError, requestID: String
    ) -> ByteBuffer {
        line { (writer: inout JSONWriter) in
            writer.key("id")
            if let id { writer.value(id) } else { writer.null() }
            writer.object("error") { (writer: inout JSONWriter) in
                writer.member("code", error.kind.code)
                writer.member("message", error.message)
                writer.object("data") { $0.data(error, requestID: requestID) }
            }
        }
    }

    /// `{"jsonrpc":"2.0","method":…,"params":{…}}`
    package static func notification(
        _ method: String, _ params: (inout JSONWriter) -> Void
    ) -> ByteBuffer {
        line { (writer: inout JSONWriter) in
            writer.member("method", method)
            writer.object("params", params)
        }
    }

    /// An id.
    package mutating func value(_ id: RequestID) {
        switch id {
        case .string(let string): value(string)
        case .integer(let integer): value(integer)
        }
    }

    private mutating func data(_ error: WireError, requestID: String) {
        member("kind", error.kind.rawValue)
        member("retryable", error.kind.isRetryable)
        error.retryAfterMilliseconds.map { member("retryAfterMs", $0) }
        member("requestId", requestID)
        error.field.map { member("field", $0) }
        error.limit.map { member("limit", $0) }
        error.expected.map { member("expected", $0) }
        error.got.map { member("got", $0) }
    }

    private static func line(_ members: (inout JSONWriter) -> Void) -> ByteBuffer {
        var writer = JSONWriter()
        writer.object { (writer: inout JSONWriter) in
            writer.member("jsonrpc", "2.0")
            members(&writer)
        }
        writer.endLine()
        return writer.buffer
    }
}
