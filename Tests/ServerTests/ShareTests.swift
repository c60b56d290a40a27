import Accounts
import Foundation
import Library
import Postgres
import Server
import Testing
import Wire

@Suite("What is shared can be read by whom it is shared to, and nothing else")
struct ShareTests {
    /// Ada's session with two documents, each of one chunk, and Bob's connection.
    private struct Setting {
        let test: TestServer
        let ada: LineClient
        let bob: LineClient
        let session: String
        let handle: String
        let shared: String
        let secret: String
        let sharedChunk: String
        let secretChunk: String

        func ask(_ client: LineClient, _ method: String, _ params: String = "") async throws
            -> JSONValue
        {
            let id = Int.random(in: 1_000...1_000_000_000)
            return try await client.call(id, method, "{\(params)}")
        }

        func onHandle(_ method: String, _ params: String = "") async throws -> JSONValue {
            try await ask(
                ada, method, "\"session\":\"\(handle)\"" + (params.isEmpty ? "" : ",") + params)
        }

        func share(_ params: String) async throws -> JSONValue {
            try await onHandle("share.create", "\"document\":\"\(shared)\",\(params)")
        }

        /// Bob's handle of the session, or nil when he cannot open it.
        func open() async throws -> String? {
            try await ask(bob, "session.open", "\"session\":\"\(session)\"")
                .at("result", "handle")?.string
        }

        func hits(_ handle: String, _ options: String = "") async throws -> [String]? {
            try await ask(
                bob, "search",
                "\"session\":\"\(handle)\",\"text\":\"fixed point\",\"k\":50" + options
            ).at("result", "hits")?.array?.compactMap { $0.at("chunk")?.string }
        }
    }

    private func withSetting(_ body: (Setting) async throws -> Void) async throws {
        try await withServer { test in
            let (ada, handle, session) = try await test.session(title: "Private title")
            func imported(_ name: String, _ texts: [String]) async throws -> (String, [String]) {
                let chunks = texts.map { "{\"text\":\"\($0)\"}" }.joined(separator: ",")
                let answer = try await ada.call(
                    50, "chunk.import",
                    "{\"session\":\"\(handle)\",\"document\":\"\(name)\",\"chunks\":[\(chunks)]}")
                let ids = answer.at("result", "chunks")?.array?.compactMap(\.string) ?? []
                return (answer.at("result", "document", "id")?.string ?? "", ids)
            }
            let (shared, chunks) = try await imported(
                "shared", ["The fixed point is unique.", "A contraction has a fixed point."])
            let (secret, others) = try await imported(
                "secret", ["My fixed point diary.", "A fixed point of mine.", "Quokka."])
            try await body(
                Setting(
                    test: test, ada: ada, bob: try await test.client(key: test.otherKey),
                    session: session, handle: handle, shared: shared, secret: secret,
                    sharedChunk: chunks[0], secretChunk: others[0]))
        }
    }

    @Test("Until it is shared a session does not exist; then exactly the shared documents do")
    func reading() async throws {
        try await withSetting { s in
            #expect(
                try await s.ask(s.bob, "session.open", "\"session\":\"\(s.session)\"").errorKind
                    == "not_found")
            let share = try await s.share("\"account\":\"bob\"")
            #expect(share.at("result", "share", "to", "handle")?.string == "bob")
            #expect(try await s.share("\"account\":\"bob\"").errorKind == "conflict")

            let received = try await s.ask(s.bob, "share.received")
            #expect(received.at("result", "shares")?.array?.count == 1)
            #expect(received.at("result", "shares", "0", "from")?.string == "ada")
            #expect(received.at("result", "shares", "0", "session")?.string == s.session)
            #expect(!received.text.contains("Private title"))

            let opened = try await s.ask(s.bob, "session.open", "\"session\":\"\(s.session)\"")
            #expect(opened.at("result", "session", "shared")?.bool == true)
            #expect(!opened.text.contains("Private title"))
            let handle = try #require(opened.at("result", "handle")?.string)
            func bob(_ method: String, _ params: String = "") async throws -> JSONValue {
                try await s.ask(
                    s.bob, method,
                    "\"session\":\"\(handle)\"" + (params.isEmpty ? "" : ",") + params)
            }
            let list = try await bob("document.list")
            #expect(
                list.at("result", "documents")?.array?.compactMap { $0.at("id")?.string }
                    == [s.shared])
            let chunks = try await bob("chunk.list", "\"type\":\"CHILD\"")
            #expect(chunks.at("result", "chunks")?.array?.count == 2)
            for method in ["document.get", "document.text", "page.list", "section.list"] {
                let seen = try await bob(method, "\"document\":\"\(s.shared)\"")
                #expect(seen.at("result") != nil, "\(method): \(seen.text)")
                let hidden = try await bob(method, "\"document\":\"\(s.secret)\"")
                #expect(hidden.errorKind == "not_found", "\(method): \(hidden.text)")
            }
            #expect(
                try await bob("chunk.list", "\"document\":\"\(s.secret)\"").errorKind
                    == "not_found")
            #expect(
                try await bob("chunk.get", "\"chunk\":\"\(s.sharedChunk)\"").at("result") != nil)
            #expect(
                try await bob("chunk.get", "\"chunk\":\"\(s.secretChunk)\"").errorKind
                    == "not_found")
        }
    }

    @Test("The chunks nearest to a shared one are shared ones; of others there are none")
    func neighbors() async throws {
        try await withSetting { s in
            _ = try await s.share("\"account\":\"bob\"")
            let handle = try #require(try await s.open())
            func neighbors(_ chunk: String) async throws -> JSONValue {
                try await s.ask(
                    s.bob, "chunk.neighbors",
                    "\"session\":\"\(handle)\",\"chunk\":\"\(chunk)\",\"k\":50")
            }
            let own = try await s.onHandle(
                "chunk.neighbors", "\"chunk\":\"\(s.sharedChunk)\",\"k\":50")
            #expect(own.at("result", "hits")?.array?.count == 4, "\(own.text)")
            let answer = try await neighbors(s.sharedChunk)
            let hits = try #require(answer.at("result", "hits")?.array, "\(answer.text)")
            #expect(
                hits.map { $0.at("text")?.string } == ["A contraction has a fixed point."])
            #expect(answer.at("result", "meta", "examined")?.int == 2, "\(answer.text)")
            #expect(answer.at("result", "meta", "revision")?.int == 0, "\(answer.text)")
            let hidden = try await neighbors(s.secretChunk)
            let nobodys = try await neighbors("00000000-0000-4000-8000-000000000000")
            #expect(hidden.errorKind == "not_found", "\(hidden.text)")
            #expect(
                hidden.at("error", "message")?.string == nobodys.at("error", "message")?.string)
        }
    }

    @Test("A recipient's search knows of nothing else: hits, counts, words, explanations")
    func searching() async throws {
        try await withSetting { s in
            _ = try await s.share("\"account\":\"bob\"")
            let handle = try #require(try await s.open())
            for mode in ["dense", "lexical", "hybrid"] {
                let answer = try await s.ask(
                    s.bob, "search",
                    """
                    "session":"\(handle)","text":"fixed point","k":50,"mode":"\(mode)",\
                    "expand":"parent"
                    """)
                let found = answer.at("result", "hits")?.array?.compactMap {
                    $0.at("document", "id")?.string
                }
                #expect(found?.isEmpty == false && Set(found ?? []) == [s.shared], "\(mode)")
                #expect(answer.at("result", "meta", "examined")?.int == 2, "\(answer.text)")
                // Two chunks and their parent.
                #expect(answer.at("result", "meta", "sessionChunks")?.int == 3)
                #expect(answer.at("result", "meta", "revision")?.int == 0)
                #expect(!answer.text.contains("diary") && !answer.text.contains("secret"))
            }
            // A word that only a hidden chunk has says nothing, and asking for the document neither.
            let word = try await s.ask(
                s.bob, "search",
                "\"session\":\"\(handle)\",\"text\":\"quokka\",\"mode\":\"lexical\"")
            #expect(word.at("result", "hits")?.array?.count == 0)
            #expect(
                try await s.hits(handle, ",\"filter\":{\"documents\":[\"\(s.secret)\"]}") == [])
            let hidden = try await s.ask(
                s.bob, "search.explain",
                "\"session\":\"\(handle)\",\"chunk\":\"\(s.secretChunk)\",\"text\":\"fixed\"")
            #expect(hidden.errorKind == "not_found")
            let told = try await s.ask(
                s.bob, "search.explain",
                "\"session\":\"\(handle)\",\"chunk\":\"\(s.sharedChunk)\",\"text\":\"fixed\"")
            #expect(told.at("result", "of")?.int == 2, "\(told.text)")
            let batch = try await s.ask(
                s.bob, "search.batch",
                "\"session\":\"\(handle)\",\"queries\":[{\"text\":\"fixed\"},{\"text\":\"point\"}]")
            for number in ["0", "1"] {
                #expect(batch.at("result", "results", number, "hits")?.array?.count == 2)
            }
            // Scores of words are those of the shared documents alone.
            let alone = try await s.test.session(title: "Alone")
            _ = try await alone.client.call(
                60, "chunk.import",
                """
                {"session":"\(alone.handle)","document":"shared","chunks":[\
                {"text":"The fixed point is unique."},{"text":"A contraction has a fixed point."}]}
                """)
            func scores(_ client: LineClient, _ handle: String) async throws -> [Double?]? {
                try await s.ask(
                    client, "search",
                    "\"session\":\"\(handle)\",\"text\":\"unique fixed\",\"mode\":\"lexical\""
                ).at("result", "hits")?.array?.map { $0.at("score")?.double }
            }
            let expected = try await scores(alone.client, alone.handle)
            #expect(expected?.isEmpty == false)
            #expect(try await scores(s.bob, handle) == expected)
        }
    }

    @Test("Every method that a recipient may not call refuses him")
    func writing() async throws {
        try await withSetting { s in
            _ = try await s.share("\"account\":\"bob\"")
            let handle = try #require(try await s.open())
            let allowed: Set = [
                "search", "search.batch", "search.explain", "document.get", "document.list",
                "document.text", "page.list", "section.list", "chunk.get", "chunk.list",
                "chunk.neighbors",
            ]
            var refused = 0
            for method in ProtocolDescription.methods
            where method.needs == "session" && !allowed.contains(method.name) {
                refused += 1
                let answer = try await s.ask(s.bob, method.name, "\"session\":\"\(handle)\"")
                #expect(answer.errorKind == "forbidden", "\(method.name): \(answer.text)")
            }
            #expect(refused > 8)
            for method in ["session.get", "session.delete", "session.update"] {
                let answer = try await s.ask(
                    s.bob, method, "\"session\":\"\(s.session)\",\"status\":\"CHUNKING\"")
                #expect(answer.errorKind == "not_found", "\(method): \(answer.text)")
            }
        }
    }

    @Test("Revoked, expired, deleted or deactivated: the next request on an open handle is refused")
    func ending() async throws {
        try await withSetting { s in
            func created(_ params: String) async throws -> String {
                try await s.share(params).at("result", "share", "id")?.string ?? ""
            }
            let share = try await created("\"account\":\"bob\"")
            var handle = try #require(try await s.open())
            #expect(try await s.hits(handle)?.count == 2)
            #expect(
                try await s.onHandle("share.revoke", "\"share\":\"\(share)\"")
                    .at("result", "revoked")?.bool == true)
            for method in ["search", "document.list", "chunk.list"] {
                let answer = try await s.ask(
                    s.bob, method, "\"session\":\"\(handle)\",\"text\":\"fixed\"")
                #expect(answer.errorKind == "session_closed", "\(method): \(answer.text)")
            }
            #expect(try await s.open() == nil)
            #expect(
                try await s.ask(s.bob, "share.received").at("result", "shares")?.array?.count == 0)

            _ = try await created("\"account\":\"bob\",\"expiresAt\":\"2999-01-01T00:00:00Z\"")
            handle = try #require(try await s.open())
            #expect(try await s.hits(handle)?.count == 2)
            try await s.test.pool.withConnection(as: .service) {
                try await $0.script("UPDATE carrel.shares SET expires_at = now()")
            }
            #expect(try await s.hits(handle) == nil)
            // What has expired can be shared again.
            _ = try await created("\"account\":\"bob\"")
            #expect(try await s.hits(handle)?.count == 2)

            try await s.test.pool.withConnection(as: .service) {
                try await $0.script(
                    "UPDATE carrel.profiles SET is_active = false WHERE handle = 'ada'")
            }
            #expect(try await s.hits(handle) == nil)
            try await s.test.pool.withConnection(as: .service) {
                try await $0.script("UPDATE carrel.profiles SET is_active = true")
            }
            #expect(try await s.hits(handle)?.count == 2)
            _ = try await s.onHandle("document.delete", "\"document\":\"\(s.shared)\"")
            #expect(try await s.hits(handle) == nil)
        }
    }

    @Test("Through a group: members read, who leaves does not, and a group gone shares nothing")
    func groups() async throws {
        try await withSetting { s in
            let group =
                try await s.ask(s.ada, "group.create", "\"name\":\"readers\"")
                .at("result", "group", "id")?.string ?? ""
            #expect(try await s.share("\"group\":\"\(group)\"").at("result") != nil)
            #expect(try await s.open() == nil)
            // The group does not exist for Bob before he belongs to it.
            for method in ["group.delete", "group.addMember", "group.removeMember"] {
                let answer = try await s.ask(
                    s.bob, method, "\"group\":\"\(group)\",\"account\":\"ada\"")
                #expect(answer.errorKind == "not_found", "\(method): \(answer.text)")
            }
            let member = "\"group\":\"\(group)\",\"account\":\"bob\""
            #expect(try await s.ask(s.ada, "group.addMember", member).at("result") != nil)
            let handle = try #require(try await s.open())
            #expect(try await s.hits(handle)?.count == 2)
            let list = try await s.ask(s.bob, "group.list")
            #expect(list.at("result", "groups", "0", "members", "0", "handle")?.string == "bob")
            #expect(
                try await s.ask(s.bob, "group.delete", "\"group\":\"\(group)\"").errorKind
                    == "forbidden")
            // He may leave by himself, and comes back.
            #expect(try await s.ask(s.bob, "group.removeMember", member).at("result") != nil)
            #expect(try await s.hits(handle) == nil)
            _ = try await s.ask(s.ada, "group.addMember", member)
            #expect(try await s.hits(handle)?.count == 2)
            _ = try await s.ask(s.ada, "group.delete", "\"group\":\"\(group)\"")
            #expect(try await s.hits(handle) == nil)
        }
    }

    @Test("What cannot be shared is refused: to oneself, to nobody, to both, in the past")
    func refusals() async throws {
        try await withSetting { s in
            let nowhere = "00000000-0000-4000-8000-000000000000"
            for (params, kind, field) in [
                ("\"account\":\"ada\"", "invalid_params", "account"),
                ("\"account\":\"nobody\"", "not_found", "account"),
                ("\"group\":\"\(nowhere)\"", "not_found", "group"),
                ("\"account\":\"bob\",\"group\":\"\(nowhere)\"", "invalid_params", "account"),
                (
                    "\"account\":\"bob\",\"expiresAt\":\"2020-01-01T00:00:00Z\"",
                    "invalid_params", "expiresAt"
                ),
            ] {
                let answer = try await s.share(params)
                #expect(answer.errorKind == kind, "\(params): \(answer.text)")
                #expect(answer.at("error", "data", "field")?.string == field)
            }
            let foreign = try await s.onHandle(
                "share.create", "\"document\":\"\(nowhere)\",\"account\":\"bob\"")
            #expect(foreign.errorKind == "not_found")
            #expect(
                try await s.onHandle("share.revoke", "\"share\":\"\(nowhere)\"").errorKind
                    == "not_found")
        }
    }
}
