import Accounts
import Library
import Postgres
import Retrieval
import Wire

extension Method {
    /// What documents consist of: pages, sections, chunks.
    static let parts = [
        session(
            "page.list", .read, "The pages of a document, in order.",
            .paged([.id("document")])
        ) { call, session, result in
            let page = try ListPage<Int>(&call)
            let document = try await namedDocument(&call, session)
            let pages = try await call.services.pool.withConnection(as: session.asker) { db in
                try await PageRepository.list(
                    sessionID: session.id, documentID: document.id, limit: page.limit + 1,
                    after: page.cursor ?? 0, on: db)
            }
            page.write("pages", pages, &result) {
                $0.number
            } _: { writer, page in
                writer.object {
                    $0.member("id", page.id)
                    $0.member("number", page.number)
                    $0.member("span", pair: page.start, page.end)
                }
            }
        },
        session(
            "section.list", .read, "The sections of a document, in order.",
            .paged([.id("document")])
        ) { call, session, result in
            let page = try ListPage<SectionCursor>(&call)
            let document = try await namedDocument(&call, session)
            let sections = try await call.services.pool.withConnection(as: session.asker) { db in
                try await SectionRepository.list(
                    sessionID: session.id, documentID: document.id, limit: page.limit + 1,
                    after: page.cursor, on: db)
            }
            page.write("sections", sections, &result) {
                SectionCursor(pageNumber: $0.pageNumber, index: $0.index)
            } _: { writer, section in
                writer.object { $0.members(of: section) }
            }
        },
        session(
            "chunk.list", .read, "The chunks of a document, or of all, in reading order.",
            .paged([
                .optionalID("document"), .optionalChoice("type", of: ChunkType.self),
            ])
        ) { call, session, result in
            let page = try ListPage<ChunkCursor>(&call)
            let document = try call.params.optionalID("document")
            let type = try call.params.optionalChoice("type", of: ChunkType.self)
            try call.params.finish()
            if let document {
                _ = try await Method.document(document, in: session, call)
            } else {
                try await requireSession(session, call)
            }
            let chunks =
                if let document {
                    try await call.services.pool.withConnection(as: session.asker) { db in
                        try await ChunkRepository.list(
                            sessionID: session.id, documentID: document, type: type,
                            limit: page.limit + 1, after: page.cursor, on: db)
                    }
                } else {
                    try await visibleChunks(in: session, of: type, page, call)
                }
            page.write("chunks", chunks, &result) {
                ChunkCursor(documentID: $0.documentID, index: $0.index, id: $0.id)
            } _: { writer, chunk in
                writer.object { $0.members(of: chunk, for: session.reach) }
            }
        },
        session(
            "chunk.get", .read, "A chunk, with its vector if asked.",
            [.id("chunk"), .optionalFlag("vector")]
        ) { call, session, result in
            let id = try call.params.id("chunk")
            let withVector = try call.params.optionalFlag("vector") ?? false
            try call.params.finish()
            let (chunk, vector) = try await call.services.pool.withConnection(as: session.asker) {
                db in
                let chunk = try await ChunkRepository.get(sessionID: session.id, id: id, on: db)
                guard withVector, chunk != nil else { return (chunk, [Float]?.none) }
                return (
                    chunk,
                    try await ChunkRepository.embedding(sessionID: session.id, id: id, on: db)?
                        .vector
                )
            }
            guard let chunk, try await visible(in: session, call).shows(chunk.documentID) else {
                throw WireError(.notFound, "The session has no such chunk.", field: "chunk")
            }
            result.object("chunk") {
                $0.members(of: chunk, for: session.reach)
                if let vector { $0.member("vectorB64", Vector.encode(vector)) }
            }
        },
    ]
}

extension JSONWriter {
    fileprivate mutating func members(of section: Section) {
        member("id", section.id)
        member("page", section.pageNumber)
        member("index", section.index)
        optional("heading", section.heading)
        member("headingPath", section.headingPath)
        member("span", pair: section.start, section.end)
    }

    /// A recipient knows no topics.
    fileprivate mutating func members(of chunk: Chunk, for reach: Reach) {
        member("id", chunk.id)
        member("document", chunk.documentID)
        member("section", chunk.sectionID)
        if let parent = chunk.parentID { member("parent", parent) } else { null("parent") }
        member("type", chunk.type.rawValue)
        member("index", chunk.index)
        member("text", chunk.text)
        member("span", pair: chunk.start, chunk.end)
        member("pages", pair: chunk.pageFrom, chunk.pageTo)
        member("tokenCount", chunk.tokenCount)
        member("topics", reach == .whole ? chunk.topicIDs : [])
    }
}
