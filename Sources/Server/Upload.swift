// A file on its way in: pieces written where they belong, in any order, into a file without a
// name of the user's. It is gone with its connection; after a commit the ingestor has a copy.

import Crypto
import NIOPosix
import Synchronization
import Wire

#if canImport(Glibc)
    import Glibc
#endif

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

final class Upload: Sendable {
    let session: OpenSession
    let fileName: String
    let fileDescription: String?
    let bytes: Int
    /// What the client says the file's SHA-256 is, lower hex.
    let sha256: String?
    let path: String

    private struct State {
        var received = ReceivedRanges()
        var isDiscarded = false
    }
    private let state = Mutex(State())

    /// Makes the empty file.
    init(
        session: OpenSession, fileName: String, description: String?, bytes: Int,
        sha256: String?, directory: String
    ) async throws {
        self.session = session
        self.fileName = fileName
        fileDescription = description
        self.bytes = bytes
        self.sha256 = sha256
        let path = "\(directory)/\(UUID().uuidString.lowercased()).part"
        self.path = path
        try await Upload.onDisk {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            let file = unsafe open(path, O_CREAT | O_EXCL | O_WRONLY, 0o600)
            guard file >= 0 else { throw Upload.noSpace }
            Glibc.close(file)
        }
    }

    deinit { unsafe unlink(path) }

    /// Writes a piece. Returns how many bytes of the file are there now.
    ///
    /// - Precondition: the piece lies within the file.
    func write(_ piece: [UInt8], at offset: Int) async throws -> Int {
        let path = path
        try await Upload.onDisk {
            let file = unsafe open(path, O_WRONLY)
            guard file >= 0 else { throw Upload.gone }
            defer { Glibc.close(file) }
            var written = 0
            while written < piece.count {
                let count = unsafe piece.withUnsafeBytes { bytes in
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
                    return unsafe pwrite(file, rest.baseAddress, rest.count, offset + written)
                }
                guard count > 0 else { throw Upload.noSpace }
                written += count
            }
        }
        return state.withLock {
            $0.received.insert(offset..<offset + piece.count)
            return $0.received.count
        }
    }

    /// Refuses a file that is not whole, or not the one that was announced.
    func check() async throws {
        let count = state.withLock { $0.received.count }
        guard count == bytes else {
            throw WireError.invalid(
                "upload", expected: "\(bytes) bytes before the commit", got: "\(count)")
        }
        guard let sha256 else { return }
        let path = path
        let actual = try await Upload.onDisk {
            let file = unsafe open(path, O_RDONLY)
            guard file >= 0 else { throw Upload.gone }
            defer { Glibc.close(file) }
            var hasher = SHA256()
            var piece = [UInt8](repeating: 0, count: 1 << 18)
            while true {
                let count = unsafe piece.withUnsafeMutableBytes { bytes in
                    unsafe read(file, bytes.baseAddress, bytes.count)
                }
                guard count >= 0 else { throw Upload.noSpace }
                if count == 0 { break }
                hasher.update(data: piece[..<count])
            }
            return hasher.finalize().map { byte in
                let digits = String(byte, radix: 16)
                return byte < 16 ? "0" + digits : digits
            }.joined()
        }
        guard actual == sha256 else {
            throw WireError.invalid("sha256", expected: sha256, got: actual)
        }
    }

    /// Removes the file.
    func discard() { unsafe unlink(path) }

    /// Files block; they do it on threads that may.
    private static func onDisk<R: Sendable>(
        _ work: @escaping @Sendable () throws -> R
    ) async throws -> R {
        try await NIOThreadPool.singleton.runIfActive(work)
    }

    private static var noSpace: WireError {
        WireError(.unavailable, "The file could not be kept.", retryAfterMilliseconds: 1000)
    }

    private static var gone: WireError {
        WireError(.notFound, "There is no such upload on this connection.", field: "upload")
    }
}

/// Which bytes of a file have arrived: disjoint ranges in order. A client that sends in order, as
/// all do but for pipelining, keeps it at one.
struct ReceivedRanges {
    private(set) var ranges: [Range<Int>] = []

    var count: Int { ranges.reduce(0) { $0 + $1.count } }

    mutating func insert(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        var merged = range
        ranges.removeAll { other in
            guard other.upperBound >= merged.lowerBound, other.lowerBound <= merged.upperBound
            else { return false }
            merged =
                min(
                    other.lowerBound, merged.lowerBound)..<max(
                    other.upperBound, merged.upperBound)
            return true
        }
        let place = ranges.firstIndex { $0.lowerBound > merged.lowerBound } ?? ranges.endIndex
        ranges.insert(merged, at: place)
    }
}
