// Which methods leave an entry in the audit log when they succeed: what changes who may do or see what, what
// comes and goes with an account, and whose money is written down. Everything else leaves none.

import Server

enum AuditClassification {
    /// Exactly one, which is named after the method.
    static let one: Set = [
        "auth.register", "auth.login", "auth.refresh", "auth.logout", "auth.password.change",
        "auth.totp.enable", "auth.totp.confirm", "auth.totp.disable",
        "apikey.create", "apikey.revoke",
        "account.create", "account.deactivate", "account.reactivate", "account.unlock",
        "account.setRole", "account.delete",
        "session.create", "session.delete",
        "document.ingest", "document.upload.commit", "document.delete", "chunk.import",
        "share.create", "share.revoke",
        "group.create", "group.delete", "group.addMember", "group.removeMember",
        "quota.set",
        "cloud.connect", "cloud.import", "cloud.disconnect",
        "borrower.create", "borrower.delete", "borrower.addAccount",
    ]

    /// None.
    static let none: Set = [
        "initialize", "ping", "rpc.discover", "server.status",
        "apikey.list", "account.list", "account.get", "audit.list", "quota.get",
        "session.get", "session.list", "session.update", "session.open",
        "session.plan.draft", "session.plan.edit", "session.plan.accept",
        "document.get", "document.list", "document.text", "document.retry", "document.move",
        "document.upload.begin", "document.upload.chunk",
        "page.list", "section.list", "chunk.list", "chunk.get", "chunk.neighbors",
        "search", "search.batch", "search.explain",
        "topic.create", "topic.list", "topic.update", "topic.reorder", "topic.delete",
        "chat.create", "chat.list", "message.append", "message.list",
        "job.get", "job.list", "job.cancel", "job.subscribe",
        "folder.create", "folder.list", "folder.move", "folder.rename", "folder.delete",
        "share.list", "share.received", "group.list",
        "cloud.list", "cloud.objects",
        "borrower.get", "borrower.list", "borrower.addIncome", "borrower.addReference",
        "citation.verify",
        "reembed.plan", "reembed.start", "reembed.status", "reembed.pause", "reembed.resume",
        "reembed.cancel", "reembed.rollback", "reembed.texts", "reembed.stage",
    ]
}
