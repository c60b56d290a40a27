// The texts of a table in UTF-8, one after another: in memory, or where a mapped file has them.

/// Bytes of text that nothing changes.
struct ColumnText: Sendable {
    private enum Place: Sendable {
        case memory([UInt8])
        case file(MappedSection)
    }

    private let place: Place
    let count: Int

    init(_ bytes: [UInt8]) {
        place = .memory(bytes)
        count = bytes.count
    }

    init(_ section: MappedSection) {
        place = .file(section)
        count = section.byteCount
    }

    /// The memory held: none of a mapped file, whose pages the system takes back when it needs them.
    var byteCount: Int {
        switch place {
        case .memory(let bytes): bytes.count
        case .file: 0
        }
    }

    func withUnsafeBytes<R, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> R
    ) throws(Failure) -> R {
        switch place {
        case .memory(let bytes):
            try unsafe bytes.withUnsafeBufferPointer(body)
        case .file(let section):
            try unsafe section.withUnsafeBytes { bytes throws(Failure) in
                try unsafe body(bytes.assumingMemoryBound(to: UInt8.self))
            }
        }
    }
}
