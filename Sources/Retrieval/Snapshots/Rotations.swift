import Foundation
import Vectors

extension Rotation {
    /// A model's rotation, which snapshots of the model share in every process.
    ///
    /// Chunks are stored by whoever has the model, but nobody chooses its id: it is the database's
    /// random UUID.
    init(of model: UUID) { self.init(seed: Self.seed(of: model)) }

    static func seed(of model: UUID) -> UInt64 {
        let bytes = model.uuid
        return [
            bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5, bytes.6, bytes.7,
        ].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
