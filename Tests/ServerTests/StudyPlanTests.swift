import Library
import Postgres
import Testing
import Wire

@Suite("Plans of study, over a socket")
struct StudyPlanTests {
    private static let subjects = [
        "volcano lava magma eruption", "whale ocean krill migration", "violin sonata melody bow",
    ]

    /// Three documents about three subjects; their chunks by subject.
    private func fill(_ desk: StudyDesk) async throws -> [[String]] {
        var chunks: [[String]] = []
        for (index, subject) in Self.subjects.enumerated() {
            let texts = (0..<12).map { "\(subject) \(subject) item \(index) \($0)" }
            chunks.append(try await desk.store(texts, in: "subject \(index)"))
        }
        return chunks
    }

    @Test("A plan is drafted, edited and accepted; then its topics find their chunks")
    func wholeWay() async throws {
        try await StudyDesk.with { desk in
            // Who wants the plan before anything else says so while the session is empty.
            #expect(try await desk.move(to: "GENERATING_PLAN").at("result") != nil)
            let chunks = try await fill(desk)
            #expect(try await desk.status() == "GENERATING_PLAN")
            let drafted = try await desk.call("session.plan.draft")
            #expect(drafted.at("result", "plan", "version")?.int == 1, "\(drafted.text)")
            #expect(drafted.at("result", "plan", "topics", "0", "evidence", "chunks", "0") != nil)
            #expect(try await desk.status() == "EDITING_PLAN")
            let again = try await desk.call("session.plan.draft")
            #expect(again.at("result")?.text == drafted.at("result")?.text)
            let edited = try await desk.call(
                "session.plan.edit",
                """
                "topics":[{"title":"whale ocean","subtopics":["krill migration"]},\
                {"title":"volcano lava"}]
                """)
            #expect(edited.at("result", "plan", "topics", "1", "order")?.int == 1)
            let shown = try await desk.client.call(5, "session.get", "{\"session\":\"\(desk.id)\"}")
            #expect(
                shown.at("result", "session", "plan")?.text == edited.at("result", "plan")?.text)
            let accepted = try await desk.call("session.plan.accept")
            let topics = try #require(accepted.at("result", "topics")?.array).compactMap {
                $0.at("id")?.string
            }
            try await desk.finish(accepted)
            #expect(try await desk.status() == "ACTIVE")
            #expect(try await desk.found(topics: [topics[0]]) == Set(chunks[1]))
            #expect(try await desk.found(topics: [topics[1]]) == Set(chunks[0]))
        }
    }

    @Test("An active session is planned too, and stays active; its topics keep their chats")
    func activeSession() async throws {
        try await StudyDesk.with { desk in
            _ = try await fill(desk)
            #expect(try await desk.status() == "ACTIVE")
            #expect(try await desk.call("session.plan.draft").at("result", "plan") != nil)
            #expect(try await desk.status() == "ACTIVE")
            try await desk.finish(try await desk.call("session.plan.accept"))
            let listed = try await desk.call("topic.list")
            let topics = try #require(listed.at("result", "topics")?.array).compactMap {
                $0.at("id")?.string
            }
            try await desk.call("chat.create", "\"topic\":\"\(topics[0])\"")
            // Accepting the same plan again makes nothing new.
            try await desk.finish(try await desk.call("session.plan.accept"))
            let same = try await desk.call("topic.list")
            #expect(
                same.at("result", "topics")?.array?.compactMap { $0.at("id")?.string } == topics)
            // Another plan would take the others away: only when told so.
            let title = listed.at("result", "topics", "0", "title")?.string ?? ""
            try await desk.call(
                "session.plan.edit", "\"topics\":[{\"title\":\"New\"},{\"title\":\"\(title)\"}]")
            #expect(try await desk.call("session.plan.accept").errorKind == "conflict")
            let replaced = try await desk.call("session.plan.accept", "\"replace\":true")
            try await desk.finish(replaced)
            #expect(replaced.at("result", "topics", "1", "id")?.string == topics[0])
            let chats = try await desk.call("chat.list")
            #expect(chats.at("result", "chats", "0", "topic")?.string == topics[0])
        }
    }

    @Test("Refused moves say from where and to where, and change nothing")
    func refusedMoves() async throws {
        try await StudyDesk.with { desk in
            for (to, text) in [
                ("ACTIVE", "A session cannot move from UPLOADING to ACTIVE."),
                ("EDITING_PLAN", "A session cannot move from UPLOADING to EDITING_PLAN."),
            ] {
                let refused = try await desk.move(to: to)
                #expect(refused.errorKind == "conflict")
                #expect(refused.at("error", "message")?.string == text, "\(refused.text)")
                #expect(refused.at("error", "data", "field")?.string == "status")
            }
            let unknown = try await desk.move(to: "SLEEPING")
            #expect(unknown.errorKind == "invalid_params")
            #expect(try await desk.call("session.plan.draft").errorKind == "conflict")
            #expect(try await desk.call("session.plan.accept").errorKind == "conflict")
            let early = try await desk.call("session.plan.edit", "\"topics\":[{\"title\":\"A\"}]")
            #expect(early.errorKind == "conflict")
            #expect(early.at("error", "message")?.string?.contains("UPLOADING") == true)
            #expect(try await desk.status() == "UPLOADING")
        }
    }

    @Test("Topics that cannot stand side by side are refused by field")
    func refusedEdits() async throws {
        try await StudyDesk.with { desk in
            _ = try await desk.store(["one passage"])
            for (topics, field) in [
                ("{\"title\":\"A\"},{\"title\":\" a \"}", "topics[1].title"),
                ("{\"title\":\"A\"},{\"title\":\" \"}", "topics[1].title"),
                ("{\"title\":\"A\",\"subtopics\":[\"b\",\"b\"]}", "topics[0].subtopics[1]"),
                ("", "topics"),
            ] {
                let refused = try await desk.call("session.plan.edit", "\"topics\":[\(topics)]")
                #expect(refused.errorKind == "invalid_params", "\(topics)")
                #expect(refused.at("error", "data", "field")?.string == field, "\(refused.text)")
            }
            #expect(try await desk.call("session.plan.accept").errorKind == "conflict")
        }
    }
}
