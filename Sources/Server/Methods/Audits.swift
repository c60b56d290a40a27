import Accounts
import Library
import Postgres
import Wire

extension Method {
    /// What was done.
    static let audits = [
        account(
            "audit.list", .read, "What was done, newest first.",
            .paged([.optionalID("session"), .optionalFlag("all")])
        ) { call, principal, result in
            let page = try ListPage<AuditCursor>(&call)
            let session = try call.params.optionalID("session")
            let wantsAll = try call.params.optionalFlag("all") ?? false
            try call.params.finish()
            if wantsAll, principal.role != .admin { throw notForUsers }
            // A key of one session sees what was done to that session.
            if let session, !principal.mayOpen(session) {
                return page.write("entries", [], &result)
            }
            // Others' entries are hidden from an account, an administrator's too.
            let asker = wantsAll ? .service : principal.asker
            let entries = try await call.services.pool.withConnection(as: asker) { db in
                try await AuditRepository.list(
                    actor: wantsAll ? nil : principal.profileID,
                    session: session ?? principal.boundSession, limit: page.limit + 1,
                    before: page.cursor, on: db)
            }
            page.write("entries", entries, &result)
        }
    ]

    private static var notForUsers: WireError {
        WireError(
            .forbidden, "Only an administrator sees what others did.", field: "all",
            expected: "ADMIN")
    }
}

extension ListPage<AuditCursor> {
    fileprivate func write(
        _ name: StaticString, _ entries: [AuditEntry], _ result: inout JSONWriter
    ) {
        write(name, entries, &result) {
            AuditCursor(at: $0.at, id: $0.id)
        } _: { writer, entry in
            writer.object { $0.members(of: entry) }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func members(of entry: AuditEntry) {
        member("id", entry.id)
        member("at", entry.at)
        if let actor = entry.actorID { member("actor", actor) } else { null("actor") }
        member("action", entry.action)
        if let type = entry.targetType, let id = entry.targetID {
            object("target") {
                $0.member("type", type)
                $0.member("id", id)
            }
        }
        entry.sessionID.map { member("session", $0) }
        entry.ip.map { member("ip", $0.description) }
        entry.requestID.map { member("requestId", $0) }
        key("metadata")
        raw(entry.metadata)
        member(
            "hash",
            entry.hash.map { byte in
                let digits = String(byte, radix: 16)
                return byte < 16 ? "0" + digits : digits
            }.joined())
    }
}
