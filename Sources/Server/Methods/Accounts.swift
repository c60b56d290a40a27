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
    /// Accounts, for administrators.
    static let accounts = [
        account(
            "account.create", .admin, "Makes an account, whether or not registration is open.",
            [
                .string("handle", maximumBytes: 64), .string("email", maximumBytes: 254),
                .string("password"), .optionalChoice("role", of: AccountRole.self),
            ]
        ) { call, principal, result in
            let handle = try call.params.string("handle", maximumBytes: 64)
            let email = try call.params.string("email", maximumBytes: 254)
            let password = try call.params.string("password")
            let role = try call.params.optionalChoice("role", of: AccountRole.self) ?? .user
            try call.params.finish()
            let profile = try await call.services.gatekeeper.createAccount(
                handle: handle, email: email, password: password, role: role,
                by: principal.profileID, call.visit)
            result.object("account") { $0.members(of: profile) }
        },
        account(
            "account.list", .admin, "All accounts, oldest first.", .paged()
        ) { call, _, result in
            let page = try ListPage<TimeCursor>(&call)
            try call.params.finish()
            let profiles = try await call.services.pool.withConnection(as: .service) { db in
                try await ProfileRepository.list(
                    limit: page.limit + 1, after: page.cursor, on: db)
            }
            page.write("accounts", profiles, &result) {
                TimeCursor(createdAt: $0.createdAt, id: $0.id)
            } _: { writer, profile in
                writer.object { $0.members(of: profile) }
            }
        },
        account(
            "account.get", .admin, "An account.", [.id("account")]
        ) { call, _, result in
            let id = try call.params.id("account")
            try call.params.finish()
            let profile = try await call.services.pool.withConnection(as: .service) { db in
                try await ProfileRepository.get(id: id, on: db)
            }
            guard let profile else { throw noAccount }
            result.object("account") { $0.members(of: profile) }
        },
        administration(
            "account.deactivate", "Shuts an account out, on open connections too.",
            Administration.deactivate),
        administration(
            "account.reactivate", "Lets an account in again.", Administration.reactivate),
        administration(
            "account.unlock",
            "Lets codes of a second factor count again after too many wrong ones.",
            Administration.unlock),
        account(
            "account.setRole", .admin, "Makes an account an administrator, or takes that back.",
            [.id("account"), .choice("role", of: AccountRole.self)]
        ) { call, principal, result in
            let id = try call.params.id("account")
            let role = try call.params.choice("role", of: AccountRole.self)
            try call.params.finish()
            let visit = call.visit
            let profile = try await call.services.pool.withTransaction(as: .service) { db in
                try await Administration.setRole(
                    role, of: id, by: principal.profileID, visit, on: db)
            }
            result.object("account") { $0.members(of: profile) }
        },
        account(
            "account.delete", .write,
            "Deletes this account with everything that is its own; or, for administrators, another.",
            [
                .optionalID("account"), .optionalString("password"),
                .optionalString("code", maximumBytes: 16),
            ]
        ) { call, principal, result in
            let id = try call.params.optionalID("account") ?? principal.profileID
            let password = try call.params.optionalString("password")
            let code = try call.params.optionalString("code", maximumBytes: 16)
            try call.params.finish()
            if id == principal.profileID {
                try principal.requireOwner()
                guard let password else { throw WireError.missing("password") }
                try await call.services.gatekeeper.requireOwner(
                    principal, password: password, code: code, call.visit)
            } else if (try? principal.require(.admin)) == nil {
                throw noAccount
            }
            let visit = call.visit
            let remains = try await call.services.pool.withTransaction(as: .service) { db in
                try await Administration.delete(id, by: principal.profileID, visit, on: db)
            }
            call.revoked()
            for session in remains.sessions { call.services.searcher.snapshots?.forget(session) }
            call.services.ingestor.clear(remains)
            if id == principal.profileID { call.peer.leave() }
            result.member("deleted", true)
        },
    ]

    private static var noAccount: WireError {
        WireError(.notFound, "There is no such account.", field: "account")
    }

    /// A method that does one thing to an account that it names.
    private static func administration(
        _ name: String, _ summary: String,
        _ work: @escaping @Sendable (UUID, UUID?, Visit, Transaction) async throws -> Profile
    ) -> Method {
        account(name, .admin, summary, [.id("account")]) { call, principal, result in
            let id = try call.params.id("account")
            try call.params.finish()
            let visit = call.visit
            let profile = try await call.services.pool.withTransaction(as: .service) { db in
                try await work(id, principal.profileID, visit, db)
            }
            call.revoked()
            result.object("account") { $0.members(of: profile) }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func members(of profile: Profile) {
        member("id", profile.id)
        member("handle", profile.handle)
        member("email", profile.email)
        member("role", profile.role.rawValue)
        member("active", profile.isActive)
        member("createdAt", profile.createdAt)
    }
}
