package import Foundation

import Library

/// The directory of sessions' files: what can be mapped instead of read from PostgreSQL.
///
/// A cache: any file may be removed at any time. Bounded in bytes; the least recently read go first.
package struct SnapshotFiles: Sendable {
    let directory: String
    private let limit: Int
    let leastRows: Int
    private static let suffix = ".session"

    /// Files of sessions of that many rows and more: smaller ones are read from PostgreSQL as fast as
    /// a file is flushed.
    package init(directory: String, limitBytes: Int, leastRows: Int = 1_000) {
        self.directory = directory
        limit = limitBytes
        self.leastRows = leastRows
    }

    package func path(_ session: UUID) -> String {
        "\(directory)/\(session.uuidString.lowercased())\(Self.suffix)"
    }

    /// The session as its file has it; nil when there is none that can be used.
    ///
    /// A file that is damaged or of another version is removed, and the caller reads PostgreSQL.
    func read(_ session: UUID) -> SessionSnapshot? {
        let path = path(session)
        do {
            let snapshot = try SnapshotFile.read(session, from: path)
            try? FileManager.default.setAttributes(
                [.modificationDate: Date()], ofItemAtPath: path)
            return snapshot
        } catch SnapshotFileError.missing {
            return nil
        } catch {
            remove(session)
            return nil
        }
    }

    /// Writes a snapshot's base, and makes room for it.
    func write(_ snapshot: SessionSnapshot) throws {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        try SnapshotFile.write(snapshot, to: path(snapshot.version.id))
        makeRoom(keeping: path(snapshot.version.id))
    }

    /// Whether there is a file, whatever is in it.
    func has(_ session: UUID) -> Bool { FileManager.default.fileExists(atPath: path(session)) }

    func remove(_ session: UUID) {
        try? FileManager.default.removeItem(atPath: path(session))
    }

    /// The sessions that have a file.
    func sessions() -> [UUID] {
        entries().compactMap { UUID(uuidString: String($0.name.dropLast(Self.suffix.count))) }
    }

    /// Removes what was read longest ago until the rest fits, and what killed writers left behind.
    private func makeRoom(keeping kept: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.hasSuffix(UnnamedFile.suffix) {
            let path = "\(directory)/\(name)"
            if let date = attributes(path)?.date, date.timeIntervalSinceNow < -3_600 {
                try? FileManager.default.removeItem(atPath: path)
            }
        }
        let files = entries().sorted { $0.date < $1.date }
        var bytes = files.reduce(0) { $0 + $1.bytes }
        for file in files where bytes > limit && "\(directory)/\(file.name)" != kept {
            try? FileManager.default.removeItem(atPath: "\(directory)/\(file.name)")
            bytes -= file.bytes
        }
    }

    private func entries() -> [(name: String, bytes: Int, date: Date)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(Self.suffix) }.compactMap { name in
            attributes("\(directory)/\(name)").map { (name, $0.bytes, $0.date) }
        }
    }

    private func attributes(_ path: String) -> (bytes: Int, date: Date)? {
        guard let found = try? FileManager.default.attributesOfItem(atPath: path),
            let bytes = found[.size] as? NSNumber, let date = found[.modificationDate] as? Date
        else { return nil }
        return (bytes.intValue, date)
    }
}
