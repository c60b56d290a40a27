// Plans of made-up content whose right plan is known.

import Foundation
import Lexical
import Library
import Study
import Testing
import Vectors

@Suite("Plans drafted from content")
struct PlanDrafterTests {
    /// A parent about one of a few subjects: its vector near the subject's axis, its text of the
    /// subject's words.
    private struct Source {
        var random = SplitMix64(seed: 42)
        var parents: [PlanParent] = []
        var vectors: [[Float]] = []

        static let words = [
            "volcano lava magma eruption crater ash",
            "whale ocean krill migration song blubber",
            "violin sonata orchestra melody concerto bow",
        ]

        mutating func add(
            _ subject: Int, document: UUID, name: String, path: [String] = [], count: Int
        ) {
            for _ in 0..<count {
                let pool = Self.words[subject].split(separator: " ")
                let text = (0..<80).map { _ in
                    Int.random(in: 0..<3, using: &random) == 0
                        ? "the" : String(pool.randomElement(using: &random)!)
                }.joined(separator: " ")
                var vector = (0..<768).map { _ in Float(random.nextGaussian()) * 0.01 }
                vector[subject] += 1
                let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
                vectors.append(vector.map { $0 / norm })
                parents.append(
                    PlanParent(
                        id: UUID(), documentID: document, fileName: name,
                        fileHash: String(repeating: "a", count: 64), index: parents.count,
                        tokens: 100, text: text,
                        headings: [.init(path: path, tokens: 100)]))
            }
        }

        func draft(_ order: [Int]? = nil) throws -> StudyPlan {
            let order = order ?? Array(parents.indices)
            return PlanDrafter.draft(
                order.map { parents[$0] },
                vectors: try Block(rows: order.map { vectors[$0] }, dimension: 768))
        }
    }

    @Test("Without headings a topic is named by its own words, not by those all have")
    func namesByWords() throws {
        var source = Source()
        let document = UUID()
        for round in 0..<8 {
            for subject in 0..<3 {
                source.add(subject, document: document, name: "notes.txt", count: round % 2 + 1)
            }
        }
        let plan = try source.draft()
        #expect(plan.topics.count == 3)
        for topic in plan.topics {
            let words = (topic.title + " " + topic.subtopics.joined(separator: " ")).lowercased()
            let subjects = Source.words.filter { list in
                list.split(separator: " ").contains { words.contains($0) }
            }
            #expect(subjects.count == 1, "\(topic.title): \(topic.subtopics)")
            #expect(!words.contains("the "))
        }
        #expect(Set(plan.topics.map(\.title)).count == 3)
        #expect(abs(plan.topics.reduce(0) { $0 + ($1.evidence?.share ?? 0) } - 1) < 0.01)
    }

    @Test("Headings name topics in reading order, and those below them their subtopics")
    func namesByHeadings() throws {
        var source = Source()
        let document = UUID()
        for (subject, chapter) in ["Fire", "Water", "Air"].enumerated() {
            for part in ["First", "Second"] {
                source.add(
                    subject, document: document, name: "book.pdf",
                    path: [
                        "The Elements", "Chapter \(subject + 1). \(chapter)", "\(part) \(chapter)",
                    ],
                    count: 3)
                source.add(
                    subject, document: document, name: "book.pdf",
                    path: ["The Elements", "Chapter \(subject + 1). \(chapter)", "Exercises"],
                    count: 1)
            }
        }
        let plan = try source.draft()
        #expect(plan.topics.map(\.title) == ["Fire", "Water", "Air"])
        #expect(plan.topics.map(\.order) == [0, 1, 2])
        #expect(Array(plan.topics[1].subtopics.prefix(2)) == ["First Water", "Second Water"])
        // Every chapter has exercises: they name nothing.
        #expect(!plan.topics.flatMap(\.subtopics).contains("Exercises"))
        #expect(plan.topics[2].evidence?.chunks.count == 3)
        #expect(
            plan.topics[2].evidence?.headings.prefix(2) == ["First Air", "Second Air"])
    }

    @Test("The same content gives the same plan, in whatever order it is read")
    func isRepeatable() throws {
        var source = Source()
        for (subject, name) in ["a.txt", "b.txt", "c.txt"].enumerated() {
            source.add(subject, document: UUID(), name: name, count: 9)
        }
        let first = try source.draft()
        for seed in 1...3 as ClosedRange<UInt64> {
            var random = SplitMix64(seed: seed)
            let order = Array(source.parents.indices).shuffled(using: &random)
            #expect(try source.draft(order) == first, "seed \(seed)")
        }
        #expect(try StudyPlan(json: first.json) == first)
    }

    @Test("However little there is, there is a plan that could be accepted", arguments: 1...9)
    func smallContents(count: Int) throws {
        var source = Source()
        source.add(0, document: UUID(), name: "x", count: count)
        let plan = try source.draft()
        #expect(!plan.topics.isEmpty)
        #expect(try plan.newTopics().count == plan.topics.count)
    }

    @Test("A draft of another version is refused, not guessed at")
    func versions() {
        #expect(throws: LibraryError.self) { try StudyPlan(json: "{\"version\":2,\"topics\":[]}") }
        #expect(throws: LibraryError.self) { try StudyPlan(json: "{}") }
    }

    @Test("A language is told by its stop words")
    func languages() {
        func detected(_ text: String) -> Language {
            Language.detected(in: Analyzer(.english).surfaces(of: text).map(\.folded))
        }
        #expect(detected("The whale is not a fish, and that is why it has to breathe.") == .english)
        #expect(detected("Der Wal ist kein Fisch, und darum muss er auch atmen.") == .german)
        #expect(detected("La baleine n'est pas un poisson, et elle doit respirer.") == .french)
        #expect(detected("42") == .english)
    }
}
