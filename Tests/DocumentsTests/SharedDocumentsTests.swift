import Documents
import Foundation
import Testing

@Suite(.enabled(if: !SharedDocument.all.isEmpty, "needs CARREL_SHARED_DATA"))
struct SharedDocumentsTests {
    @Test("Pages and sections cover the text in order", arguments: SharedDocument.all)
    func covers(_ shared: SharedDocument) async throws {
        let document = try await shared.extracted()
        #expect(document.violation() == nil)
        let type = ["md": "markdown", "txt": "text"][shared.format] ?? shared.format
        #expect(document.fileType.rawValue == type)
        #expect(document.pages.count == shared.pages ?? document.pages.count)
    }

    @Test("Every probe is found on its page", arguments: SharedDocument.all)
    func probes(_ shared: SharedDocument) async throws {
        let document = try await shared.extracted()
        for probe in shared.probes ?? [] {
            #expect(
                folded(document.text(ofPage: probe.page)).contains(folded(probe.text)),
                "page \(probe.page)")
        }
    }

    /// Letters and digits only: the manifest keeps `¶`, `[edit]` and backticks of the source.
    private func key(_ heading: String) -> String {
        heading.replacing("[edit]", with: "").lowercased()
            .filter { $0.isLetter || $0.isNumber }
    }

    @Test("The headings of the manifest begin sections", arguments: SharedDocument.all)
    func headings(_ shared: SharedDocument) async throws {
        let document = try await shared.extracted()
        let found = Set(document.headings.map(key))
        // Navigation is left out of web pages on purpose.
        let navigation: Set = [
            "tableofcontents", "previoustopic", "nexttopic", "thispage", "navigation",
        ]
        for heading in shared.firstHeadings ?? [] where !navigation.contains(key(heading)) {
            #expect(found.contains(key(heading)), "\(heading)")
        }
        if let count = shared.headings, shared.format != "html" {
            // cmark counts a heading inside a block quote, which the manifest does not.
            #expect((count...count + 1).contains(document.headings.count))
        }
        if let title = shared.title { #expect(document.title == title) }
    }

    @Test("Every section says its own heading first", arguments: SharedDocument.all)
    func sectionText(_ shared: SharedDocument) async throws {
        let document = try await shared.extracted()
        for section in document.sections {
            #expect(section.headingPath.last == section.heading)
            if let heading = section.heading {
                #expect(folded(document.text(of: section)).hasPrefix(heading))
            }
        }
    }

    @Test("Chunks are exactly their spans, within limits", arguments: SharedDocument.all)
    func chunks(_ shared: SharedDocument) async throws {
        let document = try await shared.extracted()
        try expectSound(Chunker(), document)
    }

    @Test("The overlap repeats less than an eighth of the text")
    func overlap() async throws {
        var written = 0
        var covered = 0
        for shared in SharedDocument.all {
            let document = try await shared.extracted()
            var end = 0
            for chunk in Chunker().chunks(of: document, documentHash: "")
            where chunk.parentID != nil {
                written += chunk.end - chunk.start
                covered += chunk.end - max(end, chunk.start)
                end = chunk.end
            }
        }
        let repeated = Double(written - covered) / Double(covered)
        #expect(repeated < 0.125, "\(repeated)")
    }

    @Test("Columns are read one after the other")
    func columns() async throws {
        guard let shared = SharedDocument.all.first(where: { $0.file == "multicolumn.pdf" }) else {
            return
        }
        let text = folded(try await shared.extracted().text)
        #expect(text.contains("Donec nonummy pellentesque ante. Phasellus adipiscing semper elit."))
    }

    @Test("Alice is the same book in four formats")
    func alice() async throws {
        let files = ["alice.txt", "alice.html", "alice.pdf", "alice-standard-headings.docx"]
        var books: [[Substring]] = []
        for file in files {
            guard let shared = SharedDocument.all.first(where: { $0.file == file }) else { return }
            let document = try await shared.extracted()
            let chapters = document.headings.filter { $0.hasPrefix("CHAPTER ") }
            #expect(chapters.count == 12, "\(file)")
            #expect(chapters.first == "CHAPTER I. Down the Rabbit-Hole", "\(file)")
            let tail = chapters.last?.filter(\.isLetter)
            #expect(tail == "CHAPTERXIIAlicesEvidence", "\(file)")
            books.append(words(document.text))
        }
        for (file, book) in zip(files, books) {
            let agreement = agreement(books[0], book)
            #expect(agreement > 0.99, "\(file): \(agreement)")
        }
    }

    /// The words of the story proper, without case, punctuation and hyphens.
    private func words(_ text: String) -> [Substring] {
        let text = text.lowercased()
        let start = text.range(of: "alice was beginning to get")?.lowerBound ?? text.startIndex
        let end = text.range(of: "happy summer days")?.upperBound ?? text.endIndex
        return text[start..<end].split { !$0.isLetter }
    }

    /// The share of three-word sequences that both have, counted as often as they occur.
    private func agreement(_ a: [Substring], _ b: [Substring]) -> Double {
        func counts(_ words: [Substring]) -> [[Substring]: Int] {
            var found: [[Substring]: Int] = [:]
            for index in words.indices.dropLast(2) {
                found[Array(words[index...index + 2]), default: 0] += 1
            }
            return found
        }
        let (first, second) = (counts(a), counts(b))
        let common = first.reduce(0) { $0 + min($1.value, second[$1.key] ?? 0) }
        return Double(common) / Double(max(a.count, b.count) - 2)
    }
}
