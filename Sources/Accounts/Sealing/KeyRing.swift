// The master keys a server has: from its environment, or from a file of its own.

internal import Synchronization

/// One key at least, in order of their numbers; the last one seals.
///
/// A ring that came from a file looks into it again when it meets a number that it does not know:
/// another process may have added a key since.
package final class KeyRing: Sendable {
    private let keys: Mutex<[MasterKey]>
    private let file: MasterKeyFile?

    private init(_ keys: [MasterKey], file: MasterKeyFile? = nil) {
        self.keys = Mutex(keys)
        self.file = file
    }

    /// The keys of a file, which is made with a first key when it is not there.
    package convenience init(file path: String) throws(MasterKeyError) {
        let file = MasterKeyFile(path: path)
        self.init(try file.readOrMake(), file: file)
    }

    /// The keys of a text: one in base64, which is number 1, or several `number:base64` with commas
    /// between.
    ///
    /// - Throws: `invalid`, which never holds any of the text.
    package convenience init(parsing text: String) throws(MasterKeyError) {
        let parts = text.split(separator: ",")
        let keys = parts.compactMap { part -> MasterKey? in
            let fields = part.split(separator: ":", maxSplits: 1)
            if fields.count == 2 {
                return UInt16(fields[0]).flatMap { MasterKey(number: $0, base64: fields[1]) }
            }
            return parts.count == 1 ? MasterKey(number: 1, base64: part) : nil
        }
        guard keys.count == parts.count else { throw .invalid(source: nil) }
        self.init(try Self.inOrder(keys, source: nil))
    }

    /// A ring with one new key that nobody keeps, for tests and for servers of one command.
    package static func unkept() -> KeyRing { KeyRing([.random(number: 1)]) }

    var newest: MasterKey { keys.withLock { $0[$0.count - 1] } }
    var all: [MasterKey] { keys.withLock { $0 } }

    func key(_ number: UInt16) -> MasterKey? {
        func known() -> MasterKey? { all.first { $0.number == number } }
        if let key = known() { return key }
        // Rare, and a few hundred bytes: once after each rotation.
        guard let file, let now = try? file.read() else { return nil }
        keys.withLock { $0 = now }
        return known()
    }

    /// Adds a key to the file, which seals from now on.
    ///
    /// - Returns: its number.
    /// - Throws: `noFile` when the ring came from the environment: its owner adds a key there.
    package func addKey() throws(MasterKeyError) -> UInt16 {
        guard let file else { throw .noFile }
        let now = try file.addKey()
        keys.withLock { $0 = now }
        return newest.number
    }

    static func inOrder(
        _ keys: [MasterKey], source: String?
    ) throws(MasterKeyError) -> [MasterKey] {
        guard !keys.isEmpty, Set(keys.map(\.number)).count == keys.count else {
            throw .invalid(source: source)
        }
        return keys.sorted { $0.number < $1.number }
    }
}

/// Why there are no master keys to work with.
package enum MasterKeyError: Error, Sendable, Equatable {
    /// Not keys, or two of one number. From the environment when there is no source.
    case invalid(source: String?)
    /// Somebody besides its owner may read the file, or the owner is somebody else.
    case exposed(path: String)
    case unreadable(path: String)
    case unwritable(path: String)
    /// A key is to be added to a file, and the keys came from the environment.
    case noFile
}

extension MasterKeyError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalid(let source):
            "\(source ?? "CARREL_MASTER_KEY") does not hold master keys: expected 32 bytes in "
                + "base64, or several numbered"
        case .exposed(let path):
            "\(path) holds the master keys and must be yours, readable by nobody else (chmod 600)"
        case .unreadable(let path): "cannot read the master keys in \(path)"
        case .unwritable(let path): "cannot write the master keys to \(path)"
        case .noFile:
            "the master keys come from CARREL_MASTER_KEY: add `,2:<32 bytes in base64>` there "
                + "(with the next number)"
        }
    }
}
