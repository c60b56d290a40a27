import Testing
import Wire

@Suite("Topics of a session, over a socket")
struct TopicTests {
    private static let lava = ["volcano lava magma", "lava eruption volcano ash"]
    private static let whales = ["whale song ocean", "ocean whale migration krill"]

    @Test("Chunks are related to a topic that is made later, and new chunks as they are stored")
    func relates() async throws {
        try await StudyDesk.with { desk in
            let old = try await desk.store(Self.lava + Self.whales)
            let volcanoes = try await desk.topic("volcano lava", ["magma eruption"])
            let oceans = try await desk.topic("whale ocean")
            #expect(try await desk.found(topics: [volcanoes]) == Set(old.prefix(2)))
            #expect(try await desk.found(topics: [oceans]) == Set(old.suffix(2)))
            #expect(try await desk.found(topics: [volcanoes, oceans]) == Set(old))
            // No job in between: the transaction that stores them relates them.
            let new = try await desk.store(["lava field of a volcano", "pastry and jam"])
            #expect(
                try await desk.found(topics: [volcanoes]) == Set(old.prefix(2) + new.prefix(1)))
            let list = try await desk.call("topic.list")
            #expect(list.at("result", "topics", "0", "chunks")?.int == 3)
            #expect(list.at("result", "topics", "0", "documents")?.int == 1)
            #expect(list.at("result", "topics", "1", "chunks")?.int == 2)
        }
    }

    @Test("The filter is the same from memory and from the database, through every change")
    func bothPlans() async throws {
        try await StudyDesk.with { desk in
            let chunks = try await desk.store(Self.lava + Self.whales)
            let topic = try await desk.topic("volcano lava")
            // The first search has the session read into memory; the second is answered from there.
            _ = try await desk.found(topics: [topic])
            var plans: Set<String> = []
            for _ in 0..<200 where !plans.contains("scan") {
                let answer = try await desk.call("search", "\"text\":\"lava\"")
                plans.insert(answer.at("result", "meta", "plan")?.string ?? "")
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(try await desk.found(topics: [topic], plan: "scan") == Set(chunks.prefix(2)))
            let changed = try await desk.call(
                "topic.update", "\"topic\":\"\(topic)\",\"title\":\"whale ocean\"")
            try await desk.finish(changed)
            #expect(try await desk.found(topics: [topic], plan: "scan") == Set(chunks.suffix(2)))
            try await desk.finish(try await desk.call("topic.delete", "\"topic\":\"\(topic)\""))
            #expect(try await desk.found(topics: [topic], plan: "scan").isEmpty)
            #expect(try await desk.call("topic.list").at("result", "topics", "0") == nil)
        }
    }

    @Test("A deleted topic finds nothing from the moment it is answered, and its chat is gone")
    func deletes() async throws {
        try await StudyDesk.with { desk in
            _ = try await desk.store(Self.lava)
            let topic = try await desk.topic("volcano lava")
            try await desk.call("chat.create", "\"topic\":\"\(topic)\"")
            #expect(try await desk.found(topics: [topic]).count == 2)
            let deleted = try await desk.call("topic.delete", "\"topic\":\"\(topic)\"")
            #expect(try await desk.found(topics: [topic]).isEmpty)
            try await desk.finish(deleted)
            #expect(try await desk.call("chat.list").at("result", "chats", "0") == nil)
            let again = try await desk.call("topic.delete", "\"topic\":\"\(topic)\"")
            #expect(again.errorKind == "not_found")
        }
    }

    @Test("Topics are put in order; an order that leaves one out, or names another, is refused")
    func reorders() async throws {
        try await StudyDesk.with { desk in
            var ids: [String] = []
            for title in ["One", "Two", "Three"] { ids.append(try await desk.topic(title)) }
            func reorder(_ ids: [String]) async throws -> JSONValue {
                let list = ids.map { "\"\($0)\"" }.joined(separator: ",")
                return try await desk.call("topic.reorder", "\"topics\":[\(list)]")
            }
            let done = try await reorder(ids.reversed())
            let titles = done.at("result", "topics")?.array?.compactMap { $0.at("title")?.string }
            #expect(titles == ["Three", "Two", "One"])
            let stranger = "00000000-0000-4000-8000-000000000000"
            for wrong in [Array(ids.prefix(2)), ids + [ids[0]], ids.prefix(2) + [stranger], []] {
                let refused = try await reorder(wrong)
                #expect(refused.errorKind == "invalid_params", "\(refused.text)")
                #expect(refused.at("error", "data", "field")?.string == "topics")
            }
            let fourth = try await desk.call("topic.create", "\"title\":\"Four\"")
            #expect(fourth.at("result", "topic", "order")?.int == 3)
            let first = try await desk.call("topic.list").at("result", "topics", "0", "title")
            #expect(first?.string == "Three")
        }
    }

    @Test("Words that cannot stand are refused by field; a tick relates nothing anew")
    func refusals() async throws {
        try await StudyDesk.with { desk in
            let topic = try await desk.topic("Limits")
            let long = String(repeating: "x", count: 201)
            let subtopics = (0..<33).map { "\"\($0)\"" }.joined(separator: ",")
            for (members, field) in [
                ("\"title\":\"  \"", "title"), ("\"title\":\"\(long)\"", "title"),
                ("\"title\":\"A\",\"subtopics\":[\"b\",\" B \"]", "subtopics[1]"),
                ("\"title\":\"A\",\"subtopics\":[\"\"]", "subtopics[0]"),
                ("\"title\":\"A\",\"subtopics\":[\(subtopics)]", "subtopics"),
            ] {
                let refused = try await desk.call("topic.create", members)
                #expect(refused.errorKind == "invalid_params", "\(members)")
                #expect(refused.at("error", "data", "field")?.string == field, "\(refused.text)")
            }
            let twice = try await desk.call("topic.create", "\"title\":\" limits\"")
            #expect(twice.errorKind == "conflict")
            let ticked = try await desk.call(
                "topic.update", "\"topic\":\"\(topic)\",\"completed\":true")
            #expect(ticked.at("result", "topic", "completed")?.bool == true)
            #expect(ticked.at("result", "job") == nil)
            let other = try await desk.topic("Series")
            let taken = try await desk.call(
                "topic.update", "\"topic\":\"\(other)\",\"title\":\"Limits\"")
            #expect(taken.errorKind == "conflict")
        }
    }

    @Test("The documents of a topic are those of which a tenth is about it")
    func documents() async throws {
        try await StudyDesk.with { desk in
            _ = try await desk.store(Self.lava, in: "volcanoes")
            let others = (0..<20).map { "pastry recipe number \($0) with jam" }
            _ = try await desk.store(Self.lava.prefix(1) + others, in: "kitchen")
            let topic = try await desk.topic("volcano lava")
            let listed = try await desk.call("document.list", "\"topic\":\"\(topic)\"")
            let names = listed.at("result", "documents")?.array?.compactMap {
                $0.at("fileName")?.string
            }
            #expect(names == ["volcanoes"])
            #expect(try await desk.found(topics: [topic]).count == 3)
        }
    }

    @Test("One waiting job serves several topics; a retry with its key makes no second topic")
    func coalesces() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            let desk = StudyDesk(test: test, client: client, handle: handle, id: "")
            let first = try await desk.call(
                "topic.create", "\"title\":\"One\",\"idempotencyKey\":\"k\"")
            let again = try await desk.call(
                "topic.create", "\"title\":\"One\",\"idempotencyKey\":\"k\"")
            #expect(
                first.at("result", "topic", "id")?.string
                    == again.at("result", "topic", "id")?.string)
            let second = try await desk.call("topic.create", "\"title\":\"Two\"")
            #expect(
                first.at("result", "job", "id")?.string
                    == second.at("result", "job", "id")?.string)
        }
    }
}
