// A model's rotation in a file beside those of its sessions, so that the first of them need not wait until
// the rotation is made anew.

package import Foundation
package import Vectors

package enum RotationFile {
    private static let axes: UInt32 = 1

    package static func path(_ model: UUID, in directory: String) -> String {
        "\(directory)/\(model.uuidString.lowercased()).rotation"
    }

    /// - Throws: `SnapshotFileError`, also when there is none; `VectorError.allocation`.
    package static func read(_ model: UUID, in directory: String) throws -> Rotation {
        let file = try SectionFile(path: path(model, in: directory))
        let seed = Rotations.seed(of: model)
        guard file.header.model == model, file.header.seed == seed else {
            throw SnapshotFileError.otherRotation
        }
        let section = try file.section(axes)
        let dimension = UnitVector.dimension
        guard section.byteCount == dimension * dimension * MemoryLayout<Float>.stride else {
            throw SnapshotFileError.damaged(reason: "\(section.byteCount) bytes of axes")
        }
        return try Rotation(seed: seed, axes: Block(dimension: dimension, lent: section.memory))
    }

    /// Writes the rotation, unless there is a file.
    package static func write(_ model: UUID, in directory: String) throws {
        let path = path(model, in: directory)
        guard !FileManager.default.fileExists(atPath: path) else { return }
        let rotation = try Rotations.rotation(of: model)
        var writer = try SectionFileWriter(path: path, sections: 1)
        try unsafe rotation.axes.withUnsafeRows { rows in
            unsafe try writer.append(
                axes,
                UnsafeRawBufferPointer(
                    start: rows,
                    count: rotation.dimension * rotation.dimension * MemoryLayout<Float>.stride))
        }
        try writer.commit(
            SectionFileHeader(session: model, model: model, revision: 0, seed: rotation.seed))
    }
}
