// The session a benchmark searches: made and filled once, found again by its title.

internal import Foundation

/// A session whose chunks are the first rows of a source (``Passage``).
public struct StudySession: Sendable {
    /// The most that one call takes.
    private static let batch = 256

    /// What was stored to fill it.
    public struct Filling: Sendable, Codable {
        /// Chunks stored now; 0 when all were there.
        public let chunks: Int
        /// How long that took.
        public let seconds: Double
    }

    /// The session's id.
    public let id: String
    /// How many chunks it holds.
    public let size: Int
    /// What this run had to store.
    public let filling: Filling

    /// Finds the session or makes it, and stores what is missing.
    ///
    /// Each call's chunks are a document of their own, so that a fill cut short goes on.
    ///
    /// - Parameters:
    ///   - size: how many chunks it shall hold.
    ///   - source: their vectors.
    ///   - server: where to.
    ///   - number: tells apart several sessions of one size.
    ///   - progress: told how many are stored, now and then.
    /// - Throws: the server's refusal.
    public init(
        _ size: Int, of source: VectorSource, on server: ServerConnection, number: Int = 0,
        progress: (_ stored: Int) -> Void
    ) throws(WorkloadError) {
        guard size <= source.rows else {
            throw WorkloadError("\(source.name) has \(source.rows) rows, not \(size)")
        }
        let title = "bench \(source.name), \(size) chunks" + (number == 0 ? "" : ", \(number)")
        let found = try Self.find(title, on: server)
        id = if let found { found } else { try Self.make(title, on: server) }
        self.size = size
        let handle = try server.open(id)
        let present = try Self.documents(in: handle, on: server)
        try server.makeRoom(forBytes: size * Passage.mostBytes)
        let started = ContinuousClock.now
        var stored = 0
        for start in stride(from: 0, to: size, by: Self.batch) {
            let rows = start..<min(start + Self.batch, size)
            let document = "rows \(rows.lowerBound + 1) to \(rows.upperBound)"
            guard !present.contains(document) else { continue }
            try server.store(rows, of: source, as: document, in: handle, session: number)
            stored += rows.count
            progress(stored)
        }
        filling = Filling(
            chunks: stored, seconds: stored == 0 ? 0 : started.duration(to: .now) / .seconds(1))
    }

    private struct Listed: Decodable {
        struct Item: Decodable {
            let id: String
            let title: String?
            let fileName: String?
        }
        let sessions: [Item]?
        let documents: [Item]?
        let next: String?
    }

    private struct Page: Encodable {
        var session: String?
        var limit = 500
        var cursor: String?
    }

    private static func all(
        _ method: String, _ page: Page, on server: ServerConnection
    ) throws(WorkloadError) -> [Listed.Item] {
        var page = page
        var items: [Listed.Item] = []
        repeat {
            let listed: Listed = try server.call(method, page)
            items += (listed.sessions ?? []) + (listed.documents ?? [])
            page.cursor = listed.next
        } while page.cursor != nil
        return items
    }

    private static func find(
        _ title: String, on server: ServerConnection
    ) throws(WorkloadError) -> String? {
        try all("session.list", Page(), on: server).first { $0.title == title }?.id
    }

    private static func make(
        _ title: String, on server: ServerConnection
    ) throws(WorkloadError) -> String {
        struct Made: Decodable {
            struct Session: Decodable { let id: String }
            let session: Session
        }
        return try server.call("session.create", ["title": title], as: Made.self).session.id
    }

    private static func documents(
        in handle: String, on server: ServerConnection
    ) throws(WorkloadError) -> Set<String> {
        Set(try all("document.list", Page(session: handle), on: server).compactMap(\.fileName))
    }
}

extension ServerConnection {
    /// Opens a session.
    ///
    /// - Parameter session: its id.
    /// - Returns: the handle, which only this connection may use.
    /// - Throws: the server's refusal.
    public func open(_ session: String) throws(WorkloadError) -> String {
        struct Opened: Decodable { let handle: String }
        return try call("session.open", ["session": session], as: Opened.self).handle
    }

    /// Stores rows of a source as one document.
    ///
    /// - Parameters:
    ///   - rows: which, at most 256.
    ///   - source: where their vectors are.
    ///   - document: its name.
    ///   - handle: the open session.
    ///   - number: as the ids were made, see ``Passage/id(_:session:)``.
    /// - Throws: the server's refusal.
    public func store(
        _ rows: Range<Int>, of source: VectorSource, as document: String, in handle: String,
        session number: Int = 0
    ) throws(WorkloadError) {
        struct Chunk: Encodable {
            let id: String
            let text: String
            let vectorB64: String
        }
        struct Import: Encodable {
            let session: String
            let document: String
            let chunks: [Chunk]
        }
        var chunks: [Chunk] = []
        for row in rows {
            let vector = try source.vector(row)
            chunks.append(
                Chunk(
                    id: Passage.id(row, session: number).uuidString.lowercased(),
                    text: Passage.text(row),
                    vectorB64: unsafe vector.withUnsafeBytes {
                        unsafe Data($0).base64EncodedString()
                    }))
        }
        let _: Nothing = try call(
            "chunk.import", Import(session: handle, document: document, chunks: chunks))
    }
}
