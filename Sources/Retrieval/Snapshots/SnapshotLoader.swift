// Snapshots out of the database: a whole session, or one caught up.

import Foundation
import Library
import Postgres
import Vectors

enum SnapshotLoader {
    /// The session as it is now: read in whole, or caught up from `known`. Nil when it is gone.
    ///
    /// Of `known` the first `keeping` segments are shared (all when nil), and what is later than them
    /// is read again. A session whose model is another now is read in whole.
    static func load(
        _ session: UUID, from known: SessionSnapshot? = nil, keeping count: Int? = nil,
        _ pool: Pool,
        _ placement: RowPlacement
    ) async throws -> SessionSnapshot? {
        let kept = known.map { Array($0.segments.prefix(count ?? .max)) } ?? []
        // All segments are as old as the snapshot: an empty catch-up appends none.
        let revision = count == nil ? known?.revision : kept.last?.revision
        let builder = try await pool.withTransaction(
            as: .service, isolation: .repeatableRead, readOnly: true
        ) {
            try await read(
                session, after: kept.isEmpty ? nil : revision, known?.version, placement, on: $0)
        }
        guard var builder else { return nil }
        let changes = builder.changes
        var segments: [Segment] = []
        if changes.after != nil {
            segments = kept
            if builder.isUnchanged {
                return SessionSnapshot(
                    version: changes.version, model: changes.model, segments: segments)
            }
        }
        let segment = try builder.segment()
        segments = segments.map { $0.without(changes.removedDocuments, replacedBy: segment) }
        if segments.isEmpty || segment.count > 0 { segments.append(segment) }
        return SessionSnapshot(version: changes.version, model: changes.model, segments: segments)
    }

    /// The session in whole, as it will be when the transaction is committed.
    static func whole(
        _ session: UUID, _ placement: RowPlacement, on transaction: Transaction
    ) async throws -> SessionSnapshot? {
        let builder = try await read(session, after: nil, nil, placement, on: transaction)
        guard var builder else { return nil }
        let changes = builder.changes
        return SessionSnapshot(
            version: changes.version, model: changes.model, segments: [try builder.segment()])
    }

    private static func read(
        _ session: UUID, after revision: Int64?, _ known: SessionVersion?,
        _ placement: RowPlacement, on db: Transaction
    ) async throws -> SegmentBuilder? {
        guard
            let changes = try await SessionRepository.changes(
                of: session, after: revision, on: db)
        else { return nil }
        // A file may be newer than a database that was put back from a copy, or older than what the
        // database remembers of removals.
        if let revision,
            changes.version.modelID != known?.modelID || changes.version.revision < revision
                || revision < changes.removalsAfter
        {
            return try await read(session, after: nil, nil, placement, on: db)
        }
        var builder = SegmentBuilder(changes, placement)
        if !builder.isUnchanged {
            try await ChunkRepository.changed(in: session, after: revision, on: db) {
                try builder.append($0)
            }
        }
        return builder
    }
}

/// Sorts chunks into a segment.
struct SegmentBuilder {
    let changes: SessionChanges
    private let documents: [UUID: Int]
    private let sections: [UUID: Int]
    private var children: TableBuilder
    private var parents: TableBuilder

    init(_ changes: SessionChanges, _ placement: RowPlacement) {
        self.changes = changes
        // Of a whole session no table has more rows than that; what a catch-up brings, nobody knows.
        let rows = changes.after == nil ? changes.version.chunkCount : 0
        children = TableBuilder(placement, expecting: rows)
        parents = TableBuilder(placement, expecting: rows)
        documents = Self.places(changes.documents.map(\.id))
        sections = Self.places(changes.sections.map(\.id))
    }

    /// Whether there is nothing to read.
    var isUnchanged: Bool { changes.after == changes.version.revision }

    mutating func append(_ chunk: ChangedChunk) throws {
        guard let document = documents[chunk.documentID], let section = sections[chunk.sectionID]
        else { throw LibraryError.notFound }
        if chunk.parentID == nil {
            try parents.append(chunk, document: document, section: section)
        } else {
            try children.append(chunk, document: document, section: section)
        }
    }

    mutating func segment() throws -> Segment {
        let parents = try parents.table(parents: nil)
        return Segment(
            places: Segment.Places(documents: changes.documents, sections: changes.sections),
            children: try children.table(parents: parents.columns), parents: parents,
            revision: changes.version.revision)
    }

    private static func places(_ ids: [UUID]) -> [UUID: Int] {
        Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
    }
}

extension Segment {
    /// The segment without the rows of deleted documents, and without those that were written anew.
    func without(_ removed: [UUID], replacedBy later: Segment) -> Segment {
        let gone = Set(removed)
        let indexes = Set(
            places.documents.indices.filter { gone.contains(places.documents[$0].id) })
        func remaining(_ type: ChunkType) -> RowTable {
            let table = table(type)
            var dead: [Int] = []
            if !indexes.isEmpty {
                dead = table.columns.documents.indices.filter {
                    indexes.contains(Int(table.columns.documents[$0]))
                }
            }
            // A chunk may even have become one of the other type.
            for type in ChunkType.allCases {
                dead += later.table(type).columns.ids.compactMap { table.columns.row(of: $0) }
            }
            return table.removing(dead)
        }
        return with(children: remaining(.child), parents: remaining(.parent))
    }
}
