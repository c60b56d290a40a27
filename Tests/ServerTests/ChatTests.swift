import Testing
import Wire

@Suite("Chats and messages, over a socket")
struct ChatTests {
    @Test("A session has one general chat and each topic one; a second is refused by name")
    func onePerSubject() async throws {
        try await StudyDesk.with { desk in
            let topic = try await desk.topic("Limits")
            let general = try await desk.call("chat.create")
            #expect(general.at("result", "chat", "type")?.string == "GENERAL")
            #expect(general.at("result", "chat", "topic")?.isNull == true)
            let about = try await desk.call("chat.create", "\"topic\":\"\(topic)\"")
            #expect(about.at("result", "chat", "type")?.string == "TOPIC")
            for (first, members) in [(general, ""), (about, "\"topic\":\"\(topic)\"")] {
                let second = try await desk.call("chat.create", members)
                #expect(second.errorKind == "conflict")
                let id = first.at("result", "chat", "id")?.string ?? "none"
                #expect(second.at("error", "message")?.string?.contains(id) == true)
            }
            let stranger = "00000000-0000-4000-8000-000000000000"
            let lost = try await desk.call("chat.create", "\"topic\":\"\(stranger)\"")
            #expect(lost.errorKind == "not_found")
            #expect(lost.at("error", "data", "field")?.string == "topic")
            let listed = try await desk.call("chat.list", "\"limit\":1")
            #expect(listed.at("result", "chats")?.array?.count == 1)
            let next = try #require(listed.at("result", "next")?.string)
            let rest = try await desk.call("chat.list", "\"limit\":1,\"cursor\":\"\(next)\"")
            #expect(rest.at("result", "chats", "0", "type")?.string == "TOPIC")
            #expect(rest.at("result", "next") == nil)
        }
    }

    @Test("Messages are listed page by page as they were said, with what they cite")
    func messages() async throws {
        try await StudyDesk.with { desk in
            let chunks = try await desk.store(["one passage", "another passage"])
            let made = try await desk.call("chat.create")
            let chat = try #require(made.at("result", "chat", "id")?.string)
            #expect(made.at("result", "chat", "started")?.bool == false)
            let cited = chunks.map { "\"\($0)\"" }.joined(separator: ",")
            for (number, role) in ["user", "assistant", "system", "user", "user"].enumerated() {
                let said = try await desk.call(
                    "message.append",
                    """
                    "chat":"\(chat)","role":"\(role)","content":"\(number)",\
                    "citedChunks":[\(number == 1 ? cited : "")]
                    """)
                #expect(said.at("result", "message", "role")?.string == role, "\(said.text)")
            }
            #expect(
                try await desk.call("chat.list").at("result", "chats", "0", "started")?.bool == true
            )
            var contents: [String] = []
            var cursor = ""
            repeat {
                let page = try await desk.call(
                    "message.list", "\"chat\":\"\(chat)\",\"limit\":2\(cursor)")
                let messages = try #require(page.at("result", "messages")?.array)
                contents += messages.compactMap { $0.at("content")?.string }
                cursor = page.at("result", "next")?.string.map { ",\"cursor\":\"\($0)\"" } ?? ""
            } while !cursor.isEmpty
            #expect(contents == ["0", "1", "2", "3", "4"])
            let all = try await desk.call("message.list", "\"chat\":\"\(chat)\"")
            let told = all.at("result", "messages", "1", "citedChunks")?.array
            #expect(told?.compactMap(\.string) == chunks)
        }
    }

    @Test("A citation that the session does not have is refused by its place, and nothing is said")
    func unknownCitation() async throws {
        try await StudyDesk.with { desk in
            let chunks = try await desk.store(["one passage"])
            let made = try await desk.call("chat.create")
            let chat = try #require(made.at("result", "chat", "id")?.string)
            // A chunk of another session of the same account is as unknown as a random id.
            let (client, handle, id) = try await desk.test.session(title: "Other")
            let other = StudyDesk(test: desk.test, client: client, handle: handle, id: id)
            let foreign = try await other.store(["a passage of another session"])
            for stranger in ["00000000-0000-4000-8000-000000000000", foreign[0]] {
                let refused = try await desk.call(
                    "message.append",
                    """
                    "chat":"\(chat)","role":"user","content":"x",\
                    "citedChunks":["\(chunks[0])","\(stranger)"]
                    """)
                #expect(refused.errorKind == "invalid_params", "\(refused.text)")
                #expect(refused.at("error", "data", "field")?.string == "citedChunks[1]")
            }
            let listed = try await desk.call("message.list", "\"chat\":\"\(chat)\"")
            #expect(listed.at("result", "messages")?.array?.count == 0)
            #expect(
                try await desk.call("chat.list").at("result", "chats", "0", "started")?.bool
                    == false)
        }
    }

    @Test("A retry with its key says nothing twice; unknown roles and chats are refused")
    func retriesAndRefusals() async throws {
        try await StudyDesk.with { desk in
            let made = try await desk.call("chat.create")
            let chat = try #require(made.at("result", "chat", "id")?.string)
            let message =
                "\"chat\":\"\(chat)\",\"role\":\"user\",\"content\":\"x\",\"idempotencyKey\":\"m\""
            let first = try await desk.call("message.append", message)
            let again = try await desk.call("message.append", message)
            #expect(
                first.at("result", "message", "id")?.string
                    == again.at("result", "message", "id")?.string)
            let listed = try await desk.call("message.list", "\"chat\":\"\(chat)\"")
            #expect(listed.at("result", "messages")?.array?.count == 1)
            let role = try await desk.call(
                "message.append", "\"chat\":\"\(chat)\",\"role\":\"tool\",\"content\":\"x\"")
            #expect(role.at("error", "data", "field")?.string == "role")
            let stranger = "00000000-0000-4000-8000-000000000000"
            for method in ["message.append", "message.list"] {
                let lost = try await desk.call(
                    method, "\"chat\":\"\(stranger)\",\"role\":\"user\",\"content\":\"x\"")
                #expect(lost.errorKind == "not_found")
                #expect(lost.at("error", "data", "field")?.string == "chat")
            }
        }
    }
}
