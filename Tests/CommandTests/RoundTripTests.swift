// The life of a server as its user sees it, on a PostgreSQL of its own: serve, fill, ask, stop.

import Foundation
import TestSupport
import Testing

@Suite("A server from start to stop", .serialized)
struct RoundTripTests {
    private let notes = """
        # Operating systems

        ## Scheduling

        The scheduler picks the next process from the run queue. A time slice lasts ten milliseconds.

        ## Memory

        A page fault loads a page from the disk. The translation buffer remembers recent addresses.
        """

    /// Serves in a home of its own, lends `carrel ARGUMENTS…` to `body`, then stops with SIGTERM.
    private func serving(
        _ body: (_ home: String, _ carrel: ([String]) async throws -> Outcome) async throws -> Void
    ) async throws {
        let home = try TestDirectory.make("serve-\(UUID().uuidString.prefix(8))")
        let server = try Running(["serve", "--port", "0"], home: home)
        defer { server.kill() }
        _ = try await server.line(holding: "carrel: listening on 127.0.0.1:")
        try await body(home) { try await CarrelProcess.run($0, home: home) }
        server.terminate()
        let outcome = await server.ended()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("carrel: stopped"))
    }

    @Test("Documents go in and answers come out; SIGTERM ends it with 0")
    func roundTrip() async throws {
        try await serving { home, carrel in
            let file = home + "/notes.md"
            try notes.write(toFile: file, atomically: true, encoding: .utf8)

            let mode =
                try FileManager.default
                .attributesOfItem(atPath: home + "/client.json")[.posixPermissions] as? Int
            #expect(mode == 0o600, "client.json is for its owner only")

            let made = try await carrel(["session", "create", "Systems"])
            #expect(made.status == 0, "\(made.errors)")
            #expect(UUID(uuidString: made.output.trimmingCharacters(in: .newlines)) != nil)

            let ingested = try await carrel(["ingest", file, "--session", "Systems"])
            #expect(ingested.status == 0, "\(ingested.errors)")
            #expect(ingested.output.contains("ingested"))
            let again = try await carrel(["ingest", file, "--session", "Systems"])
            #expect(again.status == 0 && again.output.contains("present"), "\(again)")

            let found = try await carrel([
                "search", "page fault disk", "--session", "Systems", "--json",
            ])
            let answer = try decode(found)
            let hits = try #require(answer["hits"] as? [[String: Any]])
            #expect((hits.first?["text"] as? String)?.contains("page fault") == true)
            #expect(hits.first?["section"] as? [String] == ["Operating systems"])

            let shown = try await carrel(["search", "time slice", "--session", "Systems"])
            #expect(shown.output.contains("notes.md, p. 1"), "\(shown)")
            #expect(shown.output.contains("chunks examined"))

            let listed = try await carrel(["session", "list"])
            #expect(listed.output.contains("Systems"))
            let status = try await carrel(["status"])
            #expect(status.output.contains("pgvector"), "\(status)")
        }
    }

    @Test("A file that cannot be read is reported and fails the command; the others are in")
    func damagedFile() async throws {
        try await serving { home, carrel in
            try notes.write(toFile: home + "/good.md", atomically: true, encoding: .utf8)
            try Data("%PDF-1.7 and no more".utf8).write(to: URL(filePath: home + "/torn.pdf"))
            let outcome = try await carrel([
                "ingest", home + "/good.md", home + "/torn.pdf", "--session", "Mixed", "--create",
            ])
            #expect(outcome.status == 1)
            #expect(outcome.output.contains("ingested") && outcome.output.contains("failed"))
            #expect(outcome.errors.contains("1 of 2 documents failed"), "\(outcome)")
        }
    }

    @Test("Passages are imported from JSON lines, with ids of the user's own")
    func importing() async throws {
        try await serving { home, carrel in
            let lines = (1...300).map {
                "{\"text\":\"Passage number \($0) speaks of apples.\",\"id\":\"p\($0)\"}"
            }
            try lines.joined(separator: "\n")
                .write(toFile: home + "/passages.jsonl", atomically: true, encoding: .utf8)
            _ = try await carrel(["session", "create", "Apples"])
            let outcome = try await carrel([
                "import", home + "/passages.jsonl", "--session", "Apples",
            ])
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.contains("imported 300 passages into 1 documents"))

            try "{\"txt\":\"\"}".write(
                toFile: home + "/wrong.jsonl", atomically: true, encoding: .utf8)
            let wrong = try await carrel(["import", home + "/wrong.jsonl", "--session", "Apples"])
            #expect(wrong.status == 1)
            #expect(wrong.errors.contains("line 1: there is no \"text\""))
        }
    }

    @Test("A judged collection is loaded once and rated the same twice")
    func evaluating() async throws {
        let tiny = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/tiny").path
        try await serving { _, carrel in
            let first = try await carrel(["evaluate", tiny, "--json"])
            #expect(first.status == 0, "\(first.errors)")
            let report = try decode(first)
            #expect(report["passages"] as? Int == 6)
            #expect(report["emptyPassages"] as? Int == 1)
            let quality = try #require(report["quality"] as? [String: Any])
            // Every question repeats its passage's words, so even a lexical model finds it first; the
            // second question has two relevant passages, of which one shares no word with it.
            #expect(quality["questions"] as? Int == 3)
            #expect(quality["mrr10"] as? Double == 1)
            #expect(quality["recall100"] as? Double == 1)

            let second = try await carrel(["evaluate", tiny, "--json"])
            #expect(try decode(second)["quality"] as? NSDictionary == quality as NSDictionary)
            #expect(!second.errors.contains("load"))
            let table = try await carrel(["evaluate", tiny])
            #expect(table.output.contains("nDCG@10"))
            #expect(table.fits(120))
        }
    }

    @Test("Migrations and keys work on the database itself, beside the running server")
    func besideTheServer() async throws {
        try await serving { home, carrel in
            let verified = try await carrel(["migrate", "verify"])
            #expect(verified.status == 0, "\(verified)")
            let made = try await carrel(["key", "create", "reader", "--scopes", "read"])
            #expect(made.output.hasPrefix("ck_"), "\(made)")
            #expect(try await carrel(["key", "list"]).output.contains("reader"))
            #expect(try await carrel(["key", "revoke", "reader"]).status == 0)
            #expect(try await carrel(["key", "list"]).output.contains("revoked"))
        }
    }

    @Test("The benchmark's smoke finds every nearest chunk, and the same ones twice")
    func smoke() async throws {
        try await serving { _, carrel in
            var digests: Set<String> = []
            for _ in 0..<2 {
                let outcome = try await carrel([
                    "bench", "search", "--sizes", "300", "--count", "20", "--json",
                ])
                #expect(outcome.status == 0, "\(outcome.errors)")
                let results = try decode(outcome)["results"] as? [[String: Any]]
                let result = try #require(results?.first)
                #expect(result["chunks"] as? Int == 300)
                #expect(result["recall10"] as? Double == 1)
                digests.insert(try #require(result["answers"] as? String))
            }
            #expect(digests.count == 1, "\(digests)")
        }
    }

    @Test("A bench of re-embedding says so when there is no second model")
    func oneModel() async throws {
        try await serving { _, carrel in
            let outcome = try await carrel(["bench", "reembed", "--sizes", "300"])
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.errors.contains("no model but hashing-lexical"), "\(outcome.errors)")
        }
    }

    private func decode(_ outcome: Outcome) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        return try #require(object as? [String: Any])
    }
}
