// The protocol's methods, as the commands say them.

import CarrelClient
import Foundation

extension Remote {
    // MARK: Sessions

    func createSession(
        title: String, description: String? = nil, model: String? = nil
    ) async throws -> SessionShape {
        struct Parameters: Encodable {
            let title: String
            let description: String?
            let model: String?
        }
        struct Answer: Decodable { let session: SessionShape }
        let answer: Answer = try await call(
            "session.create", Parameters(title: title, description: description, model: model))
        return answer.session
    }

    /// All sessions of the account, page after page.
    func sessions() async throws -> [SessionShape] {
        struct Answer: Page {
            let sessions: [SessionShape]
            let next: String?
            var items: [SessionShape] { sessions }
        }
        return try await everything("session.list", PageParameters(), as: Answer.self)
    }

    /// The session with that id or that title.
    ///
    /// - Throws: `Failure` when there is none, or several of that title.
    func session(named name: String) async throws -> SessionShape {
        if let id = UUID(uuidString: name) {
            struct Answer: Decodable { let session: SessionShape }
            let answer: Answer = try await call(
                "session.get", ["session": id.uuidString.lowercased()])
            return answer.session
        }
        let found = try await sessions().filter { $0.title == name }
        guard let session = found.first else {
            throw Failure("there is no session \"\(name)\"; see `carrel session list`")
        }
        guard found.count == 1 else {
            let ids = found.map { $0.id.uuidString.lowercased() }.joined(separator: ", ")
            throw Failure("\(found.count) sessions are called \"\(name)\"; name one by id: \(ids)")
        }
        return session
    }

    /// The session of that title, made if there is none.
    func session(titled title: String) async throws -> SessionShape {
        if try await sessions().contains(where: { $0.title == title }) {
            return try await session(named: title)
        }
        return try await createSession(title: title)
    }

    /// A handle, without which no session can be searched or filled.
    func open(_ session: UUID) async throws -> String {
        struct Answer: Decodable { let handle: String }
        let answer: Answer = try await call(
            "session.open", ["session": session.uuidString.lowercased()])
        return answer.handle
    }

    /// The same for an id or a title. An id may be of a session of which something is shared to this
    /// account.
    func open(named name: String) async throws -> String {
        if let id = UUID(uuidString: name) { return try await open(id) }
        return try await open(try await session(named: name).id)
    }

    func deleteSession(_ session: UUID) async throws {
        struct Nothing: Decodable {}
        let _: Nothing = try await call(
            "session.delete", ["session": session.uuidString.lowercased()])
    }

    // MARK: Documents

    func documents(in session: String) async throws -> [DocumentShape] {
        struct Answer: Page {
            let documents: [DocumentShape]
            let next: String?
            var items: [DocumentShape] { documents }
        }
        return try await everything(
            "document.list", PageParameters(session: session), as: Answer.self)
    }

    func document(_ id: UUID?, in session: String) async throws -> DocumentShape? {
        guard let id else { return nil }
        struct Answer: Decodable { let document: DocumentShape }
        let answer: Answer = try await call(
            "document.get", ["session": session, "document": id.uuidString.lowercased()])
        return answer.document
    }

    /// Starts the ingestion of a document that failed again.
    func retry(_ document: UUID, in session: String) async throws -> JobShape {
        struct Answer: Decodable { let job: JobShape }
        let answer: Answer = try await call(
            "document.retry", ["session": session, "document": document.uuidString.lowercased()])
        return answer.job
    }

    /// How many sections a document was divided into.
    func sectionCount(of document: UUID, in session: String) async throws -> Int {
        struct Section: Decodable { let id: UUID }
        struct Answer: Page {
            let sections: [Section]
            let next: String?
            var items: [Section] { sections }
        }
        return try await everything(
            "section.list",
            PageParameters(session: session, document: document.uuidString.lowercased()),
            as: Answer.self
        ).count
    }

    /// Sends a file in pieces and starts its ingestion.
    func upload(_ bytes: Data, fileName: String, to session: String) async throws -> JobShape {
        struct Begin: Encodable {
            let session: String
            let fileName: String
            let bytes: Int
        }
        struct Begun: Decodable {
            let upload: String
            let chunkBytes: Int
        }
        struct Piece: Encodable {
            let upload: String
            let offset: Int
            let dataB64: String
        }
        struct Received: Decodable { let received: Int }
        struct Committed: Decodable { let job: JobShape }

        let begun: Begun = try await call(
            "document.upload.begin",
            Begin(session: session, fileName: fileName, bytes: bytes.count))
        for offset in stride(from: 0, to: bytes.count, by: begun.chunkBytes) {
            let end = min(offset + begun.chunkBytes, bytes.count)
            let piece = Piece(
                upload: begun.upload, offset: offset,
                dataB64: bytes[offset..<end].base64EncodedString())
            let _: Received = try await call("document.upload.chunk", piece)
        }
        let committed: Committed = try await call(
            "document.upload.commit", ["upload": begun.upload])
        return committed.job
    }

    // MARK: Jobs, searches, imports

    /// Waits for a job to end, telling each step to `observe`.
    func follow(_ job: JobShape, _ observe: (JobProgress) -> Void) async throws -> JobShape {
        struct Answer: Decodable { let job: JobShape }
        for await step in try await client.progress(of: job.id.uuidString.lowercased()) {
            observe(step)
        }
        let ended: Answer = try await call("job.get", ["job": job.id.uuidString.lowercased()])
        return ended.job
    }

    func search(_ parameters: SearchParameters) async throws -> SearchShape {
        try await call("search", parameters)
    }

    /// What is imported: a text, with the vector it already has or for the server to embed.
    struct ImportedPassage: Encodable, Sendable {
        var id: String?
        var text: String
        var vectorB64: String?
        var dtype: String?
    }

    /// Adds up to 256 passages to a document, and answers with their chunk ids in order.
    func importChunks(
        _ chunks: [ImportedPassage], into document: String, session: String
    ) async throws -> [UUID] {
        struct Parameters: Encodable {
            let session: String
            let document: String
            let chunks: [ImportedPassage]
        }
        struct Answer: Decodable { let chunks: [UUID] }
        let answer: Answer = try await call(
            "chunk.import", Parameters(session: session, document: document, chunks: chunks))
        return answer.chunks
    }

    // MARK: Lists

    protocol Page: Decodable {
        associatedtype Item
        var items: [Item] { get }
        var next: String? { get }
    }

    struct PageParameters: Encodable {
        var session: String?
        var document: String?
        var chat: String?
        var limit = 500
        var cursor: String?
    }

    func everything<P: Page>(
        _ method: String, _ parameters: PageParameters, as: P.Type
    ) async throws -> [P.Item] {
        var parameters = parameters
        var items: [P.Item] = []
        repeat {
            let page: P = try await call(method, parameters)
            items += page.items
            parameters.cursor = page.next
        } while parameters.cursor != nil
        return items
    }
}

extension Remote {
    func status() async throws -> StatusShape {
        struct Nothing: Encodable {}
        return try await call("server.status", Nothing())
    }
}
