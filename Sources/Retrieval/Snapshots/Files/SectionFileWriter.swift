import Foundation

/// Writes a `SectionFile`, section by section; under its name only when it is whole.
package struct SectionFileWriter: ~Copyable {
    private let file: UnnamedFile
    private let frontBytes: Int
    private let sections: Int
    private var table: [UInt8] = []
    private var end: Int

    /// Room for that many sections, in a file beside `path`.
    package init(path: String, sections: Int) throws(SnapshotFileError) {
        file = try UnnamedFile(for: path)
        self.sections = sections
        frontBytes =
            (SectionFile.headerBytes + sections * SectionFile.entryBytes + 8).padded
        end = frontBytes
    }

    /// - Precondition: no more sections than there is room for, no kind twice.
    package mutating func append(
        _ kind: UInt32, _ bytes: UnsafeRawBufferPointer
    ) throws(SnapshotFileError) {
        precondition(table.count < sections * SectionFile.entryBytes, "too many sections")
        let padding = [UInt8](repeating: 0, count: bytes.count.padded - bytes.count)
        let checksum = Checksum.Running()
        unsafe checksum.add(bytes)
        try unsafe file.write(bytes, at: end)
        try unsafe padding.withRawBytes { zeros throws(SnapshotFileError) in
            unsafe checksum.add(zeros)
            try unsafe file.write(zeros, at: end + bytes.count)
        }
        table.append(kind)
        table.append(0 as UInt32)
        table.append(UInt64(end))
        table.append(UInt64(bytes.count))
        table.append(checksum.value)
        end += bytes.count.padded
    }

    package mutating func append(_ kind: UInt32, _ bytes: [UInt8]) throws(SnapshotFileError) {
        try unsafe bytes.withRawBytes { raw throws(SnapshotFileError) in
            try unsafe append(kind, raw)
        }
    }

    /// Writes the front, flushes the file and gives it its name.
    ///
    /// - Precondition: as many sections as there was room for.
    package consuming func commit(_ header: SectionFileHeader) throws(SnapshotFileError) {
        precondition(table.count == sections * SectionFile.entryBytes, "too few sections")
        var front = SectionFile.magic
        front.append(SectionFile.format)
        front.append(UInt32(sections))
        unsafe withUnsafeBytes(of: header.session.uuid) { unsafe front.append(contentsOf: $0) }
        unsafe withUnsafeBytes(of: header.model.uuid) { unsafe front.append(contentsOf: $0) }
        front.append(0 as UInt64)
        front.append(header.revision)
        front.append(header.seed)
        front.append(UInt64(end))
        front.append(UInt64(frontBytes))
        front += table
        front += repeatElement(0, count: frontBytes - 8 - front.count)
        front.append(unsafe front.withUnsafeBytes { unsafe Checksum.of($0) })
        try unsafe front.withRawBytes { bytes throws(SnapshotFileError) in
            try unsafe file.write(bytes, at: 0)
        }
        try file.commit()
    }
}

extension [UInt8] {
    fileprivate func withRawBytes(
        _ body: (UnsafeRawBufferPointer) throws(SnapshotFileError) -> Void
    ) throws(SnapshotFileError) {
        try unsafe withUnsafeBufferPointer { bytes throws(SnapshotFileError) in
            try unsafe body(UnsafeRawBufferPointer(bytes))
        }
    }

    fileprivate mutating func append<T: FixedWidthInteger>(_ value: T) {
        unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
    }
}
