// Lines of a shard, one after the other, and at its end whether it was what its manifest says.

import Crypto
import Foundation

enum ShardReader {
    /// No line of ours is longer: 768 numbers take 20 KB, a text at most some hundred.
    private static let longestLine = 16 << 20
    private static let piece = 1 << 20

    /// Hands each line to `each`, with its number from 1. Memory is that of a piece and a line.
    ///
    /// - Throws: `Failure` when the file is not there, or, once it was read, its rows or its SHA-256 are
    ///   others than the manifest's: nothing of it is to be trusted then.
    static func read(
        _ shard: Shard, in folder: String, each: ([UInt8], Int) async throws -> Void
    ) async throws {
        let path = "\(folder)/\(shard.file)"
        guard !shard.file.contains("/"), let file = FileHandle(forReadingAtPath: path) else {
            throw Failure("there is no \(path)")
        }
        defer { try? file.close() }
        var hash = SHA256()
        var rest: [UInt8] = []
        var rows = 0
        while let bytes = try file.read(upToCount: piece), !bytes.isEmpty {
            hash.update(data: bytes)
            rest += bytes
            var start = 0
            while let end = rest[start...].firstIndex(of: 0x0A) {
                rows += 1
                try await each(Array(rest[start..<end]), rows)
                start = end + 1
            }
            rest.removeFirst(start)
            guard rest.count <= longestLine else {
                throw Failure("\(path), line \(rows + 1) has no end")
            }
        }
        guard rest.isEmpty else {
            throw Failure("\(path) is cut off: its last line is not ended by a line feed")
        }
        guard rows == shard.rows else {
            throw Failure("\(path) has \(rows) rows; its manifest says \(shard.rows)")
        }
        let digest = hash.finalize().hexadecimal
        guard digest == shard.sha256 else {
            throw Failure(
                "\(path) was changed: its SHA-256 is \(digest), its manifest says \(shard.sha256)")
        }
    }
}

extension Sequence<UInt8> {
    /// Two digits a byte, lower case.
    var hexadecimal: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
