/// What is asked. The names of headers and their order are as given; no value holds a line end.
package struct HTTPRequest: Sendable {
    package var method: String
    /// Absolute, encoded.
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: HTTPBody?

    package init(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [],
        body: HTTPBody? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// Bytes to send, of a length known beforehand.
package struct HTTPBody: Sendable {
    package let size: Int
    /// Reads from the start each time it is asked for one.
    let open: @Sendable () throws -> Reader

    /// At most so many bytes; none at the end. Called on one thread.
    package typealias Reader = (_ count: Int) throws -> [UInt8]

    package init(size: Int, open: @escaping @Sendable () throws -> Reader) {
        self.size = size
        self.open = open
    }

    package init(_ bytes: [UInt8]) {
        self.init(size: bytes.count) {
            var rest = bytes[...]
            return { count in
                defer { rest = rest.dropFirst(count) }
                return Array(rest.prefix(count))
            }
        }
    }
}

/// The head of an answer, and of its body what was asked to be kept.
package struct HTTPResponse: Sendable {
    package var status = 0
    /// By lower-case name; of several with one name the last.
    package var headers: [String: String] = [:]
    /// The body in memory: nothing when a sink took it.
    package var body: [UInt8] = []
}

/// How long and how much.
package struct HTTPLimits: Sendable {
    /// For one exchange, to the last byte.
    package var timeout = Duration.seconds(600)
    /// Slower than a kibibyte a second for so long counts as no answer.
    package var stall = Duration.seconds(30)

    package init() {}
}
