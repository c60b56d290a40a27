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
    /// Keys of the caller's account, for programs. They are managed by a login, or with a key that has
    /// the scope `admin`.
    static let keys = [
        account(
            "apikey.create", .write, "Makes a key; its secret is shown this once.",
            [
                .string("name", maximumBytes: 128), .choices("scopes", of: Scope.self),
                .optionalID("session"), .optionalDate("expiresAt"),
            ]
        ) { call, principal, result in
            let name = try call.params.string("name", maximumBytes: 128)
            let scopes = try call.params.optionalChoices("scopes", of: Scope.self)
            let session = try call.params.optionalID("session")
            let end = try call.params.optionalDate("expiresAt")
            guard let scopes, !scopes.isEmpty else { throw WireError.missing("scopes") }
            try call.params.finish()
            try principal.requireOwner()
            if let end, end <= Date() {
                throw WireError.invalid("expiresAt", expected: "a time to come")
            }
            let visit = call.visit
            let created = try await call.services.pool.withTransaction(as: principal.asker) { db in
                if let session {
                    let known = try await SessionRepository.get(
                        id: session, profileID: principal.profileID, on: db)
                    guard known != nil else { throw noSession }
                }
                let created = try await KeyService.create(
                    profileID: principal.profileID, name: name, scopes: Set(scopes),
                    sessionID: session, expiresAt: end, on: db)
                try await visit.record(
                    by: principal.profileID, AuditTarget(.apiKey, created.key.id),
                    session: session, ["scopes": created.key.scopes.joined(separator: ",")],
                    on: db)
                return created
            }
            result.object("key") { $0.members(of: created.key) }
            result.member("secret", created.secret.text)
        },
        account(
            "apikey.list", .read, "The account's keys, without their secrets, oldest first.",
            .paged()
        ) { call, principal, result in
            let page = try ListPage<TimeCursor>(&call)
            try call.params.finish()
            try principal.requireOwner()
            let keys = try await call.services.pool.withConnection(as: principal.asker) { db in
                try await ApiKeyRepository.list(
                    profileID: principal.profileID, limit: page.limit + 1, after: page.cursor,
                    on: db)
            }
            page.write("keys", keys, &result) {
                TimeCursor(createdAt: $0.createdAt, id: $0.id)
            } _: { writer, key in
                writer.object { $0.members(of: key) }
            }
        },
        account(
            "apikey.revoke", .write, "Ends a key for good, on open connections too.",
            [.id("key")]
        ) { call, principal, result in
            let key = try call.params.id("key")
            try call.params.finish()
            try principal.requireOwner()
            let visit = call.visit
            try await call.services.pool.withTransaction(as: principal.asker) { db in
                try await KeyService.revoke(id: key, profileID: principal.profileID, on: db)
                try await visit.record(
                    by: principal.profileID, AuditTarget(.apiKey, key), on: db)
            }
            call.revoked()
            result.member("revoked", true)
        },
    ]

    private static var noSession: WireError {
        WireError(.notFound, "This account has no such session.", field: "session")
    }
}

extension JSONWriter {
    fileprivate mutating func members(of key: ApiKey) {
        member("id", key.id)
        member("name", key.name)
        member("scopes", key.scopes)
        if let session = key.sessionID { member("session", session) }
        if let lastUsedAt = key.lastUsedAt { member("lastUsedAt", lastUsedAt) }
        if let expiresAt = key.expiresAt { member("expiresAt", expiresAt) }
        member("revoked", key.revoked)
        member("createdAt", key.createdAt)
    }
}
