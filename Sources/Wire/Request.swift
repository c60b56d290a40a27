// A line becomes a request, or a refusal that carries the id when the line had a good one.

/// What a client calls one of its requests.
package enum RequestID: Sendable, Hashable {
    case string(String)
    case integer(Int)

    /// Bytes of an id that is a string, at most.
    package static let maximumBytes = 64
    /// An id that is an integer lies within ± this: what every JSON reader keeps exactly.
    package static let maximumInteger = 1 << 53
}

/// One request.
package struct Request: Sendable {
    package let id: RequestID
    package let method: String
    /// `params`, `nil` when the request has none.
    package let params: JSONObject?
    /// Members beside `jsonrpc`, `id`, `method` and `params`; refused when the client is strict.
    package let unknownMembers: [String]
}

/// A message of a client, as far as its form is concerned.
package enum Incoming: Sendable {
    case request(Request)
    /// A message without id. Only names beginning with `$/` come this far.
    case notification(method: String, params: JSONObject?)
    /// Not a message; `id` when it had one that can be answered to.
    case refused(id: RequestID?, WireError)

    /// Reads the message a document spells.
    package init(_ document: JSONDocument) {
        let root = document.root
        guard let message = root.object else {
            self = .refused(
                id: nil,
                root.kind == .array
                    ? WireError(
                        .batchUnsupported,
                        "Send requests one a line; `search.batch` runs many queries in one.")
                    : WireError(
                        .invalidRequest, "A message is an object.", expected: "object",
                        got: root.kind.rawValue))
            return
        }
        do throws(WireError) {
            let id = try Incoming.id(message["id"])
            do throws(WireError) {
                self = try Incoming.message(message, id: id)
            } catch {
                self = .refused(id: id, error)
            }
        } catch {
            self = .refused(id: nil, error)
        }
    }

    private static func message(
        _ message: JSONObject, id: RequestID?
    ) throws(WireError) -> Incoming {
        guard message["jsonrpc"]?.string == "2.0" else {
            throw WireError(
                .invalidRequest, "`jsonrpc` must be \"2.0\".", field: "jsonrpc", expected: "2.0")
        }
        guard let method = message["method"]?.string else {
            throw WireError(
                .invalidRequest, "`method` must be a string.", field: "method",
                expected: "string", got: message["method"]?.kind.rawValue ?? "nothing")
        }
        let params = message["params"]
        guard params == nil || params?.kind == .object else {
            throw WireError(
                .invalidParams, "`params` must be an object.", field: "params",
                expected: "object", got: params?.kind.rawValue)
        }
        guard let id else {
            guard method.hasPrefix("$/") else {
                throw WireError(
                    .invalidRequest, "A request needs an `id`: a string or an integer.",
                    field: "id", got: "nothing")
            }
            return .notification(method: method, params: params?.object)
        }
        let known = ["jsonrpc", "id", "method", "params"]
        return .request(
            Request(
                id: id, method: method, params: params?.object,
                unknownMembers: message.lazy.map(\.key).filter { !known.contains($0) }))
    }

    private static func id(_ value: JSONValue?) throws(WireError) -> RequestID? {
        guard let value else { return nil }
        return try RequestID(value, field: "id", kind: .invalidRequest)
    }
}

extension RequestID: CustomStringConvertible {
    package var description: String {
        switch self {
        case .string(let string): string
        case .integer(let integer): String(integer)
        }
    }
}

extension RequestID {
    /// Reads an id where one must stand.
    ///
    /// - Throws: a refusal of `kind` for null, fractions, other kinds, and what is too long.
    package init(_ value: JSONValue, field: String, kind: WireError.Kind) throws(WireError) {
        let expected = "a string of at most 64 bytes or an integer within 2^53"
        func refusal(_ got: String) -> WireError {
            WireError(
                kind, "`\(field)`: expected \(expected), got \(got).", field: field,
                expected: expected, got: got)
        }
        switch value.kind {
        case .string:
            guard let string = value.string, string.utf8.count <= RequestID.maximumBytes else {
                throw refusal("a longer string")
            }
            self = .string(string)
        case .integer:
            guard let integer = value.int,
                (-RequestID.maximumInteger...RequestID.maximumInteger).contains(integer)
            else { throw refusal("a larger integer") }
            self = .integer(integer)
        case .number: throw refusal("a number with fraction or exponent")
        default: throw refusal(value.kind.rawValue)
        }
    }
}
