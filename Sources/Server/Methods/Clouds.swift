import Accounts
import Clouds
import Ingestion
import Library
import Postgres
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Method {
    /// Clouds of the account's own. What was given to reach them is never given back.
    static let clouds = [
        account(
            "cloud.connect", .write,
            "Keeps the way to a cloud, after trying it: S3, GCS by an HMAC key, or a folder of the web.",
            .repeatable(
                [
                    .choice("provider", of: CloudProvider.self), .string("name", maximumBytes: 255),
                ] + CloudAccess.parameters)
        ) { call, principal, result in
            let provider = try call.params.choice("provider", of: CloudProvider.self)
            let name = try call.params.string("name", maximumBytes: 255)
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            let access = try CloudAccess(provider, &call.params)
            try requireWholeAccount(principal)
            guard !name.isEmpty else {
                throw WireError.invalid("name", expected: "1 to 255 bytes", got: "none")
            }
            let vault = call.services.clouds
            try await vault.probe(access)
            let frozen = call
            try await onceInTransaction(key, call, principal, &result) { db, writer in
                let connection = try await vault.connect(
                    access, name: name, profileID: principal.profileID, on: db)
                writer.object("connection") { $0.members(of: connection, at: access.place) }
                try await frozen.record(
                    AuditTarget(.cloudConnection, connection.id),
                    ["provider": provider.rawValue], on: db)
            }
        },
        account(
            "cloud.list", .read, "The clouds of this account, by name.",
            .paged()
        ) { call, principal, result in
            let page = try ListPage<String>(&call)
            try call.params.finish()
            try requireWholeAccount(principal)
            let connections = try await call.services.pool.withConnection(as: principal.asker) {
                db in
                try await CloudConnectionRepository.list(
                    profileID: principal.profileID, limit: page.limit + 1, after: page.cursor,
                    on: db)
            }
            let vault = call.services.clouds
            page.write("connections", connections, &result) {
                $0.name
            } _: { writer, connection in
                // Without its master key there is still something to disconnect.
                let place = try? vault.place(of: connection)
                writer.object { $0.members(of: connection, at: place) }
            }
        },
        account(
            "cloud.objects", .read,
            "What a cloud holds, by name, beginning with `prefix`. A folder of the web cannot tell.",
            .paged([.id("connection"), .optionalString("prefix")])
        ) { call, principal, result in
            let page = try ListPage<String>(&call)
            let id = try call.params.id("connection")
            let prefix = try call.params.optionalString("prefix") ?? ""
            try call.params.finish()
            try requireWholeAccount(principal)
            let listing = try await call.services.clouds.ask(
                id, of: principal.profileID, call.services.pool
            ) { source in
                try await source.list(prefix: prefix, after: page.cursor, limit: page.limit)
            }
            result.array("objects", of: listing.objects) { writer, object in
                writer.object {
                    $0.member("name", object.key)
                    $0.member("bytes", object.size)
                }
            }
            listing.next.map { page.write(next: $0, &result) }
        },
        session(
            "cloud.import", .write,
            "Makes documents of a cloud's objects: those named, or all whose names begin with `prefix`.",
            .repeatable([
                .id("connection"),
                .optionalStrings("objects", maximumCount: CloudImport.objectLimit),
                .optionalString("prefix"),
            ])
        ) { call, session, result in
            let id = try call.params.id("connection")
            let objects = try call.params.optionalStrings(
                "objects", maximumCount: CloudImport.objectLimit)
            let prefix = try call.params.optionalString("prefix")
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            let principal = session.principal
            try requireWholeAccount(principal)
            guard (objects == nil) != (prefix == nil), objects?.isEmpty != true else {
                throw WireError.invalid(
                    "objects", expected: "names, or else a `prefix`", got: "both or neither")
            }
            try await requireSession(session, call)
            let order = CloudImport(
                connection: id, profile: principal.profileID, objects: objects, prefix: prefix ?? ""
            )
            let frozen = call
            try await onceInTransaction(key, call, principal, &result) { db, writer in
                let connection = try await CloudConnectionRepository.get(
                    id: id, profileID: principal.profileID, on: db)
                guard let connection else { throw noConnection }
                if connection.provider == .http, objects == nil {
                    throw WireError.invalid(
                        "prefix", expected: "`objects`: a folder of the web has no listing",
                        got: "a prefix")
                }
                let job = try await Ingestor.enqueue(order, session: session.id, on: db)
                writer.object("job") { $0.members(of: job) }
                try await frozen.record(
                    AuditTarget(.cloudConnection, id), session: session.id, on: db)
            }
            call.services.ingestor.cloudImportEnqueued()
        },
        account(
            "cloud.disconnect", .write,
            "Forgets a cloud. What was imported stays; imports under way end.",
            [.id("connection")]
        ) { call, principal, result in
            let id = try call.params.id("connection")
            try call.params.finish()
            try requireWholeAccount(principal)
            let frozen = call
            try await call.services.pool.withTransaction(as: principal.asker) { db in
                guard
                    try await CloudConnectionRepository.delete(
                        id: id, profileID: principal.profileID, on: db)
                else { throw noConnection }
                try await frozen.record(AuditTarget(.cloudConnection, id), on: db)
            }
            result.member("disconnected", true)
        },
    ]

    /// Clouds are the account's; a key of one session has nothing to do with them.
    private static func requireWholeAccount(_ principal: Principal) throws(WireError) {
        guard principal.boundSession == nil else {
            throw WireError(
                .forbidden, "This API key belongs to one session, clouds to the account.")
        }
    }

    private static var noConnection: WireError {
        WireError(
            .notFound, "This account has no such cloud connection.", field: "connection")
    }
}

extension JSONWriter {
    fileprivate mutating func members(of connection: CloudConnection, at place: String?) {
        member("id", connection.id)
        member("provider", connection.provider.rawValue)
        member("name", connection.name)
        place.map { member("place", $0) }
        member("status", connection.status.rawValue)
        connection.lastUsedAt.map { member("lastUsedAt", $0) }
        member("createdAt", connection.createdAt)
    }
}
