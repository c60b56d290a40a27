import Accounts
import Library
import Postgres
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Method {
    /// The tree of folders of an open session.
    static let folders = [
        session(
            "folder.create", .write, "Makes a folder.",
            .repeatable([.string("name", maximumBytes: 255), .optionalID("parent")])
        ) { call, session, result in
            let name = try call.params.string("name", maximumBytes: 255)
            let parent = try call.params.optionalID("parent")
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            try await requireSession(session, call)
            try await onceInTransaction(key, call, session.principal, &result) { db, writer in
                let folder = try await FolderRepository.create(
                    sessionID: session.id, name: name, parentID: parent, on: db)
                writer.object("folder") { $0.members(of: folder) }
            }
        },
        session(
            "folder.list", .read, "The folders of the session, each with the one it is in.",
            .paged()
        ) { call, session, result in
            let page = try ListPage<UUID>(&call)
            try call.params.finish()
            try await requireSession(session, call)
            let folders = try await call.services.pool.withConnection(as: session.asker) { db in
                try await FolderRepository.list(
                    sessionID: session.id, limit: page.limit + 1, after: page.cursor, on: db)
            }
            page.write("folders", folders, &result) {
                $0.id
            } _: { writer, folder in
                writer.object { $0.members(of: folder) }
            }
        },
        session(
            "folder.move", .write, "Puts a folder into another, or to the root without one.",
            [.id("folder"), .optionalID("parent")]
        ) { call, session, result in
            let id = try call.params.id("folder")
            let parent = try call.params.optionalID("parent")
            try await change(&call, session, &result) { db in
                try await FolderRepository.move(
                    sessionID: session.id, id: id, to: parent, on: db)
            }
        },
        session(
            "folder.rename", .write, "Gives a folder another name.",
            [.id("folder"), .string("name", maximumBytes: 255)]
        ) { call, session, result in
            let id = try call.params.id("folder")
            let name = try call.params.string("name", maximumBytes: 255)
            try await change(&call, session, &result) { db in
                try await FolderRepository.rename(
                    sessionID: session.id, id: id, to: name, on: db)
            }
        },
        session(
            "folder.delete", .write,
            "Deletes a folder and those in it; their documents stay, in no folder.",
            [.id("folder")]
        ) { call, session, result in
            let id = try call.params.id("folder")
            try call.params.finish()
            try await requireSession(session, call)
            let deleted = try await call.services.pool.withConnection(as: session.asker) { db in
                try await FolderRepository.delete(sessionID: session.id, id: id, on: db)
            }
            guard deleted else { throw noFolder }
            result.member("deleted", true)
        },
        session(
            "document.move", .write, "Puts a document into a folder, or to the root without one.",
            [.id("document"), .optionalID("folder")]
        ) { call, session, result in
            let id = try call.params.id("document")
            let folder = try call.params.optionalID("folder")
            try call.params.finish()
            try await requireSession(session, call)
            let document = try await call.services.pool.withConnection(as: session.asker) { db in
                try await DocumentRepository.move(
                    sessionID: session.id, id: id, to: folder, on: db)
            }
            guard let document else { throw noDocument }
            result.object("document") { $0.members(of: document) }
        },
    ]

    private static func change(
        _ call: inout Call, _ session: OpenSession, _ result: inout JSONWriter,
        _ work: (Connection) async throws -> Folder
    ) async throws {
        try call.params.finish()
        try await requireSession(session, call)
        let folder = try await call.services.pool.withConnection(as: session.asker) {
            try await work($0)
        }
        result.object("folder") { $0.members(of: folder) }
    }

    private static var noFolder: WireError {
        WireError(.notFound, "The session has no such folder.", field: "folder")
    }
}

extension JSONWriter {
    fileprivate mutating func members(of folder: Folder) {
        member("id", folder.id)
        member("name", folder.name)
        if let parent = folder.parentID { member("parent", parent) } else { null("parent") }
        member("createdAt", folder.createdAt)
    }
}
