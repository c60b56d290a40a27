// The columns of a table in a file: plain ones as they lie in memory.

import Foundation
import Vectors

extension SectionFileWriter {
    mutating func append(
        _ columns: RowColumns, _ kind: UInt32
    ) throws(SnapshotFileError) {
        try append(kind + SnapshotSection.ids, uuids: columns.ids)
        try append(kind + SnapshotSection.documents, values: columns.documents)
        try append(kind + SnapshotSection.sections, values: columns.sections)
        try append(kind + SnapshotSection.parentIDs, uuids: columns.parentIDs)
        try append(kind + SnapshotSection.parentRows, values: columns.parentRows)
        try append(kind + SnapshotSection.firstPages, values: columns.firstPages)
        try append(kind + SnapshotSection.lastPages, values: columns.lastPages)
        try append(kind + SnapshotSection.starts, values: columns.starts)
        try append(kind + SnapshotSection.ends, values: columns.ends)
        try append(kind + SnapshotSection.tokens, values: columns.tokens)
        try append(kind + SnapshotSection.created, values: columns.created)
        try unsafe columns.text.withUnsafeBytes { text throws(SnapshotFileError) in
            try unsafe append(kind + SnapshotSection.text, UnsafeRawBufferPointer(text))
        }
        try append(kind + SnapshotSection.textStarts, values: columns.textStarts)

        var topics = ByteWriter()
        topics.write(UInt32(columns.topics.count))
        for (topic, rows) in columns.topics {
            topics.write(topic)
            topics.write(UInt32(rows.count))
            for row in rows { topics.write(row) }
        }
        try append(kind + SnapshotSection.topics, topics.bytes)
        var unembedded: [UInt32] = []
        if let embedded = columns.embedded {
            unembedded = (0..<columns.count).filter { !embedded.contains($0) }.map(UInt32.init)
        }
        try append(kind + SnapshotSection.unembedded, values: unembedded)
    }

    private mutating func append(_ kind: UInt32, uuids: [UUID]) throws(SnapshotFileError) {
        var writer = ByteWriter()
        for uuid in uuids { writer.write(uuid) }
        try append(kind, writer.bytes)
    }

    private mutating func append<T: BitwiseCopyable>(
        _ kind: UInt32, values: [T]
    ) throws(SnapshotFileError) {
        try unsafe values.withUnsafeBufferPointer { values throws(SnapshotFileError) in
            try unsafe append(kind, UnsafeRawBufferPointer(values))
        }
    }
}

extension SectionFile {
    func columns(_ kind: UInt32, count: Int) throws(SnapshotFileError) -> RowColumns {
        var topics: [UUID: [UInt32]] = [:]
        var reader = ByteReader(try section(kind + SnapshotSection.topics))
        for _ in 0..<(try reader.count()) {
            let topic = try reader.uuid()
            var rows: [UInt32] = []
            for _ in 0..<(try reader.count()) { rows.append(try reader.integer()) }
            topics[topic] = rows
        }
        let unembedded: [UInt32] = try values(kind + SnapshotSection.unembedded)
        var embedded: RowSet?
        if !unembedded.isEmpty {
            var rows = RowSet(universe: count, all: true)
            for row in unembedded { rows.remove(Int(row)) }
            embedded = rows
        }
        let isOfChildren = kind == SnapshotSection.children
        return RowColumns(
            ids: try uuids(kind + SnapshotSection.ids, count),
            documents: try values(kind + SnapshotSection.documents, count),
            sections: try values(kind + SnapshotSection.sections, count),
            parentIDs: try uuids(kind + SnapshotSection.parentIDs, isOfChildren ? count : 0),
            parentRows: try values(kind + SnapshotSection.parentRows, isOfChildren ? count : 0),
            firstPages: try values(kind + SnapshotSection.firstPages, count),
            lastPages: try values(kind + SnapshotSection.lastPages, count),
            starts: try values(kind + SnapshotSection.starts, count),
            ends: try values(kind + SnapshotSection.ends, count),
            tokens: try values(kind + SnapshotSection.tokens, count),
            created: try values(kind + SnapshotSection.created, count), topics: topics,
            embedded: embedded,
            text: ColumnText(try section(kind + SnapshotSection.text)),
            textStarts: try values(kind + SnapshotSection.textStarts, count + 1))
    }

    private func uuids(_ kind: UInt32, _ count: Int) throws(SnapshotFileError) -> [UUID] {
        let bytes: [uuid_t] = try values(kind, count)
        return bytes.map { UUID(uuid: $0) }
    }

    /// A copy of a section's values: as many as they should be, if that is known.
    private func values<T: BitwiseCopyable>(
        _ kind: UInt32, _ wanted: Int? = nil
    ) throws(SnapshotFileError) -> [T] {
        let section = try section(kind)
        let (count, rest) = section.byteCount.quotientAndRemainder(
            dividingBy: MemoryLayout<T>.stride)
        guard rest == 0, wanted == nil || wanted == count else {
            throw .damaged(reason: "section \(kind) has \(section.byteCount) bytes")
        }
        return unsafe section.withUnsafeBytes { bytes in
            unsafe [T](unsafeUninitializedCapacity: count) { to, initialized in
                unsafe UnsafeMutableRawBufferPointer(to).copyMemory(from: bytes)
                initialized = count
            }
        }
    }
}
