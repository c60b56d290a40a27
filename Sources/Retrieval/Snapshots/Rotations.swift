import Foundation
import Synchronization
import Vectors

/// One rotation a model, kept for the life of the process: made in 0.15 s or read from a file, 3 MB.
///
/// Seeded by the model's id, so that snapshots of one model share it in every process. Chunks are
/// stored by whoever has the model, but nobody chooses its id: it is the database's random UUID.
enum Rotations {
    private static let known = Mutex<[UUID: Rotation]>([:])

    /// The rotation, from the folder's file when there is a good one.
    ///
    /// - Throws: `VectorError.allocation`.
    static func rotation(of model: UUID, in directory: String? = nil) throws -> Rotation {
        // Made under the lock: two who ask at once wait for one.
        try known.withLock { known in
            if let rotation = known[model] { return rotation }
            let filed = directory.flatMap { try? RotationFile.read(model, in: $0) }
            let rotation = try filed ?? Rotation(seed: seed(of: model))
            known[model] = rotation
            return rotation
        }
    }

    static func seed(of model: UUID) -> UInt64 {
        let bytes = model.uuid
        return [
            bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5, bytes.6, bytes.7,
        ].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
