import Foundation
import Ingestion
import Testing
import Wire

@Suite("A citation, over a socket")
struct CitationTests {
    private static let first = """
        # Statement

        The borrower earns 7,083.33 a month, an e\u{FB03}cient sum,
        under a con-
        tract with Acme Works.

        # Assets

        A savings account holds 12,500 dollars as of March.
        """

    private func borrower(_ client: LineClient, _ handle: String) async throws -> String {
        let created = try await client.call(
            8_000, "borrower.create",
            "{\"session\":\"\(handle)\",\"name\":\"Ada\",\"confidence\":\"1\"}")
        return try #require(created.at("result", "borrower", "id")?.string, "\(created.text)")
    }

    private func cite(
        _ client: LineClient, _ handle: String, _ borrower: String, _ document: String,
        _ snippet: String, page: Int = 1
    ) async throws -> JSONValue {
        var writer = JSONWriter()
        writer.object {
            $0.member("session", handle)
            $0.member("borrower", borrower)
            $0.member("document", document)
            $0.member("page", page)
            $0.member("snippet", snippet)
        }
        return try await client.call(8_001, "borrower.addReference", writer.text)
    }

    private func read(
        _ client: LineClient, _ handle: String, _ document: String, _ span: [Int]
    ) async throws -> String? {
        let answer = try await client.call(
            8_002, "document.text",
            """
            {"session":"\(handle)","document":"\(document)","start":\(span[0]),"end":\(span[1])}
            """)
        return answer.at("result", "text")?.string
    }

    @Test("A snippet that stands on the page gets its span and the smallest chunk around it")
    func accepted() async throws {
        try await withServer { test in
            let worker = Task { await test.ingestor.run() }
            defer { worker.cancel() }
            let (client, handle, _) = try await test.session()
            let document = try await client.ingest("loan.txt", Self.first, in: handle)
            let borrower = try await borrower(client, handle)
            let answer = try await cite(
                client, handle, borrower, document, "an efficient sum, under a contract with  Acme")
            let reference = try #require(answer.at("result", "reference"), "\(answer.text)")
            let span = try #require(reference.at("span")?.array).compactMap(\.int)
            #expect(
                try await read(client, handle, document, span)
                    == "an e\u{FB03}cient sum,\nunder a con-\ntract with Acme")
            let chunk = try #require(reference.at("chunk")?.string)
            let found = try await client.call(
                20, "chunk.get", "{\"session\":\"\(handle)\",\"chunk\":\"\(chunk)\"}")
            #expect(found.at("result", "chunk", "type")?.string == "CHILD")
            let around = try #require(found.at("result", "chunk", "span")?.array).compactMap(\.int)
            #expect(around[0] <= span[0] && span[1] <= around[1])
        }
    }

    @Test("A snippet that does not stand there is refused, with what is nearest; nothing is kept")
    func refused() async throws {
        try await withServer { test in
            let worker = Task { await test.ingestor.run() }
            defer { worker.cancel() }
            let (client, handle, _) = try await test.session()
            let document = try await client.ingest("loan.txt", Self.first, in: handle)
            let borrower = try await borrower(client, handle)
            let long = String(repeating: "never said ", count: 40)
            for (snippet, page, field, expected, got) in [
                (
                    "The borrower earns 9,083.33 a month", 1, "snippet",
                    "nearest, on page 1: \"The borrower earns 7,083.33 a month\"",
                    "\"The borrower earns 9,083.33 a month\""
                ),
                ("nothing of the kind", 1, "snippet", "nothing like it", "\"nothing of the kind\""),
                ("083.33 a month", 1, "snippet", "page 1", "\"083.33 a month\""),
                (long, 1, "snippet", "nothing like it", "\"\(long.prefix(80))…\""),
                ("A savings account", 2, "page", "from 1 to 1", "2"),
                ("- -", 1, "snippet", "nothing like it", "\"- -\""),
            ] {
                let answer = try await cite(client, handle, borrower, document, snippet, page: page)
                #expect(answer.errorKind == "invalid_params", "\(answer.text)")
                #expect(answer.at("error", "data", "field")?.string == field, "\(answer.text)")
                #expect(answer.at("error", "data", "got")?.string == got, "\(answer.text)")
                #expect(
                    answer.at("error", "data", "expected")?.string?.contains(expected) == true,
                    "\(answer.text)")
            }
            let got = try await client.call(
                30, "borrower.get", "{\"session\":\"\(handle)\",\"borrower\":\"\(borrower)\"}")
            #expect(got.at("result", "borrower", "references")?.array?.count == 0)
        }
    }

    @Test("After a revision was ingested, citations are unchanged, moved, edited or gone")
    func verified() async throws {
        try await withServer { test in
            let worker = Task { await test.ingestor.run() }
            defer { worker.cancel() }
            let (client, handle, _) = try await test.session()
            let old = try await client.ingest("loan.txt", Self.first, in: handle)
            let borrower = try await borrower(client, handle)
            var references: [JSONValue] = []
            for snippet in [
                "The borrower earns 7,083.33 a month", "under a contract with Acme Works",
                "A savings account holds 12,500 dollars",
            ] {
                let answer = try await cite(client, handle, borrower, old, snippet)
                references.append(try #require(answer.at("result", "reference"), "\(answer.text)"))
            }
            func verify(_ number: Int, _ rest: String) async throws -> JSONValue {
                try await client.call(
                    100 + number, "citation.verify", "{\"session\":\"\(handle)\",\(rest)}")
            }
            for (number, reference) in references.enumerated() {
                let id = try #require(reference.at("id")?.string)
                let answer = try await verify(number, "\"reference\":\"\(id)\"")
                #expect(answer.at("result", "status")?.string == "unchanged", "\(answer.text)")
            }
            // The revision: one amount changed, a sentence put in between, one section gone.
            let revised = Self.first
                .replacingOccurrences(of: "7,083.33", with: "7,500.00")
                .replacingOccurrences(of: "sum,\n", with: "sum, paid by cheque,\n")
                .components(separatedBy: "\n# Assets")[0]
            let new = try await client.ingest("loan.txt", revised, in: handle)
            let expected = ["edited", "moved", "gone"]
            for (number, reference) in references.enumerated() {
                let id = try #require(reference.at("id")?.string)
                let answer = try await verify(10 + number, "\"reference\":\"\(id)\"")
                #expect(answer.at("result", "status")?.string == expected[number], "\(answer.text)")
                #expect(answer.at("result", "document", "id")?.string == new)
                // The first version is still there, and still says it.
                let before = try await verify(
                    20 + number, "\"reference\":\"\(id)\",\"document\":\"\(old)\"")
                #expect(before.at("result", "status")?.string == "unchanged", "\(before.text)")
            }
            let edited = try await verify(
                30, "\"reference\":\"\(try #require(references[0].at("id")?.string))\"")
            #expect(
                edited.at("result", "difference")?.array?.compactMap { change in
                    "\(change.at("kind")?.string ?? "") \(change.at("text")?.string ?? "")"
                } == [
                    "same The borrower earns", "removed 7,083.33", "added 7,500.00", "same a month",
                ], "\(edited.text)")
            #expect(edited.at("result", "text")?.string == "The borrower earns 7,500.00 a month")
            // The old version goes, and its references with it; who kept them can still ask.
            _ = try await client.call(
                40, "document.delete", "{\"session\":\"\(handle)\",\"document\":\"\(old)\"}")
            let gone = try await verify(
                41, "\"reference\":\"\(try #require(references[0].at("id")?.string))\"")
            #expect(gone.errorKind == "not_found")
            for (number, reference) in references.enumerated() {
                let kept = """
                    "citation":{"snippet":"\(reference.at("snippet")?.string ?? "")","page":1,\
                    "span":\(reference.at("span")?.text ?? "")}
                    """
                for (way, place) in ["\"fileName\":\"loan.txt\"", "\"document\":\"\(new)\""]
                    .enumerated()
                {
                    let answer = try await verify(50 + 2 * number + way, "\(kept),\(place)")
                    #expect(
                        answer.at("result", "status")?.string == expected[number], "\(answer.text)")
                }
            }
        }
    }

    @Test("What a viewer copies out of a real PDF is cited: divided words, ligatures, other gaps")
    func realDocument() async throws {
        let path = SharedFiles.documents + "multicolumn.pdf"
        guard FileManager.default.fileExists(atPath: path) else { return }
        try await withServer { test in
            let worker = Task { await test.ingestor.run() }
            defer { worker.cancel() }
            let (client, handle, _) = try await test.session()
            let document = try await client.upload(file: path, in: handle)
            let borrower = try await borrower(client, handle)
            let pages = try await client.call(
                10, "page.list", "{\"session\":\"\(handle)\",\"document\":\"\(document)\"}")
            var cited = 0
            for page in try #require(pages.at("result", "pages")?.array) {
                let number = try #require(page.at("number")?.int)
                let span = try #require(page.at("span")?.array).compactMap(\.int)
                let text = try #require(try await read(client, handle, document, span))
                let words = text.matches(
                    of: /\p{L}{4,} (\p{Ll}{3})(\p{Ll}{4,}) \p{L}{4,}/)
                for match in words.prefix(3) {
                    let (head, tail) = (match.1, match.2)
                    let stands = String(match.0)
                    let whole = "\(head)\(tail)"
                    for copied in [
                        "\(head)-\n\(tail)", "\(head)- \(tail)", "\(head)\u{AD}\(tail)",
                        whole.replacingOccurrences(of: "fi", with: "\u{FB01}"),
                    ] {
                        let answer = try await cite(
                            client, handle, borrower, document,
                            stands.replacingOccurrences(of: whole, with: copied)
                                .replacingOccurrences(of: " ", with: "\n  "), page: number)
                        let span = answer.at("result", "reference", "span")?.array
                        let place = try #require(span, "\(answer.text)").compactMap { $0.int }
                        #expect(try await read(client, handle, document, place) == stands)
                        cited += 1
                    }
                }
            }
            #expect(cited > 0)
        }
    }
}

/// Real documents beside the repository; tests that need them pass where they are not at hand.
enum SharedFiles {
    static let documents =
        (ProcessInfo.processInfo.environment["CARREL_SHARED_DATA"] ?? "../shared/data")
        + "/documents/"
}
