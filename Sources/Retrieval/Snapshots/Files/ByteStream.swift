// Values of any length as bytes, one after another, for the sections that are no plain columns.

import Foundation

struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write<T: FixedWidthInteger>(_ value: T) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    mutating func write(_ value: UUID) {
        unsafe withUnsafeBytes(of: value.uuid) { unsafe bytes.append(contentsOf: $0) }
    }

    mutating func write(_ text: String) {
        write(UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }
}

struct ByteReader {
    private let bytes: [UInt8]
    private var next = 0

    init(_ section: MappedSection) {
        bytes = unsafe section.withUnsafeBytes { unsafe Array($0) }
    }

    mutating func integer<T: FixedWidthInteger>(_: T.Type = T.self) throws(SnapshotFileError) -> T {
        let range = try take(MemoryLayout<T>.size)
        let value = unsafe bytes.withUnsafeBytes {
            unsafe $0.loadUnaligned(fromByteOffset: range.lowerBound, as: T.self)
        }
        return T(littleEndian: value)
    }

    mutating func uuid() throws(SnapshotFileError) -> UUID {
        let range = try take(16)
        return UUID(
            uuid: unsafe bytes.withUnsafeBytes {
                unsafe $0.loadUnaligned(fromByteOffset: range.lowerBound, as: uuid_t.self)
            })
    }

    mutating func text() throws(SnapshotFileError) -> String {
        let range = try take(Int(integer(UInt32.self)))
        return String(decoding: bytes[range], as: UTF8.self)
    }

    /// How many things follow, each at least a byte.
    mutating func count() throws(SnapshotFileError) -> Int {
        let count = Int(try integer(UInt32.self))
        guard count <= bytes.count - next else { throw .damaged(reason: "a list is cut short") }
        return count
    }

    private mutating func take(_ count: Int) throws(SnapshotFileError) -> Range<Int> {
        guard count <= bytes.count - next else { throw .damaged(reason: "a section is cut short") }
        defer { next += count }
        return next..<next + count
    }
}
