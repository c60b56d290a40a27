// The two descriptors the helper process has: the document, and where the answer goes.

package import Documents
import Glibc

package enum StandardInput {
    /// All of it.
    ///
    /// Throws `tooLarge` past `limit`, `unreadable` when reading fails.
    package static func read(limit: Int) throws(DocumentError) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = unsafe Glibc.read(0, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable("it stopped in the middle") }
            if count == 0 { return bytes }
            bytes += piece[..<count]
            guard bytes.count <= limit else { throw .tooLarge(.fileBytes, limit: limit, got: nil) }
        }
    }
}

package enum StandardOutput {
    /// Writes everything, or as much as is wanted at the other end.
    package static func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(1, $0.baseAddress, $0.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
