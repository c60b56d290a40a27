// Imported texts and the quota, over real sockets.

import Foundation
import Library
import Postgres
import Testing
import Wire

@Suite("Imported texts count for the quota")
struct ImportQuotaTests {
    private func used(_ client: LineClient) async throws -> Int? {
        try await client.call(8_000, "quota.get").at("result", "usedBytes")?.int
    }

    /// One of ten clients' five imports, of 1,000 bytes in two texts of which some take two bytes a scalar.
    private func importing(_ number: Int, _ handle: String) -> String {
        let text = String(repeating: "é", count: 200) + " \(10_000 + number)"
        let filler = String(repeating: "x", count: 1_000 - text.utf8.count)
        return """
            {"session":"\(handle)","document":"d\(number % 3)",\
            "chunks":[{"text":"\(text)"},{"text":"\(filler)"}]}
            """
    }

    @Test("Of fifty imports at once exactly those that fit are kept, and deletion gives back")
    func parallel() async throws {
        try await withServer { test in
            let (first, _, one) = try await test.session()
            let (_, _, other) = try await test.session()
            _ = try await first.call(
                3, "quota.set", "{\"account\":\"ada\",\"limitBytes\":20500}")
            var clients: [LineClient] = []
            for number in 0..<10 {
                let client = try await test.client()
                let session = number.isMultiple(of: 2) ? one : other
                let opened = try await client.call(
                    1, "session.open", "{\"session\":\"\(session)\"}")
                let handle = try #require(opened.at("result", "handle")?.string)
                for call in 0..<5 {
                    client.push(
                        request(
                            10 + call, "chunk.import", importing(number * 5 + call, handle)))
                }
                clients.append(client)
            }
            var kept = 0
            for client in clients {
                for call in 0..<5 {
                    let answer = try await client.answer(10 + call)
                    if answer.at("result") != nil {
                        kept += 1
                        continue
                    }
                    #expect(answer.errorKind == "quota_exceeded", "\(answer.text)")
                    #expect(answer.at("error", "data", "limit")?.int == 20_500)
                    #expect(answer.at("error", "data", "got")?.string == "1000")
                }
            }
            #expect(kept == 20)
            #expect(try await used(first) == 20_000)
            // What the documents say of themselves is what is counted.
            var sizes: [(session: String, document: String, bytes: Int)] = []
            for session in [one, other] {
                let handle =
                    try await first.call(20, "session.open", "{\"session\":\"\(session)\"}")
                    .at("result", "handle")?.string ?? ""
                let list = try await first.call(
                    21, "document.list", "{\"session\":\"\(handle)\"}")
                for document in try #require(list.at("result", "documents")?.array) {
                    sizes.append(
                        (
                            handle, document.at("id")?.string ?? "",
                            try #require(document.at("bytes")?.int, "\(document.text)")
                        ))
                }
            }
            #expect(sizes.reduce(0) { $0 + $1.bytes } == 20_000)
            let gone = try #require(sizes.first)
            _ = try await first.call(
                22, "document.delete",
                "{\"session\":\"\(gone.session)\",\"document\":\"\(gone.document)\"}")
            #expect(try await used(first) == 20_000 - gone.bytes)
            for session in [one, other] {
                _ = try await first.call(23, "session.delete", "{\"session\":\"\(session)\"}")
            }
            #expect(try await used(first) == 0)
        }
    }

    @Test("An import that is refused counts nothing")
    func refused() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            func add(_ id: Int, _ chunks: String) async throws -> JSONValue {
                try await client.call(
                    id, "chunk.import",
                    "{\"session\":\"\(handle)\",\"document\":\"d\",\"chunks\":[\(chunks)]}")
            }
            #expect(try await add(10, "{\"id\":\"a\",\"text\":\"Straße\"}").at("result") != nil)
            #expect(try await used(client) == 7)
            let again = try await add(11, "{\"id\":\"a\",\"text\":\"another\"}")
            #expect(again.errorKind == "conflict", "\(again.text)")
            #expect(try await used(client) == 7)
            _ = try await client.call(12, "quota.set", "{\"account\":\"ada\",\"limitBytes\":10}")
            let full = try await add(13, "{\"text\":\"four\"}")
            #expect(full.errorKind == "quota_exceeded", "\(full.text)")
            #expect(full.at("error", "data", "expected")?.string == "at most 3 bytes")
            #expect(try await add(14, "{\"text\":\"two\"}").at("result") != nil)
            #expect(try await used(client) == 10)
        }
    }
}
