// A folder of shards that is there whole or not at all: written beside its place, flushed, renamed.

import Crypto
import Foundation

/// Writes JSON lines into shards of so many rows, in a folder nobody looks for until `commit`.
struct ShardWriter {
    private let folder: String
    private let aside: String
    private let prefix: String
    private let rowsPerShard: Int
    private let encoder = JSONEncoder()

    private var shards: [Shard] = []
    private var file: FileHandle?
    private var hash = SHA256()
    private var rows = 0

    /// - Throws: `Failure` when there is something in `folder`, or its place cannot be written to.
    init(to folder: String, prefix: String, rowsPerShard: Int) throws {
        let place = URL(filePath: folder).standardizedFileURL
        self.folder = place.path
        self.prefix = prefix
        self.rowsPerShard = rowsPerShard
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if FileManager.default.fileExists(atPath: self.folder) {
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: self.folder)
            else { throw Failure("\(folder) is not a folder") }
            guard names.isEmpty else { throw Failure("\(folder) is not empty") }
        }
        let name = ".\(place.lastPathComponent).\(UUID().uuidString.prefix(8)).part"
        aside = place.deletingLastPathComponent().appending(path: name).path
        do {
            try FileManager.default.createDirectory(
                atPath: aside, withIntermediateDirectories: true)
        } catch {
            throw Failure("cannot write beside \(folder): \(error.localizedDescription)")
        }
    }

    mutating func write(_ row: some Encodable) throws {
        if file == nil { try begin() }
        let line = try encoder.encode(row) + [0x0A]
        try file?.write(contentsOf: line)
        hash.update(data: line)
        rows += 1
        if rows == rowsPerShard { try endShard() }
    }

    /// All that was written.
    mutating func endShards() throws -> [Shard] {
        try endShard()
        return shards
    }

    /// Writes the manifest, last, and gives the folder its name.
    mutating func commit(_ manifest: some Encodable, as name: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try create(name)
        try file?.write(contentsOf: try encoder.encode(manifest) + [0x0A])
        try close()
        guard unsafe rename(aside, folder) == 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw Failure("cannot give \(folder) its name: \(reason)")
        }
    }

    /// Leaves nothing behind.
    func abandon() {
        try? file?.close()
        try? FileManager.default.removeItem(atPath: aside)
    }

    private mutating func begin() throws {
        try create(prefix + String(format: "%05d.ndjson", shards.count))
        (hash, rows) = (SHA256(), 0)
    }

    private mutating func endShard() throws {
        guard file != nil else { return }
        try close()
        shards.append(
            Shard(
                file: prefix + String(format: "%05d.ndjson", shards.count), rows: rows,
                sha256: hash.finalize().hexadecimal))
    }

    private mutating func create(_ name: String) throws {
        let path = "\(aside)/\(name)"
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw Failure("cannot write \(path)") }
        file = handle
    }

    private mutating func close() throws {
        try file?.synchronize()
        try file?.close()
        file = nil
    }
}
