import Server
import Testing
import Wire

@Suite("Each refusal of the table, on a socket, while the connection beside it goes on")
struct RefusalTests {
    @Test("Lines that are no requests are refused, and the connection goes on")
    func lines() async throws {
        try await withServer { test in
            let client = try await test.client()
            let neighbour = try await test.client()
            let faults: [(line: String, kind: String)] = [
                ("{", "parse_error"),
                ("", "parse_error"),
                ("{\"a\":NaN}", "parse_error"),
                ("{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}", "parse_error"),
                (String(repeating: "[", count: 40), "parse_error"),
                ("\u{FEFF}{}", "parse_error"),
                ("[\(request(1, "ping")),\(request(2, "ping"))]", "batch_unsupported"),
                ("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", "invalid_request"),
                ("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", "invalid_request"),
                ("{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}", "invalid_request"),
            ]
            for (line, kind) in faults {
                try await client.send(line)
                let answer = try await client.next()
                #expect(answer.errorKind == kind, "\(line): \(answer.text)")
                #expect(answer.at("id")?.isNull == true, "\(line)")
                #expect(answer.at("error", "data", "requestId")?.string?.isEmpty == false)
                try await neighbour.call(5, "ping")
            }
            try await client.send(bytes: [0x22, 0xFF, 0xFE, 0x22, 0x0A])
            #expect(try await client.next().errorKind == "parse_error")
            let unknown = try await client.call(7, "session.destroy")
            #expect(unknown.errorKind == "method_not_found")
            #expect(unknown.at("error", "code")?.int == -32601)
            let again = try await client.call(
                8, "initialize", "{\"protocolVersions\":[\"2026-11-01\"]}")
            #expect(again.errorKind == "invalid_request")
            // A CR before the LF is tolerated.
            try await client.send(request(9, "ping") + "\r")
            #expect(try await client.answer(9).at("result") != nil)
        }
    }

    @Test("A line too long is refused once; what follows it is answered")
    func tooLong() async throws {
        try await withServer {
            $0.limits.lineBytes = 100_000
        } _: { test in
            let stranger = try await LineClient.connect(test.port)
            stranger.push(String(repeating: "x", count: 50_000))
            stranger.push(request(1, "ping"))
            let refusal = try await stranger.next()
            #expect(refusal.errorKind == "frame_too_large")
            #expect(refusal.at("error", "data", "limit")?.int == 16 << 10)
            #expect(refusal.at("id")?.isNull == true)
            #expect(try await stranger.answer(1).at("result") != nil)

            let known = try await test.client()
            let filler = String(repeating: "y", count: 50_000)
            #expect(try await known.call(1, "ping", "{\"x\":\"\(filler)\"}").at("result") != nil)
            known.push(String(repeating: "x", count: 300_000))
            #expect(try await known.next().errorKind == "frame_too_large")
            #expect(try await known.call(2, "ping").at("result") != nil)
        }
    }

    @Test("Before initialize only ping is answered, and after it nothing more without a key")
    func handshake() async throws {
        try await withServer { test in
            let client = try await LineClient.connect(test.port)
            #expect(try await client.call(1, "ping").at("result") != nil)
            #expect(try await client.call(2, "session.list").errorKind == "not_initialized")
            #expect(try await client.call(3, "nonsense").errorKind == "not_initialized")
            let wrongVersion = try await client.call(
                4, "initialize", "{\"protocolVersions\":[\"1999-01-01\"]}")
            #expect(wrongVersion.errorKind == "invalid_params")
            #expect(wrongVersion.at("error", "data", "field")?.string == "protocolVersions")
            let wrongKey = try await client.call(
                5, "initialize",
                "{\"protocolVersions\":[\"2026-11-01\"],\"auth\":{\"apiKey\":\"ck_no\"}}")
            #expect(wrongKey.errorKind == "unauthenticated")
            // Both in one packet: what follows `initialize` has its outcome.
            let greeting = request(6, "initialize", "{\"protocolVersions\":[\"2026-11-01\"]}")
            try await client.send(greeting + "\n" + request(7, "session.list"))
            let welcome = try await client.answer(6)
            #expect(welcome.at("result", "limits", "maxInflight")?.int == 64)
            #expect(welcome.at("result", "profile") == nil)
            #expect(try await client.answer(7).errorKind == "unauthenticated")
        }
    }

    @Test("Vectors that cannot be compared are refused, naming the element")
    func vectors() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            func search(_ id: Int, _ vector: String) async throws -> JSONValue {
                try await client.call(
                    id, "search", "{\"session\":\"\(handle)\",\"vector\":\(vector)}")
            }
            func numbers(_ count: Int, _ value: String) -> String {
                "[" + Array(repeating: value, count: count).joined(separator: ",") + "]"
            }
            let zero = try await search(10, numbers(768, "0"))
            #expect(zero.errorKind == "invalid_vector")
            let short = try await search(11, numbers(384, "0.5"))
            #expect(short.errorKind == "invalid_vector")
            #expect(short.at("error", "data", "got")?.string == "384")
            let large = try await search(12, "[1e300," + numbers(767, "0.5").dropFirst())
            #expect(large.at("error", "data", "field")?.string == "vector[0]")
            #expect(try await search(13, numbers(768, "0.5")).at("result", "hits") != nil)
        }
    }

    @Test("What a search cannot do here is refused, and unknown fields when strict")
    func options() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            for (index, option) in [
                "\"mode\":\"sparse\"", "\"diversity\":1.3", "\"explain\":true", "\"k\":1001",
                "\"fusion\":\"max\"", "\"language\":\"klingon\"",
                "\"exactness\":\"certain\"", "\"filter\":{\"session\":\"x\"}",
                "\"filter\":{\"pages\":[3,1]}", "\"expand\":\"paragraph\"", "\"timeoutMs\":0",
            ].enumerated() {
                let answer = try await client.call(
                    20 + index, "search",
                    "{\"session\":\"\(handle)\",\"text\":\"why\",\(option)}")
                #expect(answer.errorKind == "invalid_params", "\(option): \(answer.text)")
            }
            let lenient = try await client.call(40, "ping", "{\"colour\":1}")
            #expect(lenient.at("result") != nil)
            let strict = try await client.call(41, "ping", "{\"colour\":1,\"strict\":true}")
            #expect(strict.at("error", "data", "field")?.string == "colour")
            let strictClient = try await test.client(strict: true)
            let refused = try await strictClient.call(1, "ping", "{\"colour\":1}")
            #expect(refused.errorKind == "invalid_params")
        }
    }
}
