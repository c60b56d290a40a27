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

extension Method {
    /// Documents shared to an account or a group, to be read. Accounts of others have a part in it, so the
    /// database is asked as the service; each statement names the session or the account.
    static let shares = [
        session(
            "share.create", .write, "Lets an account or a group read a document.",
            .repeatable([
                .id("document"), .optionalString("account"), .optionalID("group"),
                .optionalDate("expiresAt"),
            ])
        ) { call, session, result in
            let document = try call.params.id("document")
            let account = try call.params.optionalString("account")
            let group = try call.params.optionalID("group")
            let expiresAt = try call.params.optionalDate("expiresAt")
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            guard (account == nil) != (group == nil) else {
                throw WireError.invalid(
                    "account", expected: "one of `account` and `group`",
                    got: account == nil ? "none" : "both")
            }
            if let expiresAt, expiresAt <= Date() {
                throw WireError.invalid("expiresAt", expected: "a date in the future")
            }
            try await requireSession(session, call)
            let frozen = call
            try await onceInTransaction(key, call, session.principal, as: .service, &result) {
                db, writer in
                guard
                    try await DocumentRepository.getById(
                        sessionID: session.id, id: document, on: db) != nil
                else { throw noDocument }
                let recipient = try await recipient(account, group, session.principal, on: db)
                let share = try await ShareRepository.create(
                    sessionID: session.id, documentID: document, to: recipient,
                    expiresAt: expiresAt, on: db)
                writer.object("share") { $0.members(of: share) }
                try await frozen.record(share, on: db)
            }
        },
        session(
            "share.list", .read, "What of the session is shared, and to whom, newest first.",
            .paged()
        ) { call, session, result in
            let page = try ListPage<TimeCursor>(&call)
            try call.params.finish()
            try await requireSession(session, call)
            let shares = try await call.services.pool.withConnection(as: .service) { db in
                try await ShareRepository.list(
                    sessionID: session.id, limit: page.limit + 1, before: page.cursor, on: db)
            }
            page.write(shares, &result)
        },
        session(
            "share.revoke", .write, "Ends a share at once.", [.id("share")]
        ) { call, session, result in
            let id = try call.params.id("share")
            try call.params.finish()
            try await requireSession(session, call)
            let document = try await call.services.pool.withTransaction(as: .service) { db in
                let document = try await ShareRepository.revoke(
                    sessionID: session.id, id: id, on: db)
                if let document {
                    try await call.record(
                        AuditTarget(.share, id), session: session.id,
                        ["document": document.wireText], on: db)
                }
                return document
            }
            guard document != nil else {
                throw WireError(.notFound, "The session has no such share.", field: "share")
            }
            result.member("revoked", true)
        },
        account(
            "share.received", .read,
            "What is shared to this account, by itself or through a group, newest first.",
            .paged()
        ) { call, principal, result in
            let page = try ListPage<TimeCursor>(&call)
            try call.params.finish()
            let shares = try await call.services.pool.withConnection(as: .service) { db in
                try await ShareRepository.received(
                    by: principal.profileID, limit: page.limit + 1, before: page.cursor, on: db)
            }
            page.write(shares.filter { principal.mayOpen($0.sessionID) }, &result)
        },
    ]

    /// Somebody else's account, or a group that the sharing account looks after or belongs to.
    private static func recipient(
        _ account: String?, _ group: UUID?, _ principal: Principal, on db: some Queryable
    ) async throws -> ShareRecipient {
        if let account {
            let profile = try await namedAccount(account, "account", on: db)
            guard profile.id != principal.profileID else {
                throw WireError.invalid("account", expected: "somebody else's account")
            }
            return .profile(profile.id)
        }
        guard let group,
            try await GroupRepository.get(id: group, visibleTo: principal.profileID, on: db) != nil
        else { throw noGroup }
        return .group(group)
    }
}

extension Call {
    fileprivate func record(_ share: Share, on transaction: Transaction) async throws {
        let to =
            switch share.recipient {
            case .profile(let id): ("account", id.wireText)
            case .group(let id): ("group", id.wireText)
            }
        try await record(
            AuditTarget(.share, share.id), session: share.sessionID,
            ["document": share.documentID.wireText, to.0: to.1], on: transaction)
    }
}

extension ListPage<TimeCursor> {
    fileprivate func write(_ shares: [Share], _ result: inout JSONWriter) {
        write("shares", shares, &result) {
            TimeCursor(createdAt: $0.createdAt, id: $0.id)
        } _: { writer, share in
            writer.object { $0.members(of: share) }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func members(of share: Share) {
        member("id", share.id)
        member("session", share.sessionID)
        object("document") {
            $0.member("id", share.documentID)
            $0.member("fileName", share.fileName)
        }
        object("to") {
            switch share.recipient {
            case .profile(let id):
                $0.member("account", id)
                $0.member("handle", share.recipientName)
            case .group(let id):
                $0.member("group", id)
                $0.member("name", share.recipientName)
            }
        }
        member("from", share.owner)
        member("permission", "READ")
        member("createdAt", share.createdAt)
        if let date = share.expiresAt { member("expiresAt", date) } else { null("expiresAt") }
    }
}
