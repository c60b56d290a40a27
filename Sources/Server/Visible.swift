// What of an open session its holder sees: everything, or the documents that are shared to him.
//
// A recipient's documents are read from the database for every request, so a share that was revoked or has
// expired, a member who left a group, an owner who was deactivated: all have effect on the next one.

import Accounts
import Library
import Postgres
import Retrieval
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How a session was opened.
enum Reach: Sendable, Equatable {
    /// By its owner.
    case whole
    /// By somebody to whom documents of it are shared.
    case shared
}

extension Method {
    /// What a recipient may call on a session. Every other method refuses him before it runs; one that
    /// stands here asks `visible` before it answers.
    static let forRecipients: Set = [
        "search", "search.batch", "search.explain", "document.get", "document.list",
        "document.text", "page.list", "section.list", "chunk.get", "chunk.list", "chunk.neighbors",
    ]

    /// What the holder of the session may see now.
    ///
    /// - Throws: `session_closed` when nothing of it is shared to him any more.
    static func visible(in session: OpenSession, _ call: Call) async throws -> Visibility {
        guard session.reach == .shared else { return .everything }
        // As the service: sessions, groups and accounts of others have a say in it.
        let documents = try await call.services.pool.withConnection(as: .service) { db in
            try await ShareRepository.visibleDocuments(
                sessionID: session.id, to: session.principal.profileID,
                credential: session.principal.credential.id, on: db)
        }
        guard !documents.isEmpty else { throw WireError.sessionGone }
        return .documents(Set(documents))
    }

    /// A search as its asker may make it.
    static func limited(
        _ request: SearchRequest, _ session: OpenSession, _ call: Call
    ) async throws -> SearchRequest {
        limited(request, to: try await visible(in: session, call))
    }

    /// The same, once it is known what may be seen. A recipient knows no topics: whichever he names, nothing is
    /// about it.
    static func limited(_ request: SearchRequest, to visibility: Visibility) -> SearchRequest {
        var request = request
        request.visibility = visibility
        if visibility != .everything, request.filter.topics != nil { request.filter.topics = [] }
        return request
    }

    /// Documents of a session, or those about a topic, a page of those that may be seen. A recipient
    /// knows no topics.
    static func visibleDocuments(
        in session: OpenSession, about topic: UUID?, _ page: ListPage<TimeCursor>, _ call: Call
    ) async throws -> [Document] {
        let visible = try await visible(in: session, call)
        return try await call.services.pool.withConnection(as: session.asker) { db in
            switch (visible, topic) {
            case (.everything, nil):
                try await DocumentRepository.listDocuments(
                    sessionID: session.id, limit: page.limit + 1, after: page.cursor, on: db)
            case (.everything, let topic?):
                try await DocumentRepository.listDocuments(
                    sessionID: session.id, topicID: topic, limit: page.limit + 1,
                    after: page.cursor, on: db)
            case (.documents, _?): []
            case (.documents(let ids), nil):
                try await DocumentRepository.listDocuments(
                    sessionID: session.id, among: Array(ids), limit: page.limit + 1,
                    after: page.cursor, on: db)
            }
        }
    }

    /// Chunks of a session in the order of their documents, a page of those that may be seen.
    static func visibleChunks(
        in session: OpenSession, of type: ChunkType?, _ page: ListPage<ChunkCursor>, _ call: Call
    ) async throws -> [Chunk] {
        let visible = try await visible(in: session, call)
        return try await call.services.pool.withConnection(as: session.asker) { db in
            guard case .documents(let ids) = visible else {
                return try await ChunkRepository.list(
                    sessionID: session.id, type: type, limit: page.limit + 1, after: page.cursor,
                    on: db)
            }
            var chunks: [Chunk] = []
            // By id, as in the other order: UUIDs compare as their text does.
            for id in ids.sorted(by: { $0.uuidString < $1.uuidString })
            where chunks.count <= page.limit {
                if let cursor = page.cursor, id.uuidString < cursor.documentID.uuidString {
                    continue
                }
                chunks += try await ChunkRepository.list(
                    sessionID: session.id, documentID: id, type: type,
                    limit: page.limit + 1 - chunks.count,
                    after: page.cursor?.documentID == id ? page.cursor : nil, on: db)
            }
            return chunks
        }
    }
}
