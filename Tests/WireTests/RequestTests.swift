import NIOCore
import Testing
import Wire

@Suite("A message has the form of the protocol or is refused under its id")
struct RequestTests {
    private func read(_ text: String) throws -> Incoming {
        Incoming(try JSONParser().parse(ByteBuffer(string: text)))
    }

    @Test(
        "What is not a request is refused",
        arguments: [
            ("[]", WireError.Kind.batchUnsupported), ("5", .invalidRequest),
            ("{\"id\":1,\"method\":\"ping\"}", .invalidRequest),
            ("{\"jsonrpc\":\"2.0\",\"id\":1}", .invalidRequest),
            ("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", .invalidRequest),
            ("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", .invalidRequest),
            ("{\"jsonrpc\":\"2.0\",\"id\":1.0,\"method\":\"ping\"}", .invalidRequest),
            ("{\"jsonrpc\":\"2.0\",\"id\":9007199254740993,\"method\":\"p\"}", .invalidRequest),
            ("{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"ping\"}", .invalidRequest),
            ("{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}", .invalidRequest),
            ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", .invalidParams),
        ])
    func refusals(text: String, kind: WireError.Kind) throws {
        guard case .refused(_, let error) = try read(text) else {
            Issue.record("\(text) was accepted")
            return
        }
        #expect(error.kind == kind)
    }

    @Test("An id of 64 bytes is accepted, one of 65 is not")
    func longIDs() throws {
        for (count, isGood) in [(64, true), (65, false)] {
            let id = String(repeating: "x", count: count)
            let incoming = try read("{\"jsonrpc\":\"2.0\",\"id\":\"\(id)\",\"method\":\"ping\"}")
            if case .request(let request) = incoming {
                #expect(isGood && request.id == .string(id))
            } else {
                #expect(!isGood)
            }
        }
    }

    @Test("A refusal keeps the id when the id is good")
    func keepsID() throws {
        guard case .refused(let id, _) = try read("{\"jsonrpc\":\"1\",\"id\":7,\"method\":\"p\"}")
        else {
            Issue.record("accepted")
            return
        }
        #expect(id == .integer(7))
    }

    @Test("The table of errors is the protocol's")
    func table() {
        let codes = Dictionary(
            uniqueKeysWithValues: WireError.Kind.allCases.map { ($0.rawValue, $0.code) })
        #expect(codes.count == 23)
        #expect(codes["busy"] == -32005)
        #expect(codes["cancelled"] == -32800)
        #expect(codes["outcome_unknown"] == -32016)
        let retryable = WireError.Kind.allCases.filter(\.isRetryable).map(\.rawValue).sorted()
        #expect(
            retryable == [
                "busy", "deadline_exceeded", "draining", "internal", "model_changed",
                "outcome_unknown", "unavailable",
            ])
    }
}
