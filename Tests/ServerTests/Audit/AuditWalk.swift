// One call of every method, in an order in which each can succeed.

import Accounts
import Foundation
import Library
import Postgres
import TestSupport
import Wire

/// Asks, and looks at what came into the audit log by it.
struct AuditWalk {
    let test: TestServer
    private(set) var walked: Set<String> = []
    private(set) var violations: [String] = []
    private var last: Int64 = 0
    private var handle = ""

    init(_ test: TestServer) { self.test = test }

    /// What a method answers; it must succeed, unless `mayRefuse`, and leave what it is said to leave.
    private mutating func ask(
        _ voice: Conversation, _ method: String, _ params: String = "", mayRefuse: Bool = false
    ) async throws -> JSONValue {
        let answer = try await voice.ask(method, "{\(params)}")
        try await Household.settle(test)
        walked.insert(method)
        if answer.at("result") == nil, !mayRefuse {
            violations.append("\(method) {\(params)}: \(answer.text)")
        }
        let expected = AuditClassification.one.contains(method) ? [method] : []
        let after = last
        let entries = try await test.pool.withConnection(as: .service) { db in
            try await AuditRepository.list(actor: nil, limit: 500, on: db)
        }.filter { $0.id > after }
        if entries.map(\.action) != expected {
            violations.append("\(method) left \(entries.map(\.action))")
        }
        for entry in entries where entry.actorID == nil || entry.requestID == nil || entry.ip == nil
        {
            violations.append("\(method) does not say who, in which request or from where")
        }
        last = entries.map(\.id).max() ?? last
        return answer.at("result") ?? answer
    }

    /// The same on the session.
    private mutating func on(
        _ voice: Conversation, _ method: String, _ params: String = ""
    ) async throws -> JSONValue {
        try await ask(
            voice, method, "\"session\":\"\(handle)\"" + (params.isEmpty ? "" : "," + params))
    }

    mutating func walk() async throws {
        let web = try Household.emptyWeb()
        let ada = try await introduction()
        try await logins(ada)
        let session = try await sessions(ada)
        let document = try await documents(ada)
        try await searches(ada)
        try await study(ada)
        try await vault(ada, document)
        try await clouds(ada, web)
        try await loans(ada, document)
        try await jobs(ada, document)
        try await reembeddings(ada, session)
        _ = try await on(ada, "document.delete", "\"document\":\"\(document)\"")
        _ = try await ask(ada, "session.delete", "\"session\":\"\(session)\"")
        for method in ["audit.list", "rpc.discover", "server.status", "ping"] {
            _ = try await ask(ada, method)
        }
    }

    private mutating func introduction() async throws -> Conversation {
        let voice = Conversation(try await LineClient.connect(test.port))
        _ = try await ask(
            voice, "initialize",
            "\"protocolVersions\":[\"2026-11-01\"],\"auth\":{\"apiKey\":\"\(test.key)\"}")
        return voice
    }

    private mutating func logins(_ ada: Conversation) async throws {
        let eve = Conversation(try await test.stranger())
        let password = "\"password\":\"long enough\""
        let entered = try await ask(
            eve, "auth.register", "\"handle\":\"eve\",\"email\":\"eve@example.org\",\(password)")
        let id = try entered.id("profile", "id")
        let secret = try await ask(eve, "auth.totp.enable", password).id("secret")
        guard let totp = TOTP(base32: secret) else { throw LineClient.Failure.noAnswer(secret) }
        let step = TOTP.step(at: Timepiece.system.seconds())
        // The second code is the next step's: a code is good once.
        for (method, step) in [("auth.totp.confirm", step), ("auth.totp.disable", step + 1)] {
            _ = try await ask(eve, method, "\"code\":\"\(totp.code(step: step))\"")
        }
        _ = try await ask(
            eve, "auth.password.change", password + ",\"newPassword\":\"longer still\"")
        let refresh = try entered.id("refreshToken")
        _ = try await ask(eve, "auth.refresh", "\"refreshToken\":\"\(refresh)\"")
        let again = Conversation(try await test.stranger())
        _ = try await ask(
            again, "auth.login", "\"login\":\"eve\",\"password\":\"longer still\"")
        _ = try await ask(again, "auth.logout")

        let key = try await ask(ada, "apikey.create", "\"name\":\"k\",\"scopes\":[\"read\"]")
            .id("key", "id")
        _ = try await ask(ada, "apikey.list")
        _ = try await ask(ada, "apikey.revoke", "\"key\":\"\(key)\"")
        let fay = try await ask(
            ada, "account.create",
            "\"handle\":\"fay\",\"email\":\"fay@example.org\",\(password)"
        ).id("account", "id")
        _ = try await ask(ada, "account.delete", "\"account\":\"\(fay)\"")
        _ = try await ask(ada, "account.list")
        for method in ["account.get", "account.deactivate", "account.reactivate", "account.unlock"]
        {
            _ = try await ask(ada, method, "\"account\":\"\(id)\"")
        }
        _ = try await ask(ada, "account.setRole", "\"account\":\"\(id)\",\"role\":\"ADMIN\"")
    }

    private mutating func sessions(_ ada: Conversation) async throws -> String {
        let other = try await ask(ada, "session.create", "\"title\":\"B\"").id("session", "id")
        _ = try await ask(
            ada, "session.update", "\"session\":\"\(other)\",\"status\":\"CHUNKING\"")
        let id = try await ask(ada, "session.create", "\"title\":\"A\"").id("session", "id")
        _ = try await ask(ada, "session.get", "\"session\":\"\(id)\"")
        _ = try await ask(ada, "session.list")
        handle = try await ask(ada, "session.open", "\"session\":\"\(id)\"").id("handle")
        return id
    }

    private mutating func documents(_ ada: Conversation) async throws -> String {
        let document = try await on(
            ada, "document.ingest",
            "\"fileName\":\"a.txt\",\"text\":\"Borrower earns 7,000 by iteration.\""
        ).id("document", "id")
        let named = "\"document\":\"\(document)\""
        for method in ["document.get", "document.text", "page.list", "section.list"] {
            _ = try await on(ada, method, named)
        }
        _ = try await on(ada, "document.list")
        let upload = try await on(
            ada, "document.upload.begin", "\"fileName\":\"b.txt\",\"bytes\":3"
        ).id("upload")
        _ = try await ask(
            ada, "document.upload.chunk",
            "\"upload\":\"\(upload)\",\"offset\":0,\"dataB64\":\"YWJj\"")
        _ = try await ask(ada, "document.upload.commit", "\"upload\":\"\(upload)\"")
        _ = try await on(
            ada, "chunk.import", "\"document\":\"d\",\"chunks\":[{\"text\":\"more iteration\"}]")
        return document
    }

    private mutating func searches(_ ada: Conversation) async throws {
        let chunk = try await on(ada, "chunk.list", "\"type\":\"CHILD\"").id("chunks", "0", "id")
        _ = try await on(ada, "chunk.get", "\"chunk\":\"\(chunk)\"")
        _ = try await on(ada, "chunk.neighbors", "\"chunk\":\"\(chunk)\"")
        _ = try await on(ada, "search", "\"text\":\"iteration\"")
        _ = try await on(ada, "search.batch", "\"queries\":[{\"text\":\"iteration\"}]")
        _ = try await on(ada, "search.explain", "\"chunk\":\"\(chunk)\",\"text\":\"iteration\"")
    }

    private mutating func study(_ ada: Conversation) async throws {
        _ = try await on(ada, "session.plan.draft")
        _ = try await on(ada, "session.plan.edit", "\"topics\":[{\"title\":\"One\"}]")
        let first = try await on(ada, "session.plan.accept", "\"replace\":true")
            .id("topics", "0", "id")
        let second = try await on(ada, "topic.create", "\"title\":\"Two\"").id("topic", "id")
        _ = try await on(ada, "topic.list")
        _ = try await on(ada, "topic.update", "\"topic\":\"\(second)\",\"completed\":true")
        _ = try await on(ada, "topic.reorder", "\"topics\":[\"\(second)\",\"\(first)\"]")
        let chat = try await on(ada, "chat.create", "\"topic\":\"\(first)\"").id("chat", "id")
        _ = try await on(ada, "chat.list")
        _ = try await on(
            ada, "message.append", "\"chat\":\"\(chat)\",\"role\":\"user\",\"content\":\"Why?\"")
        _ = try await on(ada, "message.list", "\"chat\":\"\(chat)\"")
        _ = try await on(ada, "topic.delete", "\"topic\":\"\(second)\"")
    }

    private mutating func vault(_ ada: Conversation, _ document: String) async throws {
        let folder = try await on(ada, "folder.create", "\"name\":\"f\"").id("folder", "id")
        _ = try await on(ada, "folder.list")
        _ = try await on(ada, "folder.rename", "\"folder\":\"\(folder)\",\"name\":\"g\"")
        _ = try await on(ada, "folder.move", "\"folder\":\"\(folder)\"")
        _ = try await on(
            ada, "document.move", "\"document\":\"\(document)\",\"folder\":\"\(folder)\"")
        _ = try await on(ada, "folder.delete", "\"folder\":\"\(folder)\"")
        let group = try await ask(ada, "group.create", "\"name\":\"readers\"").id("group", "id")
        _ = try await ask(ada, "group.list")
        let member = "\"group\":\"\(group)\",\"account\":\"bob\""
        _ = try await ask(ada, "group.addMember", member)
        let share = try await on(
            ada, "share.create", "\"document\":\"\(document)\",\"group\":\"\(group)\""
        ).id("share", "id")
        _ = try await on(ada, "share.list")
        _ = try await ask(ada, "share.received")
        _ = try await on(ada, "share.revoke", "\"share\":\"\(share)\"")
        _ = try await ask(ada, "group.removeMember", member)
        _ = try await ask(ada, "group.delete", "\"group\":\"\(group)\"")
        _ = try await ask(ada, "quota.get")
        _ = try await ask(ada, "quota.set", "\"account\":\"bob\",\"limitBytes\":1000")
    }

    private mutating func clouds(_ ada: Conversation, _ web: TinyWebServer) async throws {
        let id = try await ask(
            ada, "cloud.connect",
            "\"provider\":\"HTTP\",\"name\":\"web\",\"endpoint\":\"\(web.url("/notes/"))\""
        ).id("connection", "id")
        _ = try await ask(ada, "cloud.list")
        // A folder of the web has no listing.
        _ = try await ask(ada, "cloud.objects", "\"connection\":\"\(id)\"", mayRefuse: true)
        _ = try await on(
            ada, "cloud.import", "\"connection\":\"\(id)\",\"objects\":[\"none.txt\"]")
        _ = try await ask(ada, "cloud.disconnect", "\"connection\":\"\(id)\"")
    }

    private mutating func loans(_ ada: Conversation, _ document: String) async throws {
        let borrower = try await on(
            ada, "borrower.create", "\"name\":\"B\",\"confidence\":\"1\""
        ).id("borrower", "id")
        let named = "\"borrower\":\"\(borrower)\""
        _ = try await on(
            ada, "borrower.addIncome",
            named
                + ",\"amount\":\"1.00\",\"period\":\"annual\",\"year\":2026,\"sourceType\":\"W-2\"")
        _ = try await on(
            ada, "borrower.addAccount", named + ",\"number\":\"12345678\",\"type\":\"bank\"")
        let reference = try await on(
            ada, "borrower.addReference",
            named + ",\"document\":\"\(document)\",\"page\":1,\"snippet\":\"earns 7,000\""
        ).id("reference", "id")
        _ = try await on(ada, "citation.verify", "\"reference\":\"\(reference)\"")
        _ = try await on(ada, "borrower.get", named)
        _ = try await on(ada, "borrower.list")
        _ = try await on(ada, "borrower.delete", named)
    }

    private mutating func reembeddings(_ ada: Conversation, _ session: String) async throws {
        _ = try await ask(ada, "reembed.plan", "\"model\":\"noise\"")
        _ = try await ask(ada, "reembed.start", "\"model\":\"noise\"")
        for verb in ["status", "pause", "resume", "cancel", "rollback"] {
            _ = try await ask(ada, "reembed.\(verb)")
        }
        let job = try await ask(
            ada, "reembed.start",
            "\"model\":\"noise\",\"session\":\"\(session)\",\"paused\":true"
        ).id("runs", "0", "job")
        let texts = try await ask(ada, "reembed.texts", "\"job\":\"\(job)\"")
        let (chunk, digest) = (
            try texts.id("texts", "0", "chunk"), try texts.id("texts", "0", "md5")
        )
        let vector = Vector.encode(Array(repeating: 1, count: 768))
        _ = try await ask(
            ada, "reembed.stage",
            """
            "job":"\(job)","vectors":[{"chunk":"\(chunk)","md5":"\(digest)","vectorB64":"\(vector)"}]
            """)
        _ = try await ask(ada, "reembed.cancel")
    }

    private mutating func jobs(_ ada: Conversation, _ document: String) async throws {
        let job = try await on(ada, "job.list").id("jobs", "0", "id")
        for method in ["job.get", "job.cancel", "job.subscribe"] {
            _ = try await ask(ada, method, "\"job\":\"\(job)\"")
        }
        try await test.sql(
            "UPDATE carrel.documents SET processing_status = 'FAILED' WHERE id = '\(document)'")
        _ = try await on(ada, "document.retry", "\"document\":\"\(document)\"")
    }
}
