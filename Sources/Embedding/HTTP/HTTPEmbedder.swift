import Foundation
package import Vectors

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A model behind an OpenAI-compatible `/v1/embeddings` (OpenAI, Ollama, vLLM, TEI, llama.cpp).
///
/// Texts go out in batches, several at a time. A batch that fails for a passing reason (no
/// connection, a timeout, 408, 429, 5xx) is sent again after a growing, jittered delay, or after
/// what `Retry-After` asks for. Answers are believed only after a check: as many vectors as texts,
/// in the order of their `index`, all of one width, finite, not zero.
package struct HTTPEmbedder: Embedder {
    /// Where the model is, and how patient to be with it.
    package struct Options: Sendable {
        /// Such as `https://api.openai.com/v1`; `/embeddings` is added.
        package var url: String
        package var model: String
        /// Sent as a bearer token. Never in an error.
        package var apiKey: String?
        package var revision = "remote"
        /// Width of the model's vectors; nil takes whatever comes, up to 768.
        package var nativeDimension: Int?
        /// Asks for 768 dimensions. Some servers refuse the field.
        package var sendsDimensions = true
        package var queryPrefix = ""
        package var passagePrefix = ""
        package var maxTokens = 512
        /// Texts a request.
        package var batchSize = 64
        /// Requests under way at a time, over all callers.
        package var concurrency = 4
        /// For one request, from sending it to the last byte.
        package var timeout = Duration.seconds(30)
        package var retry = RetryPolicy()

        package init(url: String, model: String) {
            self.url = url
            self.model = model
        }
    }

    package let identity: ModelIdentity
    private let options: Options
    private let endpoint: URL
    private let session: URLSession
    private let gate: Gate

    /// Checks the options; nothing is sent yet.
    package init(_ options: Options) throws(EmbeddingError) {
        let base = options.url.hasSuffix("/") ? String(options.url.dropLast()) : options.url
        guard let endpoint = URL(string: base + "/embeddings"),
            endpoint.scheme == "http" || endpoint.scheme == "https", endpoint.host != nil
        else { throw .misconfigured(reason: "the URL is not one of HTTP") }
        guard options.batchSize > 0, options.concurrency > 0, options.timeout > .zero else {
            throw .misconfigured(reason: "batch size, concurrency and timeout must be positive")
        }
        let width = options.nativeDimension ?? UnitVector.dimension
        guard width >= 1, width <= UnitVector.dimension else {
            throw .wrongDimension(expected: UnitVector.dimension, got: width)
        }
        self.options = options
        self.endpoint = endpoint
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = options.concurrency
        session = URLSession(configuration: configuration)
        gate = Gate(places: options.concurrency)
        identity = ModelIdentity(
            name: options.model, revision: options.revision, nativeDimension: width,
            pooling: "unknown", queryPrefix: options.queryPrefix,
            passagePrefix: options.passagePrefix, provider: "http", maxTokens: options.maxTokens)
    }

    /// An estimate, as the tokenizer is the server's: a token per four bytes, one per word at least.
    package func countTokens(_ text: String) -> Int {
        max(text.utf8.count / 4, text.split(whereSeparator: \.isWhitespace).count)
    }

    package func embed(
        _ texts: [String], as kind: TextKind
    ) async throws(EmbeddingError) -> Block {
        let prefixed = texts.map { identity.prefixed($0, as: kind) }
        let starts = Array(stride(from: 0, to: texts.count, by: options.batchSize))
        let answers = await withTaskGroup(of: (Int, Result<[[Float]], EmbeddingError>).self) {
            group in
            for start in starts {
                let batch = Array(prefixed[start..<min(start + options.batchSize, texts.count)])
                group.addTask { (start, await send(batch, first: start)) }
            }
            var answers: [Int: Result<[[Float]], EmbeddingError>] = [:]
            for await (start, answer) in group {
                answers[start] = answer
                // The batch succeeds as a whole: nobody waits for the rest of a lost one.
                if case .failure = answer { group.cancelAll() }
            }
            return answers
        }
        if Task.isCancelled { throw .cancelled }
        // Of several failures, name one that is not our own cancellation of the others.
        for case .failure(let error) in answers.values where error != .cancelled { throw error }
        var rows: [[Float]] = []
        for start in starts { rows += try answers[start]!.get() }
        if let width = rows.first?.count, let other = rows.first(where: { $0.count != width }) {
            throw .wrongDimension(expected: width, got: other.count)
        }
        return try UnitRows.block(rows)
    }

    /// One batch, sent until it is answered or patience ends.
    private func send(
        _ texts: [String], first: Int
    ) async -> Result<[[Float]], EmbeddingError> {
        await gate.enter()
        defer { gate.leave() }
        var attempt = 1
        while true {
            if Task.isCancelled { return .failure(.cancelled) }
            let failure: EmbeddingError
            do throws(EmbeddingError) {
                return .success(
                    try EmbeddingAnswer.rows(
                        in: try await answer(to: texts), count: texts.count, first: first,
                        width: options.nativeDimension))
            } catch { failure = error }
            guard case .unavailable(_, let asked) = failure,
                let delay = options.retry.delay(
                    afterAttempt: attempt, asked: asked, chance: .random(in: 0..<1))
            else { return .failure(failure) }
            attempt += 1
            do { try await Task.sleep(for: delay) } catch { return .failure(.cancelled) }
        }
    }

    /// The body of a 200, or what the other statuses mean.
    private func answer(to texts: [String]) async throws(EmbeddingError) -> Data {
        var request = URLRequest(url: endpoint)
        request.httpMethod = "POST"
        request.timeoutInterval = options.timeout / .seconds(1)
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue("application/json", forHTTPHeaderField: "Accept")
        if let key = options.apiKey {
            request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization")
        }
        request.httpBody = EmbeddingAnswer.question(
            texts, model: options.model, dimensions: options.sendsDimensions ? 768 : nil)

        let (body, response) = try await exchange(request)
        guard let response = response as? HTTPURLResponse else {
            throw .malformedAnswer(reason: "it is not HTTP")
        }
        switch response.statusCode {
        case 200: return body
        case 408, 425, 429, 500...599:
            throw .unavailable(
                reason: "status \(response.statusCode)",
                retryAfter: RetryPolicy.asked(
                    response.value(forHTTPHeaderField: "Retry-After"), now: Date()))
        default:
            // The body may quote the text; its error code does not.
            throw .rejected(
                status: response.statusCode, reason: EmbeddingAnswer.errorCode(in: body))
        }
    }

    /// Sends and receives within the timeout, which URLSession alone counts from the last byte.
    private func exchange(
        _ request: URLRequest
    ) async throws(EmbeddingError) -> (Data, URLResponse) {
        let (session, timeout) = (session, options.timeout)
        do {
            return try await withThrowingTaskGroup(of: (Data, URLResponse).self) { group in
                group.addTask { try await session.data(for: request) }
                group.addTask {
                    try await Task.sleep(for: timeout)
                    throw URLError(.timedOut)
                }
                defer { group.cancelAll() }
                return try await group.next()!
            }
        } catch {
            if Task.isCancelled { throw .cancelled }
            let code = (error as? URLError)?.code
            throw .unavailable(
                reason: code == .timedOut ? "no answer within \(timeout)" : "no connection",
                retryAfter: nil)
        }
    }
}
