// Something of everything, made over the socket as its owner would.

import Foundation
import Wire

/// A session in which there are two of everything at least.
struct PlantedSession: Sendable {
    let id: String
    let handle: String
    /// Stands in its texts and names, and in no other session's.
    let marker: String
    /// What its owner would put into a parameter of that name.
    let own: [String: String]
}

/// Makes one session of an account, and what of the account's own belongs to it.
struct Planter {
    let voice: Conversation
    let name: String
    let number: Int
    /// An account to share with.
    let reader: String
    /// A folder of the web.
    let web: String

    private var marker: String { "\(name)secret\(number)" }
    /// Stands in what is the account's and not the session's.
    private var accountMarker: String { Self.accountMarker(name) + " \(number)" }

    static func accountMarker(_ name: String) -> String { "\(name)ownthings" }

    /// Under which idempotency key an account has used a method.
    static func key(_ name: String, _ method: String, _ number: Int) -> String {
        "\(name) \(method) \(number)"
    }

    func session() async throws -> PlantedSession {
        let id = try await make("session.create", title()).id("session", "id")
        let handle = try await voice.result("session.open", "{\"session\":\"\(id)\"}").id("handle")
        var own = ["session": id]
        try await documents(handle, &own)
        try await study(handle, &own)
        try await vault(handle, &own)
        try await loans(handle, &own)
        try await models(id, &own)
        // Into memory.
        _ = try await voice.result(
            "search", "{\"session\":\"\(handle)\",\"text\":\"iteration\",\"mode\":\"hybrid\"}")
        return PlantedSession(id: id, handle: handle, marker: marker, own: own)
    }

    /// With an idempotency key, unless the method is used again.
    private func make(
        _ method: String, _ params: String, in handle: String? = nil, again: Bool = false
    ) async throws -> JSONValue {
        let scope = handle.map { "\"session\":\"\($0)\"," } ?? ""
        let key =
            again ? "" : ",\"idempotencyKey\":\"\(Self.key(name, method, number))\""
        return try await voice.result(method, "{\(scope)\(params)\(key)}")
    }

    private func title() -> String { "\"title\":\"\(marker)\"" }

    private func documents(_ handle: String, _ own: inout [String: String]) async throws {
        // Two pages with a section each.
        let text = """
            CHAPTER 1\\n\\nThe \(marker) earns 7,000 a month by iteration.\\n\\f\
            CHAPTER 2\\n\\nThe \(marker) owes 300 by iteration.\\n
            """
        let document = try await make(
            "document.ingest", "\"fileName\":\"\(marker).txt\",\"text\":\"\(text)\"", in: handle
        ).id("document", "id")
        own["document"] = document
        own["job"] = try await voice.result("job.list", "{\"session\":\"\(handle)\"}")
            .id("jobs", "0", "id")
        let bytes = "Another text of \(marker) about iteration."
        let upload = try await voice.result(
            "document.upload.begin",
            "{\"session\":\"\(handle)\",\"fileName\":\"\(marker) b.txt\",\"bytes\":\(bytes.utf8.count)}"
        ).id("upload")
        let data = Data(bytes.utf8).base64EncodedString()
        _ = try await voice.result(
            "document.upload.chunk",
            "{\"upload\":\"\(upload)\",\"offset\":0,\"dataB64\":\"\(data)\"}")
        own["uploaded"] = try await make("document.upload.commit", "\"upload\":\"\(upload)\"")
            .id("document", "id")
        // This one stays open.
        own["upload"] = try await voice.result(
            "document.upload.begin",
            "{\"session\":\"\(handle)\",\"fileName\":\"\(marker) c.txt\",\"bytes\":9}"
        ).id("upload")
        own["chunk"] = try await make(
            "chunk.import",
            """
            "document":"\(marker) notes","chunks":[{"text":"\(marker) on iteration"},\
            {"text":"more \(marker) on iteration"}]
            """, in: handle
        ).id("chunks", "0")
        for document in [document, own["uploaded"] ?? ""] {
            try await completed(document, in: handle)
        }
    }

    private func completed(_ document: String, in handle: String) async throws {
        while true {
            let found = try await voice.result(
                "document.get", "{\"session\":\"\(handle)\",\"document\":\"\(document)\"}")
            switch found.at("document", "status")?.string {
            case "COMPLETED": return
            case "FAILED": throw LineClient.Failure.noAnswer(found.text)
            default: try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    private func study(_ handle: String, _ own: inout [String: String]) async throws {
        let topics = """
            "topics":[{"title":"\(marker) first"},{"title":"\(marker) second"}]
            """
        for (method, params) in [("session.plan.draft", ""), ("session.plan.edit", "," + topics)] {
            _ = try await voice.result(method, "{\"session\":\"\(handle)\"\(params)}")
        }
        let accepted = try await make("session.plan.accept", "\"replace\":true", in: handle)
        own["topic"] = try accepted.id("topics", "0", "id")
        _ = try await make("topic.create", "\"title\":\"\(marker) third\"", in: handle)
        own["topics"] = own["topic"]
        let chat = try await make("chat.create", "\"topic\":\"\(own["topic"] ?? "")\"", in: handle)
            .id("chat", "id")
        own["chat"] = chat
        _ = try await voice.result("chat.create", "{\"session\":\"\(handle)\"}")
        let said = """
            "chat":"\(chat)","role":"user","content":"\(marker)?","citedChunks":["\(own["chunk"] ?? "")"]
            """
        for again in [false, true] {
            _ = try await make("message.append", said, in: handle, again: again)
        }
        own["citedChunks"] = own["chunk"]
    }

    private func vault(_ handle: String, _ own: inout [String: String]) async throws {
        let folder = try await make("folder.create", "\"name\":\"\(marker)\"", in: handle)
            .id("folder", "id")
        (own["folder"], own["documents"]) = (folder, own["document"])
        own["parent"] = try await make(
            "folder.create", "\"name\":\"\(marker) b\"", in: handle, again: true
        ).id("folder", "id")
        let group = try await make("group.create", "\"name\":\"\(accountMarker)\"")
            .id("group", "id")
        own["group"] = group
        _ = try await make(
            "group.create", "\"name\":\"\(accountMarker) b\"", again: true)
        own["share"] = try await make(
            "share.create", "\"document\":\"\(own["document"] ?? "")\",\"account\":\"\(reader)\"",
            in: handle
        ).id("share", "id")
        _ = try await make(
            "share.create", "\"document\":\"\(own["uploaded"] ?? "")\",\"group\":\"\(group)\"",
            in: handle, again: true)
        for again in [false, true] {
            own["connection"] = try await make(
                "cloud.connect",
                """
                "provider":"HTTP","name":"\(accountMarker)\(again ? " b" : "")","endpoint":"\(web)",\
                "token":"t"
                """, again: again
            ).id("connection", "id")
        }
        let order = "\"connection\":\"\(own["connection"] ?? "")\",\"objects\":[\"none.txt\"]"
        _ = try await make("cloud.import", order, in: handle)
        own["key"] = try await voice.result(
            "apikey.create", "{\"name\":\"\(accountMarker)\",\"scopes\":[\"read\"]}"
        ).id("key", "id")
    }

    private func loans(_ handle: String, _ own: inout [String: String]) async throws {
        for again in [true, false] {
            let borrower = try await make(
                "borrower.create",
                "\"name\":\"\(marker)\",\"confidence\":\"1\",\"ssn\":\"\(ssn)\"", in: handle,
                again: again
            ).id("borrower", "id")
            own["borrower"] = borrower
            _ = try await make(
                "borrower.addIncome",
                """
                "borrower":"\(borrower)","amount":"7000.00","period":"monthly","year":2026,\
                "sourceType":"\(marker)"
                """, in: handle, again: again)
            _ = try await make(
                "borrower.addAccount",
                "\"borrower\":\"\(borrower)\",\"number\":\"12345678\",\"type\":\"bank\"",
                in: handle, again: again)
            own["reference"] = try await make(
                "borrower.addReference",
                """
                "borrower":"\(borrower)","document":"\(own["document"] ?? "")","page":1,\
                "snippet":"\(marker) earns 7,000"
                """, in: handle, again: again
            ).id("reference", "id")
        }
    }

    /// To the model that its sessions have already, and back from nowhere: both pass over all of them. Then
    /// to another, for this session, and no further than to wait.
    private func models(_ session: String, _ own: inout [String: String]) async throws {
        _ = try await make("reembed.start", "\"model\":\"hashing-lexical\"")
        _ = try await make("reembed.rollback", "\"strict\":true")
        own["reembedding"] = try await make(
            "reembed.start", "\"model\":\"noise\",\"session\":\"\(session)\",\"paused\":true",
            again: true
        ).id("runs", "0", "job")
    }

    private var ssn: String { Self.ssn(name, number) }

    /// The number that an account's borrowers have in a session.
    static func ssn(_ name: String, _ number: Int) -> String {
        "12\(number)-45-\(1000 + name.utf8.reduce(0) { $0 + Int($1) })"
    }
}
