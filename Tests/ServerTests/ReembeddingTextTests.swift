// Texts out and vectors in, over the socket: what an engine elsewhere is given, and what is taken of it.

import Foundation
import Testing
import Vectors
import Wire

@Suite("Embedding elsewhere, over the socket")
struct ReembeddingTextTests {
    @Test("Texts go out in pages, vectors come in twice, and the run computes nothing but parents")
    func wholeWay() async throws {
        try await StudyDesk.with { desk in
            let sentences = Embeddery.sentences(40)
            let ids = try await desk.store(sentences)
            let job = try await Embeddery.pausedRun(desk)
            let first = try await desk.client.call(9, "reembed.texts", "{\"job\":\"\(job)\"}")
            #expect(first.at("result", "session")?.string == desk.id)
            #expect(first.at("result", "model", "name")?.string == "noise")
            #expect(first.at("result", "model", "dimension")?.int == 768)
            #expect(first.at("result", "left")?.int == 40, "\(first.text)")

            let texts = try await Embeddery.texts(desk, job, limit: 7)
            #expect(texts.map(\.chunk) == ids.sorted())
            #expect(Set(texts.map(\.text)) == Set(sentences))
            let known = texts.first { $0.text == "Sentence 0 is told of matter 0." }
            #expect(known?.md5 == "d58cb552fc1ae5d74b2e8eb7e9b148a1")

            var vectors: [String] = []
            for text in texts {
                vectors.append(Embeddery.given(text, try await Embeddery.vector(of: text)))
            }
            for (round, expected) in [(1, 15), (2, 15)] {
                let staged = try await Embeddery.stage(desk, job, Array(vectors[..<25]))
                #expect(staged.at("result", "staged")?.int == 25, "round \(round): \(staged.text)")
                #expect(try await Embeddery.left(desk, job) == expected)
                #expect(try await Embeddery.run(desk).at("done")?.int == 25)
            }
            #expect(try await Embeddery.texts(desk, job).map(\.chunk) == texts[25...].map(\.chunk))
            _ = try await Embeddery.stage(desk, job, Array(vectors[25...]))
            #expect(try await Embeddery.left(desk, job) == 0)

            let run = try await Embeddery.finish(desk)
            #expect(run.at("embedded")?.int == 0 && run.at("reused")?.int == 0, "\(run.text)")
            for text in texts {
                let chunk = try await desk.call(
                    "chunk.get", "\"chunk\":\"\(text.chunk)\",\"vector\":true")
                let stored = chunk.at("result", "chunk", "vectorB64")?.string
                #expect(stored == Vector.encode(try await Embeddery.vector(of: text)))
            }
            let found = try await desk.call("search", "\"text\":\"matter\",\"k\":3")
            #expect(found.at("result", "meta", "model")?.string == "noise", "\(found.text)")
            let over = try await desk.client.call(16, "reembed.texts", "{\"job\":\"\(job)\"}")
            #expect(over.errorKind == "conflict" && over.errorField == "job", "\(over.text)")
        }
    }

    @Test("What comes, changes or goes between out and in is embedded, refused or passed over")
    func meanwhile() async throws {
        try await StudyDesk.with { desk in
            _ = try await desk.store(Embeddery.sentences(6))
            _ = try await desk.store(["A text that goes."], in: "another")
            let job = try await Embeddery.pausedRun(desk)
            let texts = try await Embeddery.texts(desk, job)
            let gone = try #require(texts.first { $0.text == "A text that goes." })
            let changed = try #require(texts.first { $0.text != gone.text })
            let documents = try await desk.call("document.list")
            let document = try #require(
                documents.at("result", "documents")?.array?
                    .first { $0.at("fileName")?.string == "another" }?.at("id")?.string,
                "\(documents.text)")
            let deleted = try await desk.call(
                "document.delete", "\"document\":\"\(document)\"")
            #expect(deleted.at("result") != nil, "\(deleted.text)")
            try await desk.test.sql(
                """
                UPDATE carrel.document_chunks SET chunk_text = 'Another text.'
                WHERE id = '\(changed.chunk)'
                """)
            _ = try await desk.store(["A text that came."], in: "a third")

            let unit = [Float(1)] + Array(repeating: 0, count: 767)
            for (text, kind, field) in [
                (gone, "not_found", "vectors[1].chunk"), (changed, "conflict", "vectors[1].md5"),
            ] {
                let other = try #require(
                    texts.first { ![gone.chunk, changed.chunk].contains($0.chunk) })
                let refused = try await Embeddery.stage(
                    desk, job, [Embeddery.given(other, unit), Embeddery.given(text, unit)])
                #expect(refused.errorKind == kind && refused.errorField == field, "\(refused.text)")
                #expect(try await Embeddery.left(desk, job) == 7)
            }
            var vectors: [String] = []
            for text in texts {
                vectors.append(Embeddery.given(text, try await Embeddery.vector(of: text)))
            }
            let staged = try await Embeddery.stage(desk, job, vectors, skipping: true)
            #expect(staged.at("result", "staged")?.int == 5, "\(staged.text)")
            let outdated = staged.at("result", "outdated")?.array?.compactMap(\.string) ?? []
            #expect(Set(outdated) == [gone.chunk, changed.chunk])
            #expect(try await Embeddery.left(desk, job) == 2)

            let run = try await Embeddery.finish(desk)
            #expect(run.at("embedded")?.int == 2, "\(run.text)")
        }
    }

    @Test("A parent is computed again when a child of it is given another vector")
    func givenAgain() async throws {
        try await StudyDesk.with { desk in
            _ = try await desk.store(Embeddery.sentences(2))
            let job = try await Embeddery.pausedRun(desk)
            let texts = try await Embeddery.texts(desk, job)
            func unit(_ place: Int) -> [Float] { (0..<768).map { $0 == place ? 1 : 0 } }
            _ = try await Embeddery.stage(
                desk, job, texts.enumerated().map { Embeddery.given($1, unit($0)) })
            // As if the run had begun, and was paused once its families were staged.
            try await desk.test.sql(
                """
                INSERT INTO carrel.reembedding_vectors
                    (session_id, job_id, chunk_id, text_md5, embedding)
                SELECT c.session_id, '\(job)', c.id, md5(c.chunk_text)::uuid, v.embedding
                FROM carrel.document_chunks AS c
                JOIN carrel.reembedding_vectors AS v
                    ON v.session_id = c.session_id AND v.chunk_id = '\(texts[0].chunk)'
                WHERE c.type = 'PARENT'
                """)
            _ = try await Embeddery.stage(desk, job, [Embeddery.given(texts[0], unit(5))])
            _ = try await Embeddery.finish(desk)
            let parents = try await desk.call("chunk.list", "\"type\":\"PARENT\"")
            let parent = try #require(
                parents.at("result", "chunks", "0", "id")?.string, "\(parents.text)")
            let chunk = try await desk.call(
                "chunk.get", "\"chunk\":\"\(parent)\",\"vector\":true")
            let mean = (0..<768).map { [1, 5].contains($0) ? Float(0.5).squareRoot() : 0 }
            #expect(chunk.at("result", "chunk", "vectorB64")?.string == Vector.encode(mean))
        }
    }

    @Test("What is wrong with a vector is refused by its field, and nothing of the request is kept")
    func refusals() async throws {
        try await StudyDesk.with { desk in
            _ = try await desk.store(Embeddery.sentences(3))
            let job = try await Embeddery.pausedRun(desk)
            let texts = try await Embeddery.texts(desk, job)
            let good = Embeddery.given(texts[0], [1] + Array(repeating: 0, count: 767))
            func named(_ vector: String, md5: String? = nil, chunk: String? = nil) -> String {
                """
                {"chunk":"\(chunk ?? texts[1].chunk)","md5":"\(md5 ?? texts[1].md5)"\(vector)}
                """
            }
            func numbers(_ count: Int, _ last: String = "1") -> String {
                let all = Array(repeating: "1", count: count - 1) + [last]
                return ",\"vector\":[\(all.joined(separator: ","))]"
            }
            let parents = try await desk.call("chunk.list", "\"type\":\"PARENT\"")
            let parent = try #require(parents.at("result", "chunks", "0", "id")?.string)
            let noNumber = Vector.encode(Array(repeating: .nan, count: 768))
            let cases: [(vector: String, kind: String, field: String)] = [
                (named(""), "invalid_params", "vector"),
                (named(numbers(767)), "invalid_vector", "vector"),
                (named(numbers(769)), "invalid_vector", "vector"),
                (named(numbers(384)), "invalid_vector", "vector"),
                (named(numbers(768, "1e99")), "invalid_vector", "vector[767]"),
                (named(numbers(768, "\"1\"")), "invalid_vector", "vector[767]"),
                (named(",\"vectorB64\":\"\(noNumber)\""), "invalid_vector", "vectorB64[0]"),
                (named(",\"vectorB64\":\"AAAAAAA=\""), "invalid_vector", "vectorB64"),
                (
                    named(
                        ",\"vector\":[\(Array(repeating: "0", count: 768).joined(separator: ","))]"),
                    "invalid_vector", "vector"
                ),
                (named(numbers(768), md5: "1234"), "invalid_params", "md5"),
                (
                    named(numbers(768), md5: String(repeating: "0", count: 32)), "conflict", "md5"
                ),
                (named(numbers(768), chunk: texts[0].chunk), "invalid_params", "chunk"),
                (named(numbers(768), chunk: UUID().uuidString), "not_found", "chunk"),
                (named(numbers(768), chunk: parent), "invalid_params", "chunk"),
            ]
            for (vector, kind, field) in cases {
                let answer = try await Embeddery.stage(desk, job, [good, vector])
                #expect(
                    answer.errorKind == kind && answer.errorField == "vectors[1].\(field)",
                    "\(vector.prefix(200)): \(answer.text)")
                #expect(try await Embeddery.left(desk, job) == 3)
            }
            let many = try await Embeddery.stage(desk, job, Array(repeating: good, count: 257))
            #expect(many.errorKind == "invalid_params" && many.errorField == "vectors")
            let none = try await Embeddery.stage(desk, job, [])
            #expect(none.errorKind == "invalid_params" && none.errorField == "vectors")
        }
    }

    @Test("Only a paused run of one's own takes vectors, and no rollback")
    func whose() async throws {
        try await StudyDesk.with { desk in
            _ = try await desk.store(Embeddery.sentences(3))
            let job = try await Embeddery.pausedRun(desk)
            let texts = try await Embeddery.texts(desk, job)
            let vector = Embeddery.given(texts[0], [1] + Array(repeating: 0, count: 767))
            func expect(
                _ kind: String, _ job: String, _ client: LineClient? = nil,
                sourceLocation: SourceLocation = #_sourceLocation
            ) async throws {
                for (method, members) in [
                    ("reembed.texts", ""), ("reembed.stage", ",\"vectors\":[\(vector)]"),
                ] {
                    let answer = try await (client ?? desk.client).call(
                        20, method, "{\"job\":\"\(job)\"\(members)}")
                    #expect(
                        answer.errorKind == kind && answer.errorField == "job",
                        "\(method): \(answer.text)", sourceLocation: sourceLocation)
                }
            }
            try await expect("not_found", job, try await desk.test.client(key: desk.test.otherKey))
            try await expect("not_found", UUID().uuidString)
            let made = try await desk.call("topic.create", "\"title\":\"Matter\"")
            try await desk.finish(made)
            try await expect(
                "not_found", try #require(made.at("result", "job", "id")?.string))

            _ = try await Embeddery.finish(desk)
            try await expect("conflict", job)
            // A rollback has no door in which it could be paused but the one before its worker comes.
            let back = try await desk.client.call(
                21, "reembed.rollback", "{\"session\":\"\(desk.id)\"}")
            let backJob = try #require(
                back.at("result", "runs", "0", "job")?.string, "\(back.text)")
            try await desk.test.sql(
                """
                UPDATE carrel.jobs
                SET state = 'QUEUED', is_paused = true, lease_owner = NULL,
                    lease_expires_at = NULL, finished_at = NULL
                WHERE id = '\(backJob)'
                """)
            try await expect("conflict", backJob)
        }
    }
}
