// Texts out as shards, vectors back: with an engine of the test's own, and with Spark.

import CarrelClient
import Foundation
import Testing
import Wire

@Suite("Embedding on other machines", .serialized)
struct ReembedShardTests {
    /// Resumes, waits for the switch, and compares every vector and an answer with the model's.
    private func finish(_ desk: ShardDesk, _ rows: [ShardRow], within tolerance: Float) async throws
    {
        let resumed = try await desk.carrel("reembed", "resume", "--session", desk.session)
        #expect(resumed.status == 0, "\(resumed.errors)")
        let followed = try await desk.carrel("reembed", "status", "-s", desk.session, "--follow")
        #expect(followed.output.contains("SWITCHED"), "\(followed.output)")
        let run = try await desk.run()
        #expect(run["embedded"]?.int == 0 && run["reused"]?.int == 0)
        let handle = try #require(
            try await desk.client.request("session.open") { $0.member("session", desk.session) }[
                "handle"]?.string)
        for row in rows {
            let chunk = try await desk.client.request("chunk.get") {
                $0.member("session", handle)
                $0.member("chunk", row.chunk)
                $0.member("vector", true)
            }["chunk"]?.object
            let encoded = try #require(chunk?["vectorB64"]?.string)
            let bytes = [UInt8](try #require(Data(base64Encoded: encoded)))
            let stored = stride(from: 0, to: bytes.count, by: 4).map { at in
                Float(
                    bitPattern: (0..<4).reduce(UInt32(0)) {
                        $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1)
                    })
            }
            let expected = try await ShardEngine.model(try #require(row.text))
            let apart = zip(stored, expected).map { abs($0 - $1) }.max() ?? 1
            #expect(stored.count == 768 && apart <= tolerance, "\(row.text ?? ""): \(apart)")
        }
        let asked = try #require(rows[17].text)
        let found = try await desk.carrel("search", asked, "--session", desk.session, "--json")
        let answer = try #require(
            try JSONSerialization.jsonObject(with: Data(found.output.utf8)) as? [String: Any])
        let hits = try #require(answer["hits"] as? [[String: Any]])
        #expect(hits.first?["text"] as? String == asked)
        #expect((answer["meta"] as? [String: Any])?["model"] as? String == "hashing-lexical")
    }

    // MARK: Tests

    @Test(
        "Exported, embedded by an engine, loaded twice, resumed: the model's vectors, none the server's"
    )
    func wholeWay() async throws {
        try await ShardDesk.with { desk in
            let exported = try await desk.export()
            #expect(exported.status == 0, "\(exported.errors)")
            let (manifest, rows) = try ShardEngine.texts(desk)
            #expect(manifest.job == desk.job && manifest.session == desk.session)
            #expect(manifest.model.name == "hashing-lexical" && manifest.model.dimension == 768)
            #expect(
                manifest.count == ShardDesk.count
                    && manifest.shards.map(\.rows) == [40, 40, 40, 30])
            #expect(Set(rows.map(\.text)) == Set((0..<ShardDesk.count).map(ShardDesk.text)))
            let beside = try FileManager.default.contentsOfDirectory(atPath: desk.home)
            #expect(!beside.contains { $0.hasSuffix(".part") }, "\(beside)")
            let again = try await desk.export()
            #expect(again.status == 1 && again.errors.contains("is not empty"), "\(again)")

            try ShardEngine.write(
                try await ShardEngine.embedded(rows), of: desk.job, to: desk.shards)
            for _ in 0..<2 {
                let loaded = try await desk.load()
                #expect(loaded.status == 0, "\(loaded.errors)")
                #expect(loaded.output.contains("150 vectors are stored, 0 texts have none"))
            }
            let nothing = try await desk.carrel(
                "reembed", "export", "--job", desk.job, "--out", desk.home + "/more")
            #expect(nothing.status == 1 && nothing.errors.contains("every text"), "\(nothing)")
            #expect(!FileManager.default.fileExists(atPath: desk.home + "/more"))
            let stranger = try await desk.carrel(
                "reembed", "load", "--job", UUID().uuidString, desk.shards)
            #expect(stranger.status == 1 && stranger.errors.contains("no such re-embedding"))
            // The server makes them of unit length again, which rounds.
            try await finish(desk, rows, within: 1e-7)
            let late = try await desk.load()
            #expect(late.status == 1 && late.errors.contains("has ended"), "\(late.errors)")
        }
    }

    /// What may happen to shards between an engine and the load, and what is said of it.
    private enum Damage: String, CaseIterable {
        case missingShard, missingRow, doubledRow, changedByte, cutOff, oneTooMany, otherJob
        case otherChunk, otherText, narrow, zero, notANumber, wrongCount, changedText, noManifest

        var reason: String {
            switch self {
            case .missingShard: "there is no"
            case .missingRow: "149 vectors; 150 texts"
            case .doubledRow: "has a vector already"
            case .changedByte: "was changed"
            case .cutOff: "cut off"
            case .oneTooMany: "is not in vectors.json"
            case .otherJob: "is of job"
            case .otherChunk: "was not exported"
            case .otherText: "not that of the text"
            case .narrow: "expected 768 numbers, got 3"
            case .zero: "the zero vector"
            case .notANumber: "expected a number"
            case .wrongCount: "counts 151 rows, its shards hold 150"
            case .changedText: "was changed"
            case .noManifest: "vectors.json"
            }
        }
    }

    @Test("Whatever is missing, doubled, changed or no vector is refused before anything is stored")
    func damaged() async throws {
        try await ShardDesk.with { desk in
            _ = try await desk.export()
            let (_, rows) = try ShardEngine.texts(desk)
            let good = try await ShardEngine.embedded(rows)
            let texts = desk.shards + "/texts-00001.ndjson"
            let untouched = try Data(contentsOf: URL(filePath: texts))
            for damage in Damage.allCases {
                try untouched.write(to: URL(filePath: texts))
                for name in try FileManager.default.contentsOfDirectory(atPath: desk.shards)
                where name.hasPrefix("vectors") {
                    try FileManager.default.removeItem(atPath: "\(desk.shards)/\(name)")
                }
                try inflict(damage, on: good, desk)
                let loaded = try await desk.load()
                #expect(loaded.status == 1, "\(damage)")
                #expect(loaded.errors.contains(damage.reason), "\(damage): \(loaded.errors)")
                #expect(try await desk.left() == ShardDesk.count, "\(damage)")
            }
        }
    }

    private func inflict(_ damage: Damage, on good: [ShardRow], _ desk: ShardDesk) throws {
        var rows = good
        func given(_ vector: [Float]) -> ShardRow {
            ShardRow(chunk: good[70].chunk, md5: good[70].md5, vector: vector)
        }
        switch damage {
        case .missingRow: rows.removeLast()
        case .doubledRow: rows[70] = rows[71]
        case .otherChunk:
            rows[70] = ShardRow(
                chunk: UUID().uuidString, md5: good[70].md5, vector: good[70].vector)
        case .otherText:
            rows[70] = ShardRow(chunk: good[70].chunk, md5: good[71].md5, vector: good[70].vector)
        case .narrow: rows[70] = given([1, 2, 3])
        case .zero: rows[70] = given(Array(repeating: 0, count: 768))
        default: break
        }
        var written = try ShardEngine.write(rows, of: desk.job, to: desk.shards)
        let second = URL(filePath: desk.shards + "/vectors-1.ndjson")
        var bytes = try Data(contentsOf: second)
        switch damage {
        case .missingShard: try FileManager.default.removeItem(at: second)
        case .changedByte:
            // A digit for a digit: still a vector.
            let place = try #require(bytes.lastIndex { (0x31...0x38).contains($0) })
            bytes[place] += 1
            try bytes.write(to: second)
        case .cutOff: try bytes.dropLast().write(to: second)
        case .oneTooMany: try bytes.write(to: URL(filePath: desk.shards + "/vectors-9.ndjson"))
        case .otherJob: written.job = UUID().uuidString
        case .notANumber:
            let line =
                "{\"chunk\":\"\(good[70].chunk)\",\"md5\":\"\(good[70].md5)\",\"vector\":[null]}\n"
            try Data(line.utf8).write(to: second)
        case .wrongCount: written.count += 1
        case .changedText:
            let texts = URL(filePath: desk.shards + "/texts-00001.ndjson")
            var bytes = try Data(contentsOf: texts)
            let place = try #require(bytes.firstRange(of: Data("Passage".utf8)))
            bytes[place.lowerBound] = 0x70
            try bytes.write(to: texts)
        default: break
        }
        try ShardEngine.write(written, to: desk.shards)
        if damage == .noManifest {
            try FileManager.default.removeItem(atPath: desk.shards + "/vectors.json")
        }
    }

    @Test(
        "Spark embeds what was exported, and the session answers with its vectors",
        .enabled(if: Spark.isThere, Comment(rawValue: Spark.wanted)))
    func spark() async throws {
        func text(_ number: Int) -> String {
            "Passage \(number) on matter \(number % 7) says \"more\" \\ and \(number % 3)."
        }
        try await ShardDesk.with(saying: text) { desk in
            let exported = try await desk.export()
            #expect(exported.status == 0, "\(exported.errors)")
            let (_, rows) = try ShardEngine.texts(desk)
            let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "Fixtures").path
            let example = CarrelProcess.package.appending(path: "docs/examples/reembed_spark.py")
            let embedded = try await Spark.run(
                example.path,
                [
                    desk.shards, "--embed", "hashing_embedder:embedder", "--batch", "16",
                    "--partitions", "3",
                ], modules: fixtures, scratch: desk.home)
            try #require(embedded.status == 0, "\(embedded.errors)")
            #expect(embedded.output.contains("150 vectors in 3 shards"))
            let loaded = try await desk.load()
            #expect(loaded.status == 0, "\(loaded.errors)")
            #expect(loaded.output.contains("150 vectors are stored, 0 texts have none"))
            try await finish(desk, rows, within: 1e-6)
        }
    }
}
