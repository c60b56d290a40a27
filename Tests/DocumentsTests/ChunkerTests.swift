import Documents
import FoundationEssentials
import Testing

/// What must hold for the chunks of any document.
func expectSound(
    _ chunker: Chunker, _ document: ExtractedDocument, _ comment: Comment? = nil,
    countTokens: (String) -> Int = TokenEstimate.count,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let hash = String(repeating: "0", count: 64)
    let chunks = chunker.chunks(of: document, documentHash: hash)
    let scalars = document.scalars
    var parents: [UUID: DocumentChunk] = [:]
    var covered = 0
    for (index, chunk) in chunks.enumerated() {
        #expect(chunk.index == index, comment, sourceLocation: sourceLocation)
        #expect(
            chunk.text == String(String.UnicodeScalarView(scalars[chunk.start..<chunk.end])),
            comment, sourceLocation: sourceLocation)
        #expect(
            !isBlank(chunk.text.unicodeScalars), comment, sourceLocation: sourceLocation)
        #expect(
            chunk.tokenCount == countTokens(chunk.text), comment, sourceLocation: sourceLocation)
        let section = document.sections[chunk.section]
        #expect(
            (section.start..<section.end).contains(chunk.start), comment,
            sourceLocation: sourceLocation)
        #expect(
            document.pages[chunk.pageFrom - 1].start <= chunk.start
                && chunk.start < document.pages[chunk.pageFrom - 1].end
                && document.pages[chunk.pageTo - 1].start < chunk.end
                && chunk.end <= document.pages[chunk.pageTo - 1].end,
            comment, sourceLocation: sourceLocation)
        guard let parentID = chunk.parentID else {
            #expect(chunk.tokenCount <= 1_200, comment, sourceLocation: sourceLocation)
            #expect(covered <= chunk.start, comment, sourceLocation: sourceLocation)
            parents[chunk.id] = chunk
            continue
        }
        let parent = try #require(parents[parentID], comment, sourceLocation: sourceLocation)
        #expect(
            parent.start <= chunk.start && chunk.end <= parent.end, comment,
            sourceLocation: sourceLocation)
        #expect(chunk.tokenCount <= 240, comment, sourceLocation: sourceLocation)
        // Nothing but white space lies between a child and what came before it.
        #expect(
            isBlank(scalars[min(covered, chunk.start)..<chunk.start]),
            comment, sourceLocation: sourceLocation)
        covered = max(covered, chunk.end)
    }
    #expect(
        isBlank(scalars[covered...]), comment,
        sourceLocation: sourceLocation)
    #expect(Set(chunks.map(\.id)).count == chunks.count, comment, sourceLocation: sourceLocation)
    #expect(
        chunks == chunker.chunks(of: document, documentHash: hash), comment,
        sourceLocation: sourceLocation)
}

/// A document of one page and one section.
func plain(_ text: String, verbatim: [Range<Int>] = []) -> ExtractedDocument {
    let length = text.unicodeScalars.count
    return ExtractedDocument(
        fileType: .text, title: nil, text: text,
        pages: [PageSpan(number: 1, start: 0, end: length)],
        sections: [
            SectionSpan(page: 1, index: 0, heading: nil, headingPath: [], start: 0, end: length)
        ], verbatim: verbatim)
}

@Suite struct ChunkerTests {
    private let hash = String(repeating: "0", count: 64)

    private func children(_ document: ExtractedDocument) -> [DocumentChunk] {
        Chunker().chunks(of: document, documentHash: hash).filter { $0.parentID != nil }
    }

    @Test("A short text is one parent with one child of the same words")
    func short() {
        let chunks = Chunker().chunks(of: plain("One sentence."), documentHash: hash)
        #expect(chunks.map(\.text) == ["One sentence.", "One sentence."])
        #expect(chunks[1].parentID == chunks[0].id)
        #expect(chunks[0].id != chunks[1].id)
    }

    @Test("Children end where sentences end, and abbreviations do not end one")
    func sentences() {
        let sentence =
            "Dr. Smith met Mr. J. R. Brown, e.g. on the 3. October, at 5 p.m. in No. 7 near St. Paul. "
        let document = plain(String(repeating: sentence, count: 60))
        for child in children(document) {
            #expect(child.text.hasPrefix("Dr. Smith met"))
            #expect(child.text.hasSuffix("near St. Paul."))
        }
    }

    @Test("Quotation marks close with their sentence, ideographic stops need no space")
    func marks() {
        let english = "\u{201c}Is it so?\u{201d} she asked \u{2018}again.\u{2019} (Nobody knew.) "
        let japanese = "これは文です。それも文です！本当ですか？"
        for child in children(plain(String(repeating: english, count: 80))) {
            #expect(child.text.last == ")" || child.text.last == "\u{2019}")
        }
        for child in children(plain(String(repeating: japanese, count: 80))) {
            #expect("。！？".contains(child.text.last ?? " "))
        }
    }

    @Test("Code is broken between lines")
    func code() {
        let line = "    let value = compute(first, second). Then(third)\n"
        let text = String(repeating: line, count: 100)
        let document = plain(text, verbatim: [0..<text.unicodeScalars.count])
        for child in children(document) {
            #expect(child.text.hasPrefix("    let value"))
            #expect(child.text.hasSuffix("Then(third)"))
        }
    }

    @Test("A sentence without end is split between words, a word without end within it")
    func endless() throws {
        try expectSound(Chunker(), plain(String(repeating: "word ", count: 5_000)))
        try expectSound(Chunker(), plain(String(repeating: "x", count: 50_000)))
        try expectSound(Chunker(), plain(String(repeating: "e\u{301}", count: 20_000)))
        try expectSound(Chunker(), plain(String(repeating: "漢字", count: 20_000)))
    }

    @Test("Small siblings share a parent; sections of different chapters do not")
    func siblings() {
        var text = ""
        var sections: [SectionSpan] = []
        for (chapter, section) in [("A", "1"), ("A", "2"), ("B", "1")] {
            let start = text.unicodeScalars.count
            text += "Section \(section) of chapter \(chapter) says little.\n\n"
            sections.append(
                SectionSpan(
                    page: 1, index: sections.count, heading: section,
                    headingPath: [chapter, section], start: start,
                    end: text.unicodeScalars.count))
        }
        let document = ExtractedDocument(
            fileType: .text, title: nil, text: text,
            pages: [PageSpan(number: 1, start: 0, end: text.unicodeScalars.count)],
            sections: sections)
        let parents = Chunker().chunks(of: document, documentHash: hash)
            .filter { $0.parentID == nil }
        #expect(parents.map(\.section) == [0, 2])
    }

    @Test("Neighbouring children overlap by one short sentence at most")
    func overlap() {
        let text = (0..<400).map { "Sentence number \($0) is here." }.joined(separator: " ")
        let children = children(plain(text))
        for (before, after) in zip(children, children.dropFirst())
        where before.parentID == after.parentID {
            #expect(after.start < before.end)
            #expect(before.end - after.start < 40)
        }
    }

    @Test("Any text at all keeps the promises", arguments: 0..<40)
    func generated(seed: Int) throws {
        var random = Seeded(state: UInt64(seed))
        let text = randomText(&random, upTo: [1, 10, 300, 4_000, 30_000][seed % 5])
        guard !isBlank(text.unicodeScalars) else { return }
        let length = text.unicodeScalars.count
        var borders = (0..<Int.random(in: 0...6, using: &random))
            .map { _ in Int.random(in: 0...length, using: &random) }
        borders = Array(Set(borders + [0, length])).sorted()
        var sections: [SectionSpan] = []
        for (start, end) in zip(borders, borders.dropFirst()) {
            sections.append(
                SectionSpan(
                    page: 1, index: sections.count, heading: nil,
                    headingPath: Array(
                        ["A", "B", "C"].prefix(Int.random(in: 0...3, using: &random))),
                    start: start, end: end))
        }
        let verbatim = Bool.random(using: &random) ? [length / 3..<length / 2] : []
        let document = ExtractedDocument(
            fileType: .text, title: nil, text: text,
            pages: [PageSpan(number: 1, start: 0, end: length)], sections: sections,
            verbatim: verbatim)
        try #require(document.violation() == nil, "seed \(seed)")
        try expectSound(Chunker(), document, "seed \(seed)")
    }

    private func randomText(_ random: inout Seeded, upTo limit: Int) -> String {
        let pool: [Unicode.Scalar] = Array(
            "aeinorst AEI.!?\u{201d}\n\t,;-()1234\u{e9}\u{df}\u{301}\u{200d}漢字。\u{1f600}"
                .unicodeScalars)
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 1...limit, using: &random) {
            if Int.random(in: 0..<20, using: &random) == 0 {
                let value = UInt32.random(in: 1...0x10ffff, using: &random)
                if let scalar = Unicode.Scalar(value), value != 13 { text.append(scalar) }
            } else {
                text.append(pool[Int.random(in: 0..<pool.count, using: &random)])
            }
        }
        return String(text)
    }

    @Test("Four times the text takes about four times as long")
    func linear() {
        let sentence = "The quick brown fox jumps over the lazy dog, and then it rests a while. "
        func seconds(_ count: Int) -> Double {
            let document = plain(String(repeating: sentence, count: count))
            return (0..<3).map { _ in
                let time = ContinuousClock().measure {
                    _ = Chunker().chunks(of: document, documentHash: hash)
                }
                return time / .seconds(1)
            }.min() ?? 0
        }
        let ratio = seconds(8_000) / seconds(2_000)
        // Quadratic work would make it sixteen.
        #expect(ratio < 9, "\(ratio)")
    }
}
