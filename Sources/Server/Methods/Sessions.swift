import Accounts
import Embedding
import Ingestion
import Library
import Postgres
import Retrieval
import Study
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Method {
    /// Study sessions of the caller's account. A key bound to one session sees only that one.
    static let sessions = [
        account(
            "session.create", .write, "Makes a session.",
            .repeatable([
                .string("title"), .optionalString("description", maximumBytes: 16 << 10),
                .optionalString("model"),
            ])
        ) { call, principal, result in
            let title = try call.params.string("title")
            let description = try call.params.optionalString("description", maximumBytes: 16 << 10)
            let model = try call.params.optionalString("model")
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            guard principal.boundSession == nil else { throw boundKey }
            let embedder = try embedder(named: model, call)
            let frozen = call
            try await onceInTransaction(key, call, principal, &result) { db, writer in
                let row = try await EmbeddingModelRepository.register(
                    NewEmbeddingModel(embedder.identity), on: db)
                let session = try await SessionRepository.create(
                    profileID: principal.profileID, title: title, description: description,
                    modelID: row.id, on: db)
                writer.object("session") { $0.members(of: session) }
                try await frozen.record(
                    AuditTarget(.session, session.id), session: session.id, on: db)
            }
        },
        account(
            "session.get", .read, "A session of this account.",
            [.id("session")]
        ) { call, principal, result in
            let session = try await named(&call, principal)
            result.object("session") {
                $0.members(of: session)
                if let draft = session.draftPlan, let plan = try? StudyPlan(json: draft) {
                    $0.object("plan") { $0.members(of: plan) }
                }
            }
        },
        account(
            "session.list", .read, "The sessions of this account, newest first.",
            .paged()
        ) { call, principal, result in
            let page = try ListPage<TimeCursor>(&call)
            try call.params.finish()
            let sessions = try await call.services.pool.withConnection(as: principal.asker) { db in
                guard let bound = principal.boundSession else {
                    return try await SessionRepository.list(
                        profileID: principal.profileID, limit: page.limit + 1,
                        before: page.cursor, on: db)
                }
                let session = try await SessionRepository.get(
                    id: bound, profileID: principal.profileID, on: db)
                return session.map { [$0] } ?? []
            }
            page.write("sessions", sessions, &result) {
                TimeCursor(createdAt: $0.createdAt, id: $0.id)
            } _: { writer, session in
                writer.object { $0.members(of: session) }
            }
        },
        account(
            "session.update", .write, "Moves a session on to another status.",
            [.id("session"), .choice("status", of: SessionStatus.self)]
        ) { call, principal, result in
            let status = try call.params.choice("status", of: SessionStatus.self)
            let id = try sessionID(&call, principal)
            try call.params.finish()
            let session = try await call.services.pool.withConnection(as: principal.asker) { db in
                try await SessionRepository.setStatus(
                    status, id: id, profileID: principal.profileID, on: db)
            }
            result.object("session") { $0.members(of: session) }
        },
        account(
            "session.delete", .write, "Deletes a session with everything in it.",
            [.id("session")]
        ) { call, principal, result in
            let session = try await named(&call, principal)
            var files: [UUID] = []
            // Through the ingestor, one document after another: it also stops the work on them and
            // removes their bytes. A crash in between leaves a session with fewer documents.
            repeat {
                files = try await call.services.pool.withConnection(as: principal.asker) { db in
                    try await DocumentRepository.listDocuments(
                        sessionID: session.id, limit: 100, after: nil, on: db
                    ).map(\.id)
                }
                for file in files {
                    try await call.services.ingestor.delete(
                        as: principal.asker, session: session.id, document: file)
                }
            } while !files.isEmpty
            let deleted = try await call.services.pool.withTransaction(as: principal.asker) { db in
                // A file that came meanwhile goes with the session; its bytes are swept.
                try await BlobRepository.disownAll(sessionID: session.id, on: db)
                let deleted = try await SessionRepository.delete(
                    id: session.id, profileID: principal.profileID, on: db)
                if deleted {
                    try await call.record(
                        AuditTarget(.session, session.id), session: session.id, on: db)
                }
                return deleted
            }
            call.services.searcher.snapshots?.forget(session.id)
            call.peer.close(session.id)
            result.member("deleted", deleted)
        },
        account(
            "session.open", .read, "Gives the handle that the methods on a session take.",
            [.id("session")]
        ) { call, principal, result in
            let id = try sessionID(&call, principal)
            try call.params.finish()
            let session = try await call.services.pool.withConnection(as: principal.asker) { db in
                try await SessionRepository.get(id: id, profileID: principal.profileID, on: db)
            }
            if let session {
                result.member(
                    "handle",
                    call.peer.open(session.id, model: session.modelID, for: principal))
                result.object("session") { $0.members(of: session) }
                return
            }
            let shared = try await call.services.pool.withConnection(as: .service) { db in
                try await ShareRepository.session(id, to: principal.profileID, on: db)
            }
            if let shared {
                result.member(
                    "handle",
                    call.peer.open(id, model: shared.modelID, reach: .shared, for: principal))
                result.object("session") {
                    $0.member("id", id)
                    $0.member("model", shared.modelName)
                    $0.member("shared", true)
                }
            } else {
                throw noSession
            }
        },
    ]

    /// Reads `session`, an id. What the key is not bound to does not exist for it.
    private static func sessionID(
        _ call: inout Call, _ principal: Principal
    ) throws(WireError) -> UUID {
        let id = try call.params.id("session")
        guard principal.mayOpen(id) else { throw noSession }
        return id
    }

    private static func named(
        _ call: inout Call, _ principal: Principal
    ) async throws -> StudySession {
        let id = try sessionID(&call, principal)
        try call.params.finish()
        let session = try await call.services.pool.withConnection(as: principal.asker) { db in
            try await SessionRepository.get(id: id, profileID: principal.profileID, on: db)
        }
        guard let session else { throw noSession }
        return session
    }

    static func embedder(
        named name: String?, _ call: Call
    ) throws(WireError) -> any Embedder {
        guard let name else { return call.services.embedders.default }
        guard let embedder = call.services.embedders.embedder(named: name) else {
            let names = call.services.embedders.all.map(\.identity.name)
            throw .invalid("model", expected: names.joined(separator: " or "), got: name)
        }
        return embedder
    }

    private static var noSession: WireError {
        WireError(.notFound, "This account has no such session.", field: "session")
    }

    private static var boundKey: WireError {
        WireError(.forbidden, "This API key belongs to one session and cannot make another.")
    }
}

extension JSONWriter {
    mutating func members(of session: StudySession) {
        member("id", session.id)
        member("title", session.title)
        optional("description", session.description)
        member("status", session.status.rawValue)
        member("model", session.modelName)
        member("revision", session.revision)
        member("chunkCount", session.chunkCount)
        member("createdAt", session.createdAt)
        member("updatedAt", session.updatedAt)
    }

    /// A string, or null.
    mutating func optional(_ name: StaticString, _ string: String?) {
        if let string { member(name, string) } else { null(name) }
    }
}
