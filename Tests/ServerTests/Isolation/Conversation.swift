import Synchronization
import Wire

/// A connection that numbers its requests itself.
final class Conversation: Sendable {
    let client: LineClient
    private let last = Atomic<Int>(100_000)

    init(_ client: LineClient) { self.client = client }

    func ask(_ method: String, _ params: String = "{}") async throws -> JSONValue {
        try await ask(method, each: [params])[0]
    }

    /// All of them, eight at once; the answers in their order. Only so many passwords are looked at, so logins
    /// come one after another.
    func ask(_ method: String, each params: [String]) async throws -> [JSONValue] {
        var answers: [JSONValue] = []
        let width = method == "auth.login" ? 1 : 8
        for start in stride(from: 0, to: params.count, by: width) {
            let part = params[start..<min(start + width, params.count)]
            let first = last.add(part.count, ordering: .relaxed).oldValue
            for (number, params) in part.enumerated() {
                client.push(request(first + number, method, params))
            }
            for number in part.indices {
                answers.append(try await client.answer(first + number - start))
            }
        }
        // On a busy machine no connection to the database may have become free: asked again, as by any client.
        for index in answers.indices where answers[index].errorKind == "unavailable" {
            try await Task.sleep(for: .milliseconds(200))
            answers[index] = try await ask(method, params[index])
        }
        return answers
    }

    /// The result; a refusal is thrown.
    func result(_ method: String, _ params: String = "{}") async throws -> JSONValue {
        let answer = try await ask(method, params)
        guard let result = answer.at("result") else {
            throw LineClient.Failure.noAnswer("\(method) \(params.prefix(200)): \(answer.text)")
        }
        return result
    }
}

extension JSONValue {
    /// The string at a path; its absence is thrown.
    func id(_ path: String...) throws -> String {
        let found = path.reduce(self as JSONValue?) { $0?.at($1) }
        guard let string = found?.string else { throw LineClient.Failure.noAnswer(text) }
        return string
    }
}
