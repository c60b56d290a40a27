// An engine of the tests' own: what it is given, and what it writes.

import Crypto
import Embedding
import Foundation
import Testing
import Vectors

/// A text that went out, or the vector that comes back.
struct ShardRow: Codable {
    let chunk: String
    let md5: String
    var text: String?
    var vector: [Float]?
}

struct WrittenShard: Codable, Equatable {
    var file: String
    var rows: Int
    var sha256: String
}

struct ExportedTexts: Decodable {
    struct Model: Decodable {
        let name: String
        let dimension: Int
    }
    let job: String
    let session: String
    let model: Model
    let count: Int
    let shards: [WrittenShard]
}

struct MadeVectors: Codable {
    var job: String
    var dimension: Int
    var count: Int
    var shards: [WrittenShard]
}

enum ShardEngine {
    /// What an export wrote, compared with its manifest.
    static func texts(_ desk: ShardDesk) throws -> (manifest: ExportedTexts, rows: [ShardRow]) {
        let data = try Data(contentsOf: URL(filePath: desk.shards + "/manifest.json"))
        let manifest = try JSONDecoder().decode(ExportedTexts.self, from: data)
        var rows: [ShardRow] = []
        for shard in manifest.shards {
            let data = try Data(contentsOf: URL(filePath: "\(desk.shards)/\(shard.file)"))
            #expect(digest(data) == shard.sha256)
            let lines = data.split(separator: 0x0A)
            #expect(lines.count == shard.rows)
            rows += try lines.map { try JSONDecoder().decode(ShardRow.self, from: $0) }
        }
        return (manifest, rows)
    }

    private static func digest(_ data: Data) -> String {
        SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined()
    }

    /// What the model makes of a text.
    static func model(_ text: String) async throws -> [Float] {
        Array(try await HashingEmbedder().embed([text], as: .passage).row(0))
    }

    /// Writes the rows as shards of so many, and what vectors.json says of them.
    @discardableResult
    static func write(
        _ rows: [ShardRow], of job: String, shardSize: Int = 64, to folder: String
    ) throws -> MadeVectors {
        var written = MadeVectors(job: job, dimension: 768, count: rows.count, shards: [])
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for start in stride(from: 0, to: rows.count, by: shardSize) {
            let part = rows[start..<min(start + shardSize, rows.count)]
            let data = try part.reduce(into: Data()) { data, row in
                data += try encoder.encode(row) + [0x0A]
            }
            let file = "vectors-\(written.shards.count).ndjson"
            try data.write(to: URL(filePath: "\(folder)/\(file)"))
            written.shards.append(
                WrittenShard(file: file, rows: part.count, sha256: digest(data)))
        }
        try write(written, to: folder)
        return written
    }

    static func write(_ manifest: MadeVectors, to folder: String) throws {
        try JSONEncoder().encode(manifest).write(to: URL(filePath: folder + "/vectors.json"))
    }

    /// The rows with their vectors, in another order.
    static func embedded(_ rows: [ShardRow]) async throws -> [ShardRow] {
        var made: [ShardRow] = []
        for row in rows.shuffled() {
            made.append(
                ShardRow(
                    chunk: row.chunk, md5: row.md5,
                    vector: try await model(try #require(row.text))))
        }
        return made
    }
}
