// What lies in a folder of shards: `manifest.json` is ours and describes the texts, `vectors.json` is
// the engine's and describes what it made of them.

import Foundation

/// A file of JSON lines.
struct Shard: Codable, Sendable, Equatable {
    /// Its name in the folder.
    var file: String
    /// Its lines, each ended by a line feed.
    var rows: Int
    /// Of its bytes, in lower-case hexadecimal.
    var sha256: String
}

/// The texts of a run that are to be embedded elsewhere.
struct TextManifest: Codable, Sendable {
    static let file = "manifest.json"

    /// Who embeds a passage puts `passagePrefix` before it; the weights are those of this digest, where it
    /// is known.
    struct Model: Codable, Sendable {
        var name: String
        var revision: String
        var dimension: Int
        var pooling: String
        var passagePrefix: String
        var weightsSha256: String?
    }

    /// Ids in lower case, as everywhere outside this program.
    var job: String
    var session: String
    var model: Model
    var count: Int
    var shards: [Shard]
}

/// The vectors that an engine made of them.
struct VectorManifest: Codable, Sendable {
    static let file = "vectors.json"
    /// How the names of its shards begin.
    static let prefix = "vectors-"

    var job: String
    var dimension: Int
    var count: Int
    var shards: [Shard]
}

extension Decodable {
    /// Reads a manifest.
    ///
    /// - Throws: `Failure` when it is not there or holds something else.
    static func read(_ file: String, in folder: String) throws(Failure) -> Self {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(file)") else {
            throw Failure("there is no \(folder)/\(file)")
        }
        do {
            return try JSONDecoder().decode(Self.self, from: data)
        } catch DecodingError.keyNotFound(let key, let context) {
            let path = (context.codingPath + [key]).map(\.stringValue).joined(separator: ".")
            throw Failure("\(folder)/\(file) has no \"\(path)\"")
        } catch {
            throw Failure(
                "\(folder)/\(file) is not what it should be; see `carrel reembed load --help`")
        }
    }
}
