// A file in sections, every byte of it under a checksum.
//
//     front      header, 88 bytes, little endian:
//                  0  "CARRELSN"          56  revision (Int64)
//                  8  format (UInt32)     64  seed of the rotation (UInt64)
//                 12  sections (UInt32)   72  bytes of the file (UInt64)
//                 16  session (UUID)      80  bytes of the front (UInt64)
//                 32  model (UUID)        48  0
//                sections · 32 bytes: kind (UInt32), 0 (UInt32), offset, length, checksum (UInt64)
//                zeros, and in the last 8 bytes of the front XXH3 of all before
//     sections   one after another, each padded with zeros to 64 bytes; its checksum counts them
//
// Written under another name, flushed, renamed: a file under its name is whole, or was damaged later.

import Dispatch
package import Foundation
import Synchronization

/// What a file says of itself.
package struct SectionFileHeader: Sendable, Equatable {
    package var session: UUID
    package var model: UUID
    package var revision: Int64
    package var seed: UInt64

    package init(session: UUID, model: UUID, revision: Int64, seed: UInt64) {
        self.session = session
        self.model = model
        self.revision = revision
        self.seed = seed
    }
}

/// A mapped file whose every byte was compared with its checksum.
@safe package struct SectionFile: Sendable {
    package static let format: UInt32 = 2
    static let magic: [UInt8] = Array("CARRELSN".utf8)
    static let headerBytes = 88
    static let entryBytes = 32
    static let alignment = 64

    package let header: SectionFileHeader
    package let byteCount: Int
    private let map: MappedFile
    private let sections: [UInt32: Range<Int>]

    /// Opens a file and reads all of it.
    package init(path: String) throws(SnapshotFileError) {
        let map = try MappedFile(path: path)
        self.map = map
        byteCount = map.count
        let front = try unsafe map.withBytes { bytes throws(SnapshotFileError) in
            try unsafe Front(bytes)
        }
        header = front.header
        sections = front.sections
    }

    /// A section's bytes, which stay mapped while anybody holds them; 64-byte aligned.
    package func section(_ kind: UInt32) throws(SnapshotFileError) -> MappedSection {
        guard let range = sections[kind] else { throw .damaged(reason: "no section \(kind)") }
        return MappedSection(map: map, range: range)
    }

    package var kinds: [UInt32] { sections.keys.sorted() }
}

/// The front of a file, checked, and the sections it names.
private struct Front {
    let header: SectionFileHeader
    let sections: [UInt32: Range<Int>]

    init(_ file: UnsafeRawBufferPointer) throws(SnapshotFileError) {
        guard file.count >= SectionFile.headerBytes else { throw .damaged(reason: "too short") }
        guard unsafe file.prefix(8).elementsEqual(SectionFile.magic) else {
            throw .damaged(reason: "no file of a session")
        }
        let format: UInt32 = unsafe file.integer(8)
        guard format == SectionFile.format else {
            throw .otherFormat(expected: SectionFile.format, got: format)
        }
        let length: UInt64 = unsafe file.integer(72)
        guard length == UInt64(file.count) else {
            throw .damaged(reason: "\(file.count) bytes long instead of \(length)")
        }
        let count = Int(unsafe file.integer(12) as UInt32)
        let bytes = Int(clamping: unsafe file.integer(80) as UInt64)
        let (needed, overflow) = count.multipliedReportingOverflow(by: SectionFile.entryBytes)
        guard !overflow, bytes <= file.count, bytes >= SectionFile.headerBytes + needed + 8 else {
            throw .damaged(reason: "a front of \(bytes) bytes for \(count) sections")
        }
        let checksum: UInt64 = unsafe file.integer(bytes - 8)
        guard unsafe Checksum.of(UnsafeRawBufferPointer(rebasing: file[..<(bytes - 8)])) == checksum
        else { throw .damaged(reason: "the front's checksum") }

        header = unsafe SectionFileHeader(
            session: file.uuid(16), model: file.uuid(32), revision: file.integer(56),
            seed: file.integer(64))
        var sections: [UInt32: Range<Int>] = [:]
        var entries: [Entry] = []
        var end = bytes
        for index in 0..<count {
            let entry = SectionFile.headerBytes + index * SectionFile.entryBytes
            let kind: UInt32 = unsafe file.integer(entry)
            let offset = Int(clamping: unsafe file.integer(entry + 8) as UInt64)
            let length = Int(clamping: unsafe file.integer(entry + 16) as UInt64)
            guard offset == end, length <= file.count - offset else {
                throw .damaged(reason: "section \(kind) does not lie in the file")
            }
            end = min(offset + length.padded, file.count)
            entries.append(
                Entry(kind: kind, range: offset..<end, checksum: unsafe file.integer(entry + 24)))
            sections[kind] = offset..<offset + length
        }
        guard end == file.count else { throw .damaged(reason: "bytes after the last section") }
        try unsafe Self.compare(entries, file)
        self.sections = sections
    }

    private struct Entry {
        let kind: UInt32
        let range: Range<Int>
        let checksum: UInt64
    }

    /// Reads every section, on all cores, the longest first: 63 MB take one core 7 ms.
    private static func compare(
        _ entries: [Entry], _ file: UnsafeRawBufferPointer
    ) throws(SnapshotFileError) {
        let entries = entries.sorted { $0.range.count > $1.range.count }
        let damaged = Mutex<UInt32?>(nil)
        nonisolated(unsafe) let file = unsafe file
        DispatchQueue.concurrentPerform(iterations: entries.count) { index in
            let entry = entries[index]
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: file[entry.range])
            guard unsafe Checksum.of(bytes) != entry.checksum else { return }
            damaged.withLock { $0 = entry.kind }
        }
        if let kind = damaged.withLock({ $0 }) {
            throw .damaged(reason: "the checksum of section \(kind)")
        }
    }
}

extension Int {
    /// Up to the next multiple of the alignment.
    var padded: Int {
        (self + SectionFile.alignment - 1) / SectionFile.alignment * SectionFile.alignment
    }
}

extension UnsafeRawBufferPointer {
    /// - Precondition: it lies inside.
    fileprivate func integer<T: FixedWidthInteger>(_ offset: Int) -> T {
        precondition(offset >= 0 && offset + MemoryLayout<T>.size <= count)
        return T(littleEndian: unsafe loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    fileprivate func uuid(_ offset: Int) -> UUID {
        precondition(offset >= 0 && offset + 16 <= count)
        return UUID(uuid: unsafe loadUnaligned(fromByteOffset: offset, as: uuid_t.self))
    }
}
