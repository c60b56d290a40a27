// What an engine made of exported texts: looked through from end to end before any of it is sent.

import Foundation
import Wire

/// A vector in a shard.
struct ShardVector: Sendable {
    let chunk: UUID
    let md5: String
    let vector: [Float]
}

struct VectorShards {
    let folder: String
    let texts: TextManifest
    private let vectors: VectorManifest

    var count: Int { vectors.count }

    /// Reads the manifests and compares them.
    ///
    /// - Throws: `Failure` when they are of another job than `job`, or of different counts or widths, or
    ///   shards lie in the folder that the manifest does not name.
    init(_ folder: String, of job: UUID) throws {
        let job = job.uuidString.lowercased()
        self.folder = folder
        texts = try .read(TextManifest.file, in: folder)
        vectors = try .read(VectorManifest.file, in: folder)
        for (file, named) in [
            (TextManifest.file, texts.job), (VectorManifest.file, vectors.job),
        ] where named.lowercased() != job {
            throw Failure("\(folder)/\(file) is of job \(named)")
        }
        try Self.require(texts.shards, count: texts.count, TextManifest.file)
        try Self.require(vectors.shards, count: vectors.count, VectorManifest.file)
        guard vectors.dimension == texts.model.dimension else {
            throw Failure(
                "the vectors have \(vectors.dimension) numbers; \(texts.model.name) makes "
                    + "\(texts.model.dimension)")
        }
        guard vectors.count == texts.count else {
            throw Failure(
                "there are \(vectors.count) vectors; \(texts.count) texts were exported")
        }
        let named = Set(vectors.shards.map(\.file))
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        where name.hasPrefix(VectorManifest.prefix) && !named.contains(name) {
            throw Failure("\(folder)/\(name) is not in \(VectorManifest.file)")
        }
    }

    private static func require(_ shards: [Shard], count: Int, _ manifest: String) throws {
        guard Set(shards.map(\.file)).count == shards.count else {
            throw Failure("\(manifest) names a shard twice")
        }
        let rows = shards.reduce(0) { $0 + $1.rows }
        guard rows == count else {
            throw Failure("\(manifest) counts \(count) rows, its shards hold \(rows)")
        }
    }

    /// Reads all of it: shards are what the manifests say, and every text that went out came back as one
    /// vector that can be one. What is kept in memory is the ids. `progress` is told how many were seen.
    ///
    /// - Throws: `Failure` naming the file, the line and what is wrong.
    func check(_ progress: (Int) -> Void) async throws {
        /// By chunk, the digest of its text; nil once its vector was seen.
        var wanted: [UUID: String?] = [:]
        let parser = JSONParser()
        for shard in texts.shards {
            try await ShardReader.read(shard, in: folder) { line, number in
                let (chunk, md5) = try Self.located(shard, number) {
                    var fields = try Self.fields(of: line, parser)
                    return (
                        try fields.id("chunk"), try fields.string("md5", maximumBytes: 32)
                    )
                }
                guard wanted.updateValue(md5, forKey: chunk) == nil else {
                    throw Self.failure(shard, number, "the chunk stands twice")
                }
            }
        }
        var seen = 0
        try await read { vector, shard, number in
            guard let place = wanted.index(forKey: vector.chunk) else {
                throw Self.failure(shard, number, "this chunk was not exported")
            }
            guard let md5 = wanted.values[place] else {
                throw Self.failure(shard, number, "this chunk has a vector already")
            }
            guard md5 == vector.md5 else {
                throw Self.failure(shard, number, "`md5` is not that of the text exported")
            }
            wanted.values[place] = nil
            seen += 1
            progress(seen)
        }
    }

    /// Hands over each vector, in the order of the shards.
    ///
    /// - Throws: `Failure` for what is no vector, and for a shard that is not as the manifest says.
    func read(_ each: (ShardVector, Shard, Int) async throws -> Void) async throws {
        let parser = JSONParser()
        for shard in vectors.shards {
            try await ShardReader.read(shard, in: folder) { line, number in
                let vector = try Self.located(shard, number) {
                    var fields = try Self.fields(of: line, parser)
                    let chunk = try fields.id("chunk")
                    let md5 = try fields.string("md5", maximumBytes: 32)
                    guard
                        let vector = try fields.optionalVector(dimension: vectors.dimension)
                    else { throw WireError.missing("vector") }
                    return ShardVector(chunk: chunk, md5: md5, vector: vector)
                }
                try await each(vector, shard, number)
            }
        }
    }

    private static func fields(of line: [UInt8], _ parser: JSONParser) throws -> Parameters {
        guard let object = try parser.parse(line).root.object else {
            throw WireError(.parseError, "The line is not an object.")
        }
        return Parameters(object)
    }

    /// Says of an error where it is.
    private static func located<Value>(
        _ shard: Shard, _ line: Int, _ body: () throws -> Value
    ) throws -> Value {
        do {
            return try body()
        } catch let error as WireError {
            throw failure(shard, line, error.message)
        }
    }

    private static func failure(_ shard: Shard, _ line: Int, _ reason: String) -> Failure {
        Failure("\(shard.file), line \(line): \(reason)")
    }
}
