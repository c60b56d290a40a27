// Names that follow from what they name (RFC 9562 §5.5): the same bytes give the same chunk ids, so
// a repeated ingestion finds its own rows instead of adding new ones.

import Crypto
package import FoundationEssentials

package enum ContentID {
    /// Carrel's namespace for UUIDv5; drawn once at random, never changed.
    package static let namespace = UUID(
        uuid: (
            0x6f, 0x1d, 0x0a, 0x52, 0x4b, 0x8e, 0x4c, 0x37,
            0x9d, 0x25, 0xe3, 0x70, 0xb1, 0x5a, 0xc8, 0x94
        ))

    /// The id of a chunk: document hash (lower-case hex SHA-256), span, kind, chunker version.
    package static func chunk(documentHash: String, start: Int, end: Int, isParent: Bool) -> UUID {
        let kind = isParent ? "PARENT" : "CHILD"
        return uuid5(
            namespace: namespace,
            name: "\(documentHash):\(start):\(end):\(kind):\(Chunker.version)")
    }

    package static func uuid5(namespace: UUID, name: String) -> UUID {
        var hash = Insecure.SHA1()
        let n = namespace.uuid
        hash.update(data: [
            n.0, n.1, n.2, n.3, n.4, n.5, n.6, n.7, n.8, n.9, n.10, n.11, n.12, n.13, n.14, n.15,
        ])
        hash.update(data: Array(name.utf8))
        let d = Array(hash.finalize())
        return UUID(
            uuid: (
                d[0], d[1], d[2], d[3], d[4], d[5], d[6] & 0x0f | 0x50, d[7],
                d[8] & 0x3f | 0x80, d[9], d[10], d[11], d[12], d[13], d[14], d[15]
            ))
    }
}
