// What needs no database: names, files, steps, parents.

import Foundation
import Ingestion
import TestSupport
import Testing
import Vectors

@Suite("File names")
struct FileNameTests {
    @Test(
        "Only what can be shown of a name is kept",
        arguments: [
            ("notes.pdf", "notes.pdf"), ("../../etc/passwd", "passwd"), ("C:\\x\\y.doc", "y.doc"),
            ("a\u{0}b\nc.txt", "abc.txt"), ("exe\u{202E}fdp.txt", "exefdp.txt"), ("..", "untitled"),
            ("", "untitled"), ("///", "untitled"), ("  ", "untitled"), ("Übung 1.md", "Übung 1.md"),
            ("👩‍🚀.txt", "👩‍🚀.txt"),
        ])
    func display(given: String, shown: String) {
        #expect(FileName.display(given) == shown)
    }

    @Test("A long name is cut between characters, at 255 bytes at most")
    func long() {
        let shown = FileName.display(String(repeating: "é", count: 500))
        #expect(shown.utf8.count == 254)
        #expect(shown.allSatisfy { $0 == "é" })
    }
}

@Suite("Blobs as files")
struct LocalBlobStoreTests {
    @Test("Bytes come back as they were, under a key that says nothing of them")
    func roundTrip() async throws {
        let store = LocalBlobStore(directory: try TestDirectory.make("store"))
        try await BlobStoreContract.holds(for: store)
    }

    @Test("A file that cannot be read leaves nothing behind")
    func unreadable() async throws {
        let directory = try TestDirectory.make("store-empty")
        let store = LocalBlobStore(directory: directory)
        await #expect(throws: IngestionError.self) {
            try await store.put(contentsOf: "/nonexistent", as: UUID())
        }
        let left = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String }
        #expect(left?.contains { $0.hasSuffix(".part") } == false)
    }
}

@Suite("Scratch files")
struct ScratchTests {
    @Test("A file that is damaged, cut short or of another key is as good as none")
    func damage() throws {
        let directory = try TestDirectory.make("scratch")
        let job = UUID()
        let scratch = Scratch(in: directory, job: job)
        let content = Array("finished".utf8)
        try scratch.write("step", key: "a", content)
        #expect(scratch.read("step", key: "a") == content)
        #expect(scratch.read("step", key: "b") == nil)
        #expect(scratch.read("other", key: "a") == nil)

        let path = "\(directory)/\(job.uuidString.lowercased())/step"
        let whole = try Data(contentsOf: URL(filePath: path))
        for index in whole.indices {
            var damaged = whole
            damaged[index] ^= 1
            try damaged.write(to: URL(filePath: path))
            #expect(scratch.read("step", key: "a") == nil, "byte \(index)")
            try whole.prefix(index).write(to: URL(filePath: path))
            #expect(scratch.read("step", key: "a") == nil, "cut at \(index)")
        }
        try scratch.write("step", key: "a", content)
        #expect(scratch.read("step", key: "a") == content)
        scratch.remove()
        #expect(scratch.read("step", key: "a") == nil)
    }
}

@Suite("The steps of a job")
struct IngestStepsTests {
    @Test("Every passage is embedded once, in order, between chunking and storing")
    func order() {
        for passages in [0, 1, 63, 64, 65, 1_000] {
            var steps = IngestSteps()
            #expect(steps.next == .extract)
            steps.didExtract()
            #expect(steps.next == .chunk)
            steps.didChunk(passages: passages)
            var embedded: [Int] = []
            while case .embed(let batch) = steps.next {
                embedded += steps.passages(of: batch)
                steps.didEmbed(batch: batch)
                #expect(steps.done == embedded.count)
            }
            #expect(embedded == Array(0..<passages))
            #expect(steps.next == .store)
            steps.didStore()
            #expect(steps.next == .done)
        }
    }
}

@Suite("Parents of imported texts")
struct ParentRunsTests {
    @Test("Runs cover all texts in order and exceed the limit only alone")
    func runs() {
        for tokens in [
            [], [5], [1_200, 1], [600, 600, 1], [3_000, 10, 3_000],
            Array(repeating: 100, count: 50),
        ] {
            let runs = ParentRuns.runs(tokens: tokens)
            #expect(runs.flatMap { Array($0) } == Array(tokens.indices))
            #expect(
                runs.allSatisfy { $0.count == 1 || tokens[$0].reduce(0, +) <= ParentRuns.limit })
        }
    }

    @Test("A parent's vector is the direction of its children's sum, even when they cancel out")
    func mean() throws {
        var a = [Float](repeating: 0, count: UnitVector.dimension)
        var b = a
        a[0] = 1
        b[1] = 1
        let mean = ParentVectors.mean(of: [a, b]).values
        #expect(abs(mean[0] - Float(0.5).squareRoot()) < 1e-6 && mean[0] == mean[1])
        #expect(ParentVectors.mean(of: [a, a.map { -$0 }]).values == a)
    }
}
