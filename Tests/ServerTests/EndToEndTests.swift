import Foundation
import Ingestion
import Postgres
import Testing
import Vectors
import Wire

@Suite("Documents in, exact answers out, over a socket")
struct EndToEndTests {
    @Test("Imported vectors are found as brute force finds them, score for score")
    func bruteForce() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            var random = Seeded(state: 20_261_121)
            let rows = (0..<400).map { _ in vector(using: &random) }
            var ids: [String] = []
            for start in stride(from: 0, to: rows.count, by: 100) {
                let chunks = rows[start..<start + 100].enumerated().map { index, row in
                    """
                    {"text":"Text number \(start + index).",\
                    "vectorB64":"\(Vector.encode(row.values))"}
                    """
                }
                let answer = try await client.call(
                    100 + start, "chunk.import",
                    """
                    {"session":"\(handle)","document":"rows",\
                    "chunks":[\(chunks.joined(separator: ","))]}
                    """)
                ids += answer.at("result", "chunks")?.array?.compactMap(\.string) ?? []
            }
            #expect(Set(ids).count == rows.count)
            for query in (0..<10).map({ _ in vector(using: &random) }) {
                let expected = rows.enumerated()
                    .map { (id: ids[$0.offset], score: dot($0.element, query)) }
                    .sorted { $0.score > $1.score }.prefix(10)
                let numbers = query.values.map(\.description).joined(separator: ",")
                let answer = try await client.call(
                    7, "search",
                    """
                    {"session":"\(handle)","vector":[\(numbers)],"k":10,"expand":"none",\
                    "mode":"dense","consistency":"session","filter":{"types":["CHILD"]}}
                    """)
                let hits = Array(try #require(answer.at("result", "hits")?.array))
                #expect(hits.compactMap { $0.at("chunk")?.string } == expected.map(\.id))
                for (hit, best) in zip(hits, expected) {
                    #expect(abs((hit.at("score")?.double ?? 9) - best.score) < 1e-5)
                }
                #expect(answer.at("result", "meta", "certificate", "kind")?.string == "proven")
                #expect(answer.at("result", "meta", "examined")?.int == rows.count)
                for stage in ["queue", "embed", "scan", "rerank", "expand", "encode"] {
                    let time = answer.at("result", "meta")?.object?["tookUs"]?.object?
                        .first { $0.key == stage }?.value.int
                    #expect((time ?? -1) >= 0, "\(stage)")
                }
                let hit = try #require(hits.first)
                #expect(hit.at("rank")?.int == 1)
                #expect(hit.at("scores", "lexical")?.isNull == true)
                #expect(hit.at("scores", "fused")?.isNull == true)
                #expect(hit.at("document", "fileName")?.string == "rows")
                let batch = try await client.call(
                    8, "search.batch",
                    """
                    {"session":"\(handle)","k":3,"queries":[{"vector":[\(numbers)]},\
                    {"vectorB64":"\(Vector.encode(query.values))"}]}
                    """)
                for place in ["0", "1"] {
                    #expect(
                        batch.at("result", "results", place, "hits", "2", "chunk")?.string
                            == expected[2].id)
                }
            }
        }
    }

    @Test("An ingested text is followed to its end, listed, read back by span, and deleted")
    func ingest() async throws {
        try await withServer { test in
            let worker = Task { await test.ingestor.run() }
            defer { worker.cancel() }
            let (client, handle, _) = try await test.session()
            let text =
                "# Fixed points\\n\\nA contraction has one fixed point. Iterate to find it.\\n"
            let ingested = try await client.call(
                10, "document.ingest",
                "{\"session\":\"\(handle)\",\"fileName\":\"fixed.md\",\"text\":\"\(text)\"}")
            let document = try #require(ingested.at("result", "document", "id")?.string)
            let job = try #require(ingested.at("result", "job", "id")?.string)
            let subscribed = try await client.call(11, "job.subscribe", "{\"job\":\"\(job)\"}")
            if subscribed.at("result", "job", "state")?.string != "SUCCEEDED" {
                let end = try await client.next("the end of the job", within: .seconds(180)) {
                    ["SUCCEEDED", "FAILED"].contains($0.at("params", "state")?.string ?? "")
                }
                #expect(end.at("params", "state")?.string == "SUCCEEDED", "\(end.text)")
            }
            let scope = "\"session\":\"\(handle)\",\"document\":\"\(document)\""
            let stored = try await client.call(12, "document.get", "{\(scope)}")
            #expect(stored.at("result", "document", "status")?.string == "COMPLETED")
            let pages = try await client.call(13, "page.list", "{\(scope)}")
            #expect(pages.at("result", "pages", "0", "number")?.int == 1)
            let sections = try await client.call(14, "section.list", "{\(scope)}")
            #expect(sections.at("result", "sections", "0", "id")?.string != nil)
            let chunks = try await client.call(15, "chunk.list", "{\(scope),\"type\":\"CHILD\"}")
            let chunk = try #require(chunks.at("result", "chunks", "0"))
            let span = try #require(chunk.at("span")?.array).compactMap(\.int)
            let read = try await client.call(
                16, "document.text", "{\(scope),\"start\":\(span[0]),\"end\":\(span[1])}")
            #expect(read.at("result", "text")?.string == chunk.at("text")?.string)
            let one = try await client.call(
                17, "chunk.get",
                """
                {"session":"\(handle)","chunk":"\(chunk.at("id")?.string ?? "")","vector":true}
                """)
            #expect(one.at("result", "chunk", "vectorB64")?.string?.utf8.count == 4096)
            let found = try await client.call(
                18, "search",
                "{\"session\":\"\(handle)\",\"text\":\"fixed point\",\"expand\":\"parent\"}")
            #expect(found.at("result", "hits", "0", "parent", "children", "0") != nil)
            let twice = try await client.call(
                19, "document.ingest",
                "{\"session\":\"\(handle)\",\"fileName\":\"copy.md\",\"text\":\"\(text)\"}")
            #expect(twice.errorKind == "conflict")
            #expect(twice.at("error", "data", "got")?.string == document)
            #expect(
                try await client.call(20, "document.delete", "{\(scope)}")
                    .at("result", "deleted")?.bool == true)
            #expect(
                try await client.call(21, "document.get", "{\(scope)}").errorKind == "not_found")
        }
    }

    @Test("An upload arrives in pieces of any order; a hole or a wrong hash is refused")
    func upload() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            let bytes = Array(String(repeating: "One sentence more. ", count: 500).utf8)
            func begin(_ id: Int, _ more: String = "") async throws -> String {
                let begun = try await client.call(
                    id, "document.upload.begin",
                    """
                    {"session":"\(handle)","fileName":"../up.txt","bytes":\(bytes.count)\(more)}
                    """)
                return begun.at("result", "upload")?.string ?? begun.text
            }
            func piece(_ id: Int, _ upload: String, _ range: Range<Int>) async throws -> JSONValue {
                try await client.call(
                    id, "document.upload.chunk",
                    """
                    {"upload":"\(upload)","offset":\(range.lowerBound),\
                    "dataB64":"\(Base64.encode(Array(bytes[range])))"}
                    """)
            }
            let upload = try await begin(10)
            _ = try await piece(11, upload, 5000..<bytes.count)
            let early = try await client.call(
                12, "document.upload.commit", "{\"upload\":\"\(upload)\"}")
            #expect(early.errorKind == "invalid_params")
            let whole = try await piece(13, upload, 0..<5000)
            #expect(whole.at("result", "received")?.int == bytes.count)
            let committed = try await client.call(
                14, "document.upload.commit", "{\"upload\":\"\(upload)\"}")
            #expect(committed.at("result", "document", "bytes")?.int == bytes.count)
            #expect(committed.at("result", "document", "fileName")?.string?.contains("/") == false)
            let gone = try await client.call(
                15, "document.upload.commit", "{\"upload\":\"\(upload)\"}")
            #expect(gone.errorKind == "not_found")

            let wrong = try await begin(
                16, ",\"sha256\":\"\(String(repeating: "0", count: 64))\"")
            _ = try await piece(17, wrong, 0..<bytes.count)
            let refused = try await client.call(
                18, "document.upload.commit", "{\"upload\":\"\(wrong)\"}")
            #expect(refused.at("error", "data", "field")?.string == "sha256")
        }
    }

    @Test("A list goes on where its cursor says, and ends")
    func paging() async throws {
        try await withServer { test in
            let client = try await test.client()
            for id in 1...5 {
                try await client.call(id, "session.create", "{\"title\":\"Session \(id)\"}")
            }
            var titles: [String] = []
            var cursor = ""
            for id in 10..<20 {
                let page = try await client.call(id, "session.list", "{\"limit\":2\(cursor)}")
                titles +=
                    page.at("result", "sessions")?.array?.compactMap { $0.at("title")?.string }
                    ?? []
                guard let next = page.at("result", "next")?.string else { break }
                cursor = ",\"cursor\":\"\(next)\""
            }
            #expect(titles == (1...5).reversed().map { "Session \($0)" })
            let bad = try await client.call(30, "session.list", "{\"cursor\":\"AAAA\"}")
            #expect(bad.errorKind == "invalid_params")
        }
    }

    @Test("Errors of the database are told without its words")
    func unavailable() async throws {
        try await withServer { test in
            let client = try await test.client()
            await test.pool.shutdown()
            let answer = try await client.call(1, "session.list")
            #expect(answer.errorKind == "unavailable")
            #expect(answer.at("error", "data", "retryable")?.bool == true)
            #expect(answer.at("error", "message")?.string?.contains("carrel.") == false)
            #expect(try await client.call(2, "ping").at("result") != nil)
        }
    }

    private func vector(using random: inout Seeded) -> UnitVector {
        let values = (0..<768).map { _ in Float.random(in: -1...1, using: &random) }
        return try! UnitVector(normalizing: values)
    }

    private func dot(_ a: UnitVector, _ b: UnitVector) -> Double {
        zip(a.values, b.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
}

/// Random numbers that a seed repeats (SplitMix64; Steele, Lea and Flood, OOPSLA 2014).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
