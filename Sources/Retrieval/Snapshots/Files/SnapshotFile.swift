// The base of a session's snapshot in a file: its first segment as it was read, with all rows. What
// was written or deleted later is caught up from PostgreSQL, by the revision in the header.

import Foundation
import Library
import Vectors

/// What the sections are. A table's begin at its first number.
enum SnapshotSection {
    static let about: UInt32 = 1
    static let places: UInt32 = 2
    static let children: UInt32 = 100
    static let parents: UInt32 = 200
    // Within a table: 1–9 are the parts of its block.
    static let ids: UInt32 = 20
    static let documents: UInt32 = 21
    static let sections: UInt32 = 22
    static let parentIDs: UInt32 = 23
    static let parentRows: UInt32 = 24
    static let firstPages: UInt32 = 25
    static let lastPages: UInt32 = 26
    static let starts: UInt32 = 27
    static let ends: UInt32 = 28
    static let tokens: UInt32 = 29
    static let created: UInt32 = 30
    static let topics: UInt32 = 31
    static let unembedded: UInt32 = 32
    static let text: UInt32 = 33
    static let textStarts: UInt32 = 34
    static let columns = 15
}

enum SnapshotFile {
    /// Writes the first segment of a snapshot, dead rows included.
    ///
    /// - Precondition: there is one.
    static func write(_ snapshot: SessionSnapshot, to path: String) throws(SnapshotFileError) {
        let base = snapshot.segments[0]
        let tables = [
            (SnapshotSection.children, base.children), (SnapshotSection.parents, base.parents),
        ]
        let parts = tables.reduce(0) { $0 + $1.1.block.shape.parts.count + SnapshotSection.columns }
        var writer = try SectionFileWriter(path: path, sections: 2 + parts)
        try writer.append(SnapshotSection.about, about(snapshot))
        try writer.append(SnapshotSection.places, places(base.places))
        for (kind, table) in tables {
            for part in table.block.shape.parts {
                try unsafe table.block.withUnsafeBytes(of: part) {
                    bytes throws(SnapshotFileError) in
                    try unsafe writer.append(kind + part.rawValue, bytes)
                }
            }
            try writer.append(table.columns, kind)
        }
        try writer.commit(
            SectionFileHeader(
                session: snapshot.version.id, model: snapshot.version.modelID,
                revision: base.revision, seed: Rotation.seed(of: snapshot.version.modelID)))
    }

    /// The session as it was at the revision in the file: all rows live.
    ///
    /// - Throws: `SnapshotFileError`, or `VectorError.allocation`.
    static func read(_ session: UUID, from path: String) throws -> SessionSnapshot {
        let file = try SectionFile(path: path)
        let header = file.header
        guard header.session == session else { throw SnapshotFileError.otherSession }
        guard header.seed == Rotation.seed(of: header.model) else {
            throw SnapshotFileError.otherRotation
        }
        var about = ByteReader(try file.section(SnapshotSection.about))
        let profile = try about.uuid()
        guard let status = SessionStatus(rawValue: try about.text()) else {
            throw SnapshotFileError.damaged(reason: "an unknown status")
        }
        let version = SessionVersion(
            id: session, profileID: profile, status: status, revision: header.revision,
            chunkCount: try about.integer(), modelID: header.model)
        let model = try about.text()
        let shapes = [try about.shape(), try about.shape()]
        let rotation = Rotation(of: header.model)
        func table(_ kind: UInt32, _ shape: BlockShape) throws -> RowTable {
            let block = try SessionBlock(shape, rotation: rotation) { part in
                let section = try file.section(kind + part.rawValue)
                guard section.byteCount == shape.byteCount(of: part) else {
                    throw SnapshotFileError.damaged(reason: "part \(part) of a block")
                }
                return section.memory
            }
            return RowTable(block: block, columns: try file.columns(kind, count: shape.count))
        }
        let segment = Segment(
            places: try places(file.section(SnapshotSection.places)),
            children: try table(SnapshotSection.children, shapes[0]),
            parents: try table(SnapshotSection.parents, shapes[1]), revision: header.revision)
        return SessionSnapshot(version: version, model: model, segments: [segment])
    }

    // MARK: What is no column

    private static func about(_ snapshot: SessionSnapshot) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(snapshot.version.profileID)
        writer.write(snapshot.version.status.rawValue)
        writer.write(snapshot.version.chunkCount)
        writer.write(snapshot.model)
        writer.write(snapshot.segments[0].children.block.shape)
        writer.write(snapshot.segments[0].parents.block.shape)
        return writer.bytes
    }

    private static func places(_ places: Segment.Places) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(UInt32(places.documents.count))
        for document in places.documents {
            writer.write(document.id)
            writer.write(document.fileName)
        }
        writer.write(UInt32(places.sections.count))
        for section in places.sections {
            writer.write(section.id)
            writer.write(section.pageNumber)
            writer.write(UInt32(section.headingPath.count))
            for heading in section.headingPath { writer.write(heading) }
        }
        return writer.bytes
    }

    private static func places(_ section: MappedSection) throws(SnapshotFileError) -> Segment.Places
    {
        var reader = ByteReader(section)
        var documents: [DocumentName] = []
        for _ in 0..<(try reader.count()) {
            documents.append(DocumentName(id: try reader.uuid(), fileName: try reader.text()))
        }
        var sections: [SectionPlace] = []
        for _ in 0..<(try reader.count()) {
            let id = try reader.uuid()
            let page: Int = try reader.integer()
            var path: [String] = []
            for _ in 0..<(try reader.count()) { path.append(try reader.text()) }
            sections.append(SectionPlace(id: id, headingPath: path, pageNumber: page))
        }
        return Segment.Places(documents: documents, sections: sections)
    }
}

// MARK: Shapes

extension ByteWriter {
    fileprivate mutating func write(_ shape: BlockShape) {
        write(shape.count)
        write(shape.dimension)
        write(shape.longest.bitPattern)
        // No spread is negative.
        write((shape.leastSpread ?? -1).bitPattern)
    }
}

extension ByteReader {
    fileprivate mutating func shape() throws(SnapshotFileError) -> BlockShape {
        let count: Int = try integer()
        let dimension: Int = try integer()
        let longest = Float(bitPattern: try integer())
        let spread = Double(bitPattern: try integer())
        guard count >= 0, count < Int(UInt32.max), dimension == UnitVector.dimension else {
            throw .damaged(reason: "\(count) rows of \(dimension)")
        }
        return BlockShape(
            count: count, dimension: dimension, longest: longest,
            leastSpread: spread < 0 ? nil : spread)
    }
}
