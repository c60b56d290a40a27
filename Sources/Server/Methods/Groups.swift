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
    /// Groups of accounts. Who made one looks after it, and so may an administrator; members see it and
    /// may leave. To everybody else it does not exist. Other accounts belong to it, so the database is asked as the
    /// service, and each statement names who asks.
    static let groups = [
        account(
            "group.create", .write, "Makes a group, which this account looks after.",
            .repeatable([.string("name", maximumBytes: 255)])
        ) { call, principal, result in
            let name = try call.params.string("name", maximumBytes: 255)
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            try requireWholeAccount(principal)
            let frozen = call
            try await onceInTransaction(key, call, principal, as: .service, &result) { db, writer in
                let id = try await GroupRepository.create(
                    name: name, ownerID: principal.profileID, on: db)
                try await writer.group(id, on: db)
                try await frozen.record(AuditTarget(.group, id), ["name": name], on: db)
            }
        },
        account(
            "group.list", .read, "The groups this account looks after or belongs to.",
            .paged([.optionalFlag("all")])
        ) { call, principal, result in
            let page = try ListPage<UUID>(&call)
            let wantsAll = try call.params.optionalFlag("all") ?? false
            try call.params.finish()
            if wantsAll, principal.role != .admin {
                throw WireError(
                    .forbidden, "Only an administrator sees all groups.", field: "all",
                    expected: "ADMIN")
            }
            let groups = try await call.services.pool.withConnection(as: .service) { db in
                try await GroupRepository.list(
                    visibleTo: wantsAll ? nil : principal.profileID, limit: page.limit + 1,
                    after: page.cursor, on: db)
            }
            page.write("groups", groups, &result) {
                $0.id
            } _: { writer, group in
                writer.object { $0.members(of: group) }
            }
        },
        account(
            "group.delete", .write, "Deletes a group and what was shared to it.", [.id("group")]
        ) { call, principal, result in
            let id = try call.params.id("group")
            try call.params.finish()
            let deleted = try await call.services.pool.withTransaction(as: .service) { db in
                try await requireGroup(id, principal, on: db)
                let deleted = try await GroupRepository.delete(id: id, on: db)
                if deleted { try await call.record(AuditTarget(.group, id), on: db) }
                return deleted
            }
            guard deleted else { throw noGroup }
            result.member("deleted", true)
        },
        account(
            "group.addMember", .write, "Takes an account into a group.",
            [.id("group"), .string("account")]
        ) { call, principal, result in
            let id = try call.params.id("group")
            let name = try call.params.string("account")
            try call.params.finish()
            let group = try await call.services.pool.withTransaction(as: .service) { db in
                try await requireGroup(id, principal, on: db)
                let account = try await namedAccount(name, "account", on: db)
                if try await GroupRepository.addMember(account.id, to: id, on: db) {
                    try await call.record(
                        AuditTarget(.group, id), ["member": account.id.wireText], on: db)
                }
                return try await GroupRepository.get(id: id, visibleTo: nil, on: db)
            }
            guard let group else { throw noGroup }
            result.object("group") { $0.members(of: group) }
        },
        account(
            "group.removeMember", .write,
            "Takes an account out of a group; a member may take itself out.",
            [.id("group"), .string("account")]
        ) { call, principal, result in
            let id = try call.params.id("group")
            let name = try call.params.string("account")
            try call.params.finish()
            let removed = try await call.services.pool.withTransaction(as: .service) { db in
                let account = try await namedAccount(name, "account", on: db)
                if account.id == principal.profileID {
                    try requireWholeAccount(principal)
                } else {
                    try await requireGroup(id, principal, on: db)
                }
                let removed = try await GroupRepository.removeMember(
                    account.id, from: id, on: db)
                if removed {
                    try await call.record(
                        AuditTarget(.group, id), ["member": account.id.wireText], on: db)
                }
                return removed
            }
            guard removed else {
                throw WireError(.notFound, "The group has no such member.", field: "account")
            }
            result.member("removed", true)
        },
    ]

    /// Refuses who does not look after the group: `forbidden` to its members, `not_found` to others.
    private static func requireGroup(
        _ id: UUID, _ principal: Principal, on db: some Queryable
    ) async throws {
        try requireWholeAccount(principal)
        let isAdmin = principal.role == .admin
        let group = try await GroupRepository.get(
            id: id, visibleTo: isAdmin ? nil : principal.profileID, on: db)
        guard let group else { throw noGroup }
        guard isAdmin || group.ownerID == principal.profileID else {
            throw WireError(.forbidden, "Only who made a group changes it.", field: "group")
        }
    }

    /// Groups are the account's: a key of one session has nothing to do with them.
    private static func requireWholeAccount(_ principal: Principal) throws(WireError) {
        guard principal.boundSession == nil else {
            throw WireError(
                .forbidden, "This API key belongs to one session and cannot change groups.")
        }
    }

    static var noGroup: WireError {
        WireError(.notFound, "There is no such group for this account.", field: "group")
    }
}

extension JSONWriter {
    fileprivate mutating func group(_ id: UUID, on db: some Queryable) async throws {
        let group = try await GroupRepository.get(id: id, visibleTo: nil, on: db)
        if let group { object("group") { $0.members(of: group) } }
    }

    fileprivate mutating func members(of group: Group) {
        member("id", group.id)
        member("name", group.name)
        if let owner = group.ownerID { member("owner", owner) } else { null("owner") }
        member("createdAt", group.createdAt)
        array("members", of: group.members) { writer, member in
            writer.object {
                $0.member("id", member.id)
                $0.member("handle", member.handle)
            }
        }
    }
}
