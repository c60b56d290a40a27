import Embedding
import Foundation
import Testing
import Vectors

/// Against a server on a real socket of this machine.
@Suite struct HTTPEmbedderTests {
    @Test("Texts become padded unit rows in order, over several batches")
    func normal() async throws {
        let server = try EmbeddingServer { request, _ in .vectors(request.input.map(vector)) }
        let texts = (0..<25).map { "text \($0)" }
        let block = try await embedder(server, batch: 4).embed(texts, as: .passage)
        #expect(block.count == 25)
        for (row, text) in texts.enumerated() {
            let expected = try UnitVector(padding: vector(text).map(Float.init)).values
            #expect(cosine(block.row(row), expected) > 0.99999)
            #expect(block.row(row)[8...].allSatisfy { $0 == 0 })
        }
        #expect(server.requests.count == 7)
        let first = try #require(server.requests.first)
        #expect(first.head.hasPrefix("POST /v1/embeddings HTTP/1.1"))
        #expect(first.head.contains("Authorization: Bearer secret"))
        #expect(first.dimensions == 768 && first.model == "test-model")
    }

    @Test("Prefixes differ for queries and passages")
    func prefixes() async throws {
        let server = try EmbeddingServer { request, _ in .vectors(request.input.map(vector)) }
        var options = options(server)
        options.queryPrefix = "query: "
        options.passagePrefix = "passage: "
        let embedder = try HTTPEmbedder(options)
        _ = try await embedder.embed(["x"], as: .query)
        _ = try await embedder.embed(["x"], as: .passage)
        #expect(server.requests.map(\.input) == [["query: x"], ["passage: x"]])
    }

    @Test("Answers out of order are put in order by their index")
    func order() async throws {
        let server = try EmbeddingServer { request, _ in
            let items = request.input.enumerated().map {
                #"{"index":\#($0),"embedding":\#(vector($1))}"#
            }
            return .json("{\"data\":[\(items.reversed().joined(separator: ","))]}")
        }
        let block = try await embedder(server).embed(["a", "b", "c"], as: .query)
        for (row, text) in ["a", "b", "c"].enumerated() {
            #expect(cosine(block.row(row), vector(text).map(Float.init)) > 0.99999)
        }
    }

    @Test("429 is tried again after Retry-After, and 500 after a pause")
    func retries() async throws {
        for (status, header) in [(429, "Retry-After: 1\r\n"), (500, ""), (503, "")] {
            let server = try EmbeddingServer { request, number in
                number == 0
                    ? .init(status: status, headers: header, body: "{}")
                    : .vectors(request.input.map(vector))
            }
            let clock = ContinuousClock()
            let start = clock.now
            let block = try await embedder(server).embed(["a"], as: .query)
            #expect(block.count == 1 && server.requests.count == 2)
            if status == 429 { #expect(clock.now - start >= .seconds(1)) }
        }
    }

    @Test("A server that stays away is unavailable, with its Retry-After")
    func exhausted() async throws {
        let server = try EmbeddingServer { _, _ in
            .init(status: 503, headers: "Retry-After: 3600\r\n", body: "")
        }
        await #expect(
            throws: EmbeddingError.unavailable(
                reason: "status 503", retryAfter: .seconds(3600))
        ) { _ = try await embedder(server).embed(["a"], as: .query) }
        #expect(server.requests.count == 1)

        let failing = try EmbeddingServer { _, _ in .init(status: 500, body: "") }
        await #expect(
            throws: EmbeddingError.unavailable(reason: "status 500", retryAfter: nil)
        ) { _ = try await embedder(failing).embed(["a"], as: .query) }
        #expect(failing.requests.count == 3)
    }

    @Test("A slow server runs into the timeout, a refused connection into none")
    func slow() async throws {
        let server = try EmbeddingServer { request, _ in
            Thread.sleep(forTimeInterval: 60)
            return .vectors(request.input.map(vector))
        }
        var patience = options(server)
        patience.timeout = .milliseconds(200)
        patience.retry.attempts = 2
        let embedder = try HTTPEmbedder(patience)
        let clock = ContinuousClock()
        let start = clock.now
        await expectUnavailable { _ = try await embedder.embed(["a"], as: .query) }
        // Both attempts ended before the first could have been answered, on however busy a machine.
        #expect(clock.now - start < .seconds(60))

        var closed = options(server)
        closed.url = "http://127.0.0.1:1/v1"
        let nobody = try HTTPEmbedder(closed)
        await expectUnavailable { _ = try await nobody.embed(["a"], as: .query) }
    }

    @Test("Cancelling ends the wait")
    func cancellation() async throws {
        let server = try EmbeddingServer { request, _ in
            Thread.sleep(forTimeInterval: 5)
            return .vectors(request.input.map(vector))
        }
        let embedder = try embedder(server)
        let task = Task { try await embedder.embed(["a"], as: .query) }
        try await Task.sleep(for: .milliseconds(100))
        task.cancel()
        await #expect(throws: EmbeddingError.cancelled) { _ = try await task.value }
    }

    @Test("No more requests are under way than allowed")
    func concurrency() async throws {
        let server = try EmbeddingServer { request, _ in
            Thread.sleep(forTimeInterval: 0.05)
            return .vectors(request.input.map(vector))
        }
        var options = options(server)
        options.batchSize = 1
        options.concurrency = 2
        let texts = (0..<12).map(String.init)
        _ = try await HTTPEmbedder(options).embed(texts, as: .passage)
        #expect(server.mostAtOnce <= 2)
    }

    @Test("A refusal is not repeated, and quotes no text")
    func refusal() async throws {
        let server = try EmbeddingServer { _, _ in
            .init(
                status: 400,
                body: #"{"error":{"message":"bad: my secret text","code":"invalid_input"}}"#)
        }
        await #expect(
            throws: EmbeddingError.rejected(status: 400, reason: "invalid_input")
        ) { _ = try await embedder(server).embed(["my secret text"], as: .query) }
        #expect(server.requests.count == 1)
    }

    @Test("What is no vector is refused: wrong width, not finite, zero, short, garbage")
    func checks() async throws {
        func expect(
            _ body: String, _ error: EmbeddingError, width: Int? = nil,
            at location: SourceLocation = #_sourceLocation
        ) async throws {
            let server = try EmbeddingServer { _, _ in .json(body) }
            var options = options(server)
            options.nativeDimension = width
            let embedder = try HTTPEmbedder(options)
            await #expect(throws: error, sourceLocation: location) {
                _ = try await embedder.embed(["a", "b"], as: .passage)
            }
            #expect(server.requests.count == 1, sourceLocation: location)
        }
        func data(_ a: String, _ b: String) -> String {
            #"{"data":[{"index":0,"embedding":\#(a)},{"index":1,"embedding":\#(b)}]}"#
        }
        let wide = "\([Int](repeating: 1, count: 769))"
        try await expect(data("[1,2]", wide), .wrongDimension(expected: 768, got: 769))
        try await expect(data("[1,2]", "[1,2,3]"), .wrongDimension(expected: 2, got: 3))
        try await expect(data("[1,2]", "[1,2]"), .wrongDimension(expected: 3, got: 2), width: 3)
        try await expect(data("[1,2]", "[1,NaN]"), .notFinite(text: 1))
        try await expect(data("[1,Infinity]", "[1,2]"), .notFinite(text: 0))
        try await expect(data("[1,null]", "[1,2]"), .notFinite(text: 0))
        try await expect(data("[1,1e39]", "[1,2]"), .notFinite(text: 0))
        try await expect(data("[0,0]", "[1,2]"), .zeroVector(text: 0))
        try await expect(data("[]", "[1,2]"), .zeroVector(text: 0))
        try await expect(
            #"{"data":[{"index":0,"embedding":[1]}]}"#, .wrongCount(expected: 2, got: 1))
        try await expect(
            #"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
            .malformedAnswer(reason: "index 0 of 2 is out of order"))
        for garbage in ["", "<html>", #"{"data":7}"#, "{\"data\":[{\"embedding\":\"AAAA\"}"] {
            try await expect(
                garbage,
                .malformedAnswer(
                    reason: "\(garbage.utf8.count) bytes that hold no list of embeddings"))
        }
    }

    @Test("Options that make no sense are refused before anything is sent")
    func options() {
        #expect(throws: EmbeddingError.self) {
            try HTTPEmbedder(.init(url: "ftp://example.org", model: "m"))
        }
        #expect(throws: EmbeddingError.wrongDimension(expected: 768, got: 1536)) {
            var options = HTTPEmbedder.Options(url: "http://127.0.0.1/v1", model: "m")
            options.nativeDimension = 1536
            return try HTTPEmbedder(options)
        }
    }

    private func options(_ server: EmbeddingServer) -> HTTPEmbedder.Options {
        var options = HTTPEmbedder.Options(
            url: "http://127.0.0.1:\(server.port)/v1/", model: "test-model")
        options.apiKey = "secret"
        options.timeout = .seconds(10)
        options.retry.attempts = 3
        options.retry.firstDelay = .milliseconds(10)
        return options
    }

    private func embedder(_ server: EmbeddingServer, batch: Int = 64) throws -> HTTPEmbedder {
        var options = options(server)
        options.batchSize = batch
        return try HTTPEmbedder(options)
    }

    private func expectUnavailable(
        _ body: () async throws -> Void, at location: SourceLocation = #_sourceLocation
    ) async {
        do {
            try await body()
            Issue.record("answered", sourceLocation: location)
        } catch {
            guard case EmbeddingError.unavailable = error else {
                Issue.record("\(error)", sourceLocation: location)
                return
            }
        }
    }
}

/// Eight numbers that depend on the text.
private func vector(_ text: String) -> [Double] {
    var random = Random(seed: text.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) })
    return random.floats(8).map(Double.init)
}

@Suite struct RetryPolicyTests {
    @Test("Delays double up to the longest, and half of each is chance")
    func delays() {
        let policy = RetryPolicy()
        #expect(policy.delay(afterAttempt: 1, asked: nil, chance: 0) == .milliseconds(125))
        #expect(policy.delay(afterAttempt: 3, asked: nil, chance: 0) == .milliseconds(500))
        var patient = policy
        patient.attempts = 100
        #expect(patient.delay(afterAttempt: 60, asked: nil, chance: 0) == .seconds(10))
        #expect(policy.delay(afterAttempt: 5, asked: nil, chance: 0) == nil)
    }

    @Test("Retry-After is seconds or a date, and too long a wait is the caller's to decide")
    func retryAfter() {
        let now = Date(timeIntervalSince1970: 784_111_777)  // Sun, 06 Nov 1994 08:49:37 GMT
        #expect(RetryPolicy.asked("120", now: now) == .seconds(120))
        #expect(RetryPolicy.asked("Sun, 06 Nov 1994 08:49:47 GMT", now: now) == .seconds(10))
        #expect(RetryPolicy.asked("Sun, 06 Nov 1994 08:49:07 GMT", now: now) == .zero)
        #expect(RetryPolicy.asked("soon", now: now) == nil)
        #expect(RetryPolicy.asked(nil, now: now) == nil)
        let policy = RetryPolicy()
        #expect(policy.delay(afterAttempt: 1, asked: .seconds(7), chance: 0) == .seconds(7))
        #expect(policy.delay(afterAttempt: 1, asked: .seconds(3600), chance: 0) == nil)
    }
}
