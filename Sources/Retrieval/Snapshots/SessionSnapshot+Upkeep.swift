// What a snapshot needs to stay fast: codes where rows are many, few segments, few dead rows.

import Vectors
import Library

extension SessionSnapshot {
    enum Upkeep: Equatable {
        /// Make the codes that are missing.
        case encode
        /// Read again, as one segment, what lies after so many.
        case join(keeping: Int)
    }

    /// Tables of fewer rows are scanned as fast in bytes, and that proves the answer (`Cascade.faster`).
    static let codesFrom = 500
    /// Each segment more costs a search some 20 µs.
    static let mostSegments = 6

    /// What should be done next; nil when nothing.
    ///
    /// A quarter of the base appended or dead: so over its life a session is read again a few times
    /// as often as it doubles, and a scan looks at a quarter more rows than it must, at most.
    var upkeep: Upkeep? {
        guard let base = segments.first else { return nil }
        let appended = segments.dropFirst().reduce(0) { $0 + $1.count }
        let dead = segments.reduce(0) { $0 + $1.count - $1.liveCount }
        if appended + dead > max(512, base.liveCount / 4) { return .join(keeping: 0) }
        if segments.count > Self.mostSegments { return .join(keeping: 1) }
        return segments.contains { $0.children.lacksCodes || $0.parents.lacksCodes } ? .encode : nil
    }

    /// The same with codes for every table of many rows, all about one centroid.
    ///
    /// - Complexity: 25 ms for 10,000 rows on one core (Zen 3).
    /// - Throws: `VectorError.allocation`; `abandoned` soon after it is not wanted any more.
    func encoded(whileWanted isWanted: () -> Bool = { true }) throws -> SessionSnapshot {
        var centroid = segments.lazy.compactMap(\.children.block.centroid).first
        let rotation = Rotation(of: version.modelID)
        let segments = try segments.map { segment in
            func encode(_ table: RowTable) throws -> RowTable {
                guard table.lacksCodes else { return table }
                let block = try table.block.withCodes(
                    rotation: rotation, centroid: centroid, whileWanted: isWanted)
                centroid = centroid ?? block.centroid
                return table.replacing(block)
            }
            return segment.with(
                children: try encode(segment.children), parents: try encode(segment.parents))
        }
        return SessionSnapshot(version: version, model: model, segments: segments)
    }

    /// The same with the codes another snapshot has for the same tables.
    func adopting(_ encoded: SessionSnapshot) -> SessionSnapshot {
        let tables = encoded.segments.flatMap { [$0.children, $0.parents] }.filter(\.block.hasCodes)
        func adopt(_ table: RowTable) -> RowTable {
            tables.first { $0.columns === table.columns }.map { table.replacing($0.block) } ?? table
        }
        return SessionSnapshot(
            version: version, model: model,
            segments: segments.map {
                $0.with(children: adopt($0.children), parents: adopt($0.parents))
            })
    }
}

extension RowTable {
    fileprivate var lacksCodes: Bool {
        !block.hasCodes && count >= SessionSnapshot.codesFrom
    }
}
