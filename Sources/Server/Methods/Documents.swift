import Accounts
import Ingestion
import Library
import Postgres
import Retrieval
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Method {
    /// The documents of an open session.
    static let documents = [
        session(
            "document.ingest", .write, "Takes a text as a document and starts its ingestion.",
            .repeatable([
                .string("fileName", maximumBytes: 255),
                .string("text", maximumBytes: Limits.standard.lineBytes),
                .optionalString("description", maximumBytes: 4096),
            ])
        ) { call, session, result in
            let fileName = try call.params.string("fileName", maximumBytes: 255)
            let text = try call.params.string("text", maximumBytes: call.limits.lineBytes)
            let description = try call.params.optionalString("description", maximumBytes: 4096)
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            try await requireSession(session, call)
            let frozen = call
            try await once(key, frozen, session.principal, &result) { writer in
                let (document, job) = try await frozen.services.ingestor.submit(
                    as: session.asker, session: session.id, fileName: fileName,
                    bytes: Array(text.utf8),
                    description: description, lastly: frozen.recordDocument)
                writer.object("document") { $0.members(of: document) }
                writer.object("job") { $0.members(of: job) }
            }
        },
        session(
            "document.get", .read, "A document, without its text.",
            [.id("document")]
        ) { call, session, result in
            let document = try await namedDocument(&call, session)
            result.object("document") { $0.members(of: document) }
        },
        session(
            "document.list", .read,
            "The documents of the session, or those about a topic, newest first.",
            .paged([.optionalID("topic")])
        ) { call, session, result in
            let topic = try call.params.optionalID("topic")
            let page = try ListPage<TimeCursor>(&call)
            try call.params.finish()
            try await requireSession(session, call)
            let documents = try await visibleDocuments(in: session, about: topic, page, call)
            page.write("documents", documents, &result) {
                TimeCursor(createdAt: $0.createdAt, id: $0.id)
            } _: { writer, document in
                writer.object { $0.members(of: document) }
            }
        },
        session(
            "document.delete", .write, "Deletes a document with everything made of it.",
            [.id("document")]
        ) { call, session, result in
            let id = try call.params.id("document")
            try call.params.finish()
            try await requireSession(session, call)
            let deleted = try await call.services.ingestor.delete(
                as: session.asker, session: session.id, document: id, lastly: call.recordDocument)
            guard deleted else { throw noDocument }
            result.member("deleted", true)
        },
        session(
            "document.retry", .write, "Starts the ingestion of a failed document again.",
            [.id("document")]
        ) { call, session, result in
            let id = try call.params.id("document")
            try call.params.finish()
            try await requireSession(session, call)
            let (document, job) = try await call.services.ingestor.retry(
                as: session.asker, session: session.id, document: id)
            result.object("document") { $0.members(of: document) }
            result.object("job") { $0.members(of: job) }
        },
        session(
            "document.text", .read, "The text of a document, or the stretch between two offsets.",
            [
                .id("document"), .optionalInteger("start", in: 0...Int(Int32.max)),
                .optionalInteger("end", in: 0...Int(Int32.max)),
            ]
        ) { call, session, result in
            let id = try call.params.id("document")
            let start = try call.params.optionalInteger("start", in: 0...Int(Int32.max)) ?? 0
            let end = try call.params.optionalInteger("end", in: 0...Int(Int32.max))
            try call.params.finish()
            if let end, end < start {
                throw WireError.invalid("end", expected: "at least `start`", got: "\(end)")
            }
            guard try await visible(in: session, call).shows(id) else { throw noDocument }
            let text = try await call.services.pool.withConnection(as: session.asker) { db in
                try await DocumentRepository.text(
                    sessionID: session.id, id: id, start: start, end: end, on: db)
            }
            guard let text else { throw noDocument }
            result.member("text", text.text)
            result.member("start", text.start)
            result.member("end", text.end)
            result.member("length", text.length)
        },
    ]

    /// Reads `document` and finds it in the session.
    static func namedDocument(
        _ call: inout Call, _ session: OpenSession
    ) async throws -> Document {
        let id = try call.params.id("document")
        try call.params.finish()
        return try await document(id, in: session, call)
    }

    static func document(
        _ id: UUID, in session: OpenSession, _ call: Call
    ) async throws -> Document {
        guard try await visible(in: session, call).shows(id) else { throw noDocument }
        let document = try await call.services.pool.withConnection(as: session.asker) { db in
            try await DocumentRepository.getById(sessionID: session.id, id: id, on: db)
        }
        guard let document else { throw noDocument }
        return document
    }

    /// Refuses when the session was deleted since its handle was made, or is another's.
    ///
    /// One primary-key read, for the methods that would otherwise answer as if it were empty.
    static func requireSession(_ session: OpenSession, _ call: Call) async throws {
        guard session.reach == .whole else {
            _ = try await visible(in: session, call)
            return
        }
        let found = try await call.services.pool.withConnection(as: session.asker) { db in
            try await SessionRepository.revision(ids: [session.id], on: db)[session.id]
        }
        guard found?.profileID == session.principal.profileID else {
            throw WireError.sessionGone
        }
    }

    static var noDocument: WireError {
        WireError(.notFound, "The session has no such document.", field: "document")
    }
}

extension JSONWriter {
    mutating func members(of document: Document) {
        member("id", document.id)
        member("fileName", document.fileName)
        member("fileType", document.fileType)
        member("status", document.status.rawValue)
        document.errorMessage.map { member("error", $0) }
        if let count = document.pageCount {
            member("pageCount", count)
        } else {
            null("pageCount")
        }
        member("bytes", document.fileSizeBytes)
        member("sha256", document.fileHash)
        document.fileDescription.map { member("description", $0) }
        document.sourceURI.map { member("source", $0) }
        document.folderID.map { member("folder", $0) }
        member("createdAt", document.createdAt)
        document.processedAt.map { member("processedAt", $0) }
    }
}
