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
    /// How much an account may keep.
    static let quotas = [
        account(
            "quota.get", .read,
            "How many bytes of files and imported texts this account keeps and may keep."
        ) { call, principal, result in
            try call.params.finish()
            let quota = try await call.services.pool.withConnection(as: principal.asker) { db in
                try await QuotaRepository.get(profileID: principal.profileID, on: db)
            }
            result.members(of: quota ?? Quota(limitBytes: 0, usedBytes: 0))
        },
        account(
            "quota.set", .admin,
            "Sets how many bytes of files and imported texts an account may keep.",
            [.string("account"), .integer("limitBytes", in: 0...Int(Int32.max) << 20)]
        ) { call, principal, result in
            let name = try call.params.string("account")
            let limit = try call.params.integer("limitBytes", in: 0...Int(Int32.max) << 20)
            try call.params.finish()
            guard principal.role == .admin else { throw notForUsers }
            // Another account's, and this one is an administrator.
            let quota = try await call.services.pool.withTransaction(as: .service) { db in
                let account = try await namedAccount(name, "account", on: db)
                let quota = try await QuotaRepository.setLimit(
                    Int64(limit), profileID: account.id, on: db)
                try await call.record(
                    AuditTarget(.quota, account.id), ["limitBytes": "\(limit)"], on: db)
                return quota
            }
            result.members(of: quota)
        },
    ]

    /// The account with this id or handle.
    static func namedAccount(
        _ name: String, _ field: String, on db: some Queryable
    ) async throws -> Profile {
        let profile =
            if let id = UUID(uuidString: name) {
                try await ProfileRepository.get(id: id, on: db)
            } else {
                try await ProfileRepository.getByHandle(name, on: db)
            }
        guard let profile, profile.isActive else {
            throw WireError(.notFound, "There is no such account.", field: field)
        }
        return profile
    }

    private static var notForUsers: WireError {
        WireError(.forbidden, "Only an administrator sets quotas.", expected: "ADMIN")
    }
}

extension JSONWriter {
    fileprivate mutating func members(of quota: Quota) {
        member("limitBytes", quota.limitBytes)
        member("usedBytes", quota.usedBytes)
    }
}
