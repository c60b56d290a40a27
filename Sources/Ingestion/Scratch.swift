// What a job has finished, kept in files until the job ends, so that the worker after a killed one
// does not begin again.
//
// Only a saving of work: every file can be made again, and one that is damaged, half written or made
// under other conditions is as good as none. Each begins with the SHA-256 of its key and content;
// the key names everything the content depends on (file hash, chunker version, model).

package import Foundation

import Crypto

/// The scratch files of one job.
package struct Scratch: Sendable {
    private let directory: String

    package init(in scratch: String, job: UUID) {
        directory = "\(scratch)/\(job.uuidString.lowercased())"
    }

    /// The content written under that name and key, or nil.
    package func read(_ name: String, key: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        do {
            try System.read("\(directory)/\(name)") { piece in bytes += piece }
        } catch {
            return nil
        }
        guard bytes.count >= SHA256.byteCount else { return nil }
        let content = Array(bytes[SHA256.byteCount...])
        return bytes.starts(with: digest(content, key: key)) ? content : nil
    }

    /// Replaces the file of that name as a whole.
    ///
    /// Not flushed: after a power cut the digest tells a damaged file, and the step is done again.
    package func write(_ name: String, key: String, _ content: [UInt8]) throws(IngestionError) {
        try System.makeDirectories(directory)
        let file = try DurableFile(creating: "\(directory)/\(name).\(UUID().uuidString).part")
        try file.write(Array(digest(content, key: key)))
        try file.write(content)
        try file.commitUnflushed(to: "\(directory)/\(name)")
    }

    /// Removes all files of the job.
    package func remove() {
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func digest(_ content: [UInt8], key: String) -> SHA256.Digest {
        var hash = SHA256()
        hash.update(data: Array(key.utf8))
        hash.update(data: [0])
        hash.update(data: content)
        return hash.finalize()
    }
}

extension Scratch {
    /// Jobs that have scratch files.
    static func jobs(in scratch: String) -> [UUID] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: scratch)
        return (names ?? []).compactMap(UUID.init(uuidString:))
    }
}
