// What is asked, as the members of a `search` request.

internal import Foundation

/// One search.
public struct Question: Sendable {
    /// The JSON members between the session and the end.
    let members: String

    /// Asks with a vector, written as 768 numbers: the form most clients send.
    ///
    /// - Parameters:
    ///   - vector: 768 numbers.
    ///   - k: how many hits.
    ///   - options: further members, such as `"exactness":"proven"`.
    public init(vector: [Float], k: Int = 10, options: String = "") {
        let numbers = vector.map { "\($0)" }.joined(separator: ",")
        members = #""k":\#(k),"vector":[\#(numbers)]"# + (options.isEmpty ? "" : "," + options)
    }

    /// Asks with a text, which the server embeds.
    ///
    /// - Parameters:
    ///   - text: without quotation marks or backslashes.
    ///   - k: how many hits.
    ///   - options: further members.
    public init(text: String, k: Int = 10, options: String = "") {
        members = #""k":\#(k),"text":"\#(text)""# + (options.isEmpty ? "" : "," + options)
    }
}

/// What a benchmark reads of an answer.
public struct Answer: Decodable, Sendable {
    /// One hit.
    public struct Hit: Decodable, Sendable {
        /// The chunk's id.
        public let chunk: UUIDText
        /// Its cosine.
        public let score: Double
    }
    /// How it was found.
    public struct Meta: Decodable, Sendable {
        /// What the server vouches for.
        public struct Certificate: Decodable, Sendable {
            /// `proven`, `probable` or `approximate`.
            public let kind: String
        }
        /// `scan`, `hnsw` or `sql-exact`.
        public let plan: String
        /// What it vouches for.
        public let certificate: Certificate?
        /// Microseconds by stage.
        public let tookUs: [String: Double]
    }

    /// Best first.
    public let hits: [Hit]
    /// How they were found.
    public let meta: Meta

    /// Reads a whole answer line.
    ///
    /// - Parameter line: as it came from the socket.
    /// - Returns: its result.
    /// - Throws: when it is a refusal or has another shape.
    public static func read(_ line: [UInt8]) throws(WorkloadError) -> Answer {
        struct Envelope: Decodable { let result: Answer }
        do {
            return try JSONDecoder().decode(Envelope.self, from: Data(line)).result
        } catch {
            throw WorkloadError(
                "not an answer to a search: \(String(decoding: line.prefix(300), as: UTF8.self))")
        }
    }

    /// The rows of the source that were found (``Passage``).
    public var rows: [Int] {
        hits.compactMap { UUID(uuidString: $0.chunk).flatMap(Passage.index) }
    }
}

/// A UUID as it stands on the wire.
public typealias UUIDText = String

extension [Answer] {
    /// 16 hexadecimal digits over the chunk ids of all answers in order (FNV-1a, 64 bits): equal
    /// digits mean equal answers.
    public var digest: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for answer in self {
            for byte in answer.hits.map(\.chunk).joined(separator: ",").utf8 + [0x0A] {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
            }
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
