import Foundation
import Vectors

/// The bodies of `/v1/embeddings`, both ways.
enum EmbeddingAnswer {
    static func question(_ texts: [String], model: String, dimensions: Int?) -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        // Strings and an integer always encode.
        return try! encoder.encode(
            Question(model: model, input: texts, encodingFormat: "float", dimensions: dimensions))
    }

    /// One row per text, checked; `width` nil accepts any up to 768.
    ///
    /// - Returns: `count` rows in the order of the texts.
    /// - Throws: what is wrong with the answer; texts are counted from `first`, as the caller does.
    static func rows(
        in body: Data, count: Int, first: Int, width: Int?
    ) throws(EmbeddingError) -> [[Float]] {
        // JSON has no NaN, but some servers write one; JSON5 reads it, so that it can be named.
        let decoder = JSONDecoder()
        decoder.allowsJSON5 = true
        let answer: Answer
        do { answer = try decoder.decode(Answer.self, from: body) } catch {
            throw .malformedAnswer(reason: "\(body.count) bytes that hold no list of embeddings")
        }
        guard answer.data.count == count else {
            throw .wrongCount(expected: count, got: answer.data.count)
        }
        var rows = [[Float]?](repeating: nil, count: count)
        for (place, item) in answer.data.enumerated() {
            let index = item.index ?? place
            guard index >= 0, index < count, rows[index] == nil else {
                throw .malformedAnswer(reason: "index \(index) of \(count) is out of order")
            }
            rows[index] = try row(item.embedding, text: first + index, width: width)
        }
        return rows.map { $0! }  // As many as texts, each index once.
    }

    private static func row(
        _ values: [Double?], text: Int, width: Int?
    ) throws(EmbeddingError) -> [Float] {
        let expected = width ?? UnitVector.dimension
        guard values.count <= expected, width == nil || values.count == expected else {
            throw .wrongDimension(expected: expected, got: values.count)
        }
        var row: [Float] = []
        row.reserveCapacity(values.count)
        for value in values {
            // A null is how some servers write what is not finite.
            guard let value, Float(value).isFinite else { throw .notFinite(text: text) }
            row.append(Float(value))
        }
        guard row.contains(where: { $0 != 0 }) else { throw .zeroVector(text: text) }
        return row
    }

    /// The `error.code` or `error.type` of a refusal, if it looks like one.
    static func errorCode(in body: Data) -> String {
        let refusal = try? JSONDecoder().decode(Refusal.self, from: body)
        for word in [refusal?.error.code, refusal?.error.type] {
            if let word, word.count <= 64, word.allSatisfy({ $0.isLetter || $0 == "_" }) {
                return word
            }
        }
        return "no reason given"
    }

    // The names are the interface's, in camel case.

    private struct Question: Encodable {
        var model: String
        var input: [String]
        var encodingFormat: String
        var dimensions: Int?
    }

    private struct Answer: Decodable {
        struct Item: Decodable {
            var index: Int?
            var embedding: [Double?]
        }
        var data: [Item]
    }

    private struct Refusal: Decodable {
        struct Reason: Decodable {
            var code: String?
            var type: String?
        }
        var error: Reason
    }
}
