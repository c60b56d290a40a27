import Foundation

/// The files of a model directory, and what to say when one is missing or is not what it should be.
struct ModelFiles: Sendable {
    let directory: String

    func path(_ name: String) -> String { directory + "/" + name }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    func data(_ name: String) throws(EmbeddingError) -> Data {
        guard let data = FileManager.default.contents(atPath: path(name)) else {
            throw .modelMissing(path: path(name))
        }
        return data
    }

    func text(_ name: String) throws(EmbeddingError) -> String {
        guard let text = String(data: try data(name), encoding: .utf8) else {
            throw .modelDamaged(reason: "\(name) is not UTF-8")
        }
        return text
    }

    func json<Value: Decodable>(
        _ name: String, as type: Value.Type
    ) throws(EmbeddingError) -> Value {
        let data = try data(name)
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(type, from: data)
        } catch {
            throw .modelDamaged(reason: "\(name) is not the JSON expected: \(error)")
        }
    }
}
