// Text around hits, held against the document's own text.

import Embedding
import Foundation
import Library
import Postgres
import Retrieval
import Testing
import Vectors

@Suite("Passages around hits")
struct PassageTests {
    private struct Book {
        let session: UUID
        let document: UUID
        let text: [Unicode.Scalar]
        let children: [UUID: Range<Int>]
        let parents: [Range<Int>]
        let sections: [Range<Int>]
        let pages: [Range<Int>]
    }

    /// A document of 2,000 scalars, many of more than one byte: pages of 400, sections of 250, parents of 500 with
    /// children of 100 that overlap by 30.
    private func plantBook(_ pool: Pool, _ generator: inout Seeded) async throws -> Book {
        let session = try await plantSession(on: pool)
        let alphabet = Array("abcdefg äöü 数学 😀🏳\u{301}\n.".unicodeScalars)
        let text = (0..<2_000).map { _ in alphabet.randomElement(using: &generator)! }
        func cut(_ size: Int) -> [Range<Int>] {
            stride(from: 0, to: text.count, by: size).map { $0..<min($0 + size, text.count) }
        }
        func string(_ span: Range<Int>) -> String {
            var part = String.UnicodeScalarView()
            part.append(contentsOf: text[span])
            return String(part)
        }
        let (pages, sections, parents) = (cut(400), cut(250), cut(500))
        let document = generator.uuid()
        let pageIDs = pages.map { _ in generator.uuid() }
        func page(_ offset: Int) -> Int { offset / 400 }
        var onPage: [Int: Int] = [:]
        let newSections = sections.map { span in
            let index = onPage[page(span.lowerBound), default: 0]
            onPage[page(span.lowerBound)] = index + 1
            return NewSection(
                id: generator.uuid(), pageID: pageIDs[page(span.lowerBound)], index: index,
                heading: nil, headingPath: [], content: string(span), start: span.lowerBound,
                end: span.upperBound)
        }
        var chunks: [NewChunk] = []
        var children: [UUID: Range<Int>] = [:]
        func append(_ span: Range<Int>, parent: UUID?) -> UUID {
            let id = generator.uuid()
            chunks.append(
                NewChunk(
                    id: id, documentID: document,
                    sectionID: newSections[span.lowerBound / 250].id, parentID: parent,
                    index: chunks.count, text: string(span), start: span.lowerBound,
                    end: span.upperBound, pageFrom: page(span.lowerBound) + 1,
                    pageTo: page(span.upperBound - 1) + 1, tokenCount: span.count / 5,
                    embedding: generator.unitVector().values))
            return id
        }
        for parent in parents {
            let id = append(parent, parent: nil)
            for start in stride(from: parent.lowerBound, to: parent.upperBound - 30, by: 70) {
                let span = start..<min(start + 100, parent.upperBound)
                children[append(span, parent: id)] = span
            }
        }
        let stored = chunks
        try await pool.withTransaction(as: .service) { db in
            _ = try await DocumentRepository.create(
                NewDocument(
                    sessionID: session.id, id: document, fileName: "book.txt", filePath: "-",
                    fileHash: String(repeating: "ab", count: 32), fileType: "text",
                    fileSizeBytes: 1, status: .completed), on: db)
            try await db.execute(
                Statement(
                    "giveText",
                    """
                    UPDATE carrel.documents
                    SET content_text = $2, content_length = char_length($2)
                    WHERE id = $1
                    """), document, string(0..<text.count))
            try await PageRepository.insert(
                pages.indices.map { index in
                    Page(
                        sessionID: session.id, id: pageIDs[index], documentID: document,
                        number: index + 1, start: pages[index].lowerBound,
                        end: pages[index].upperBound)
                }, on: db)
            try await SectionRepository.insert(newSections, sessionID: session.id, on: db)
            try await ChunkRepository.insert(
                stored, sessionID: session.id, modelID: session.model.id, on: db)
        }
        return Book(
            session: session.id, document: document, text: text, children: children,
            parents: parents, sections: sections, pages: pages)
    }

    @Test(
        "Every passage is text[start..<end], holds its children, and overlaps no other; the budget holds and no hit is lost"
    )
    func passages() async throws {
        let seed: UInt64 = 77
        var generator = Seeded(seed)
        try await withMigratedDatabase { pool in
            let book = try await plantBook(pool, &generator)
            let searcher = Searcher(
                pool: pool, embedders: searcher(pool).embedders,
                snapshots: SnapshotCache(pool, limits: .init(bytes: 1 << 30)))
            for step in 0..<80 {
                let expansion = Expansion.allCases[step % Expansion.allCases.count]
                var request = SearchRequest(
                    as: .service, session: book.session, query: .vector(generator.unitVector()),
                    k: Int.random(in: 1...20, using: &generator), expansion: expansion,
                    tokenBudget: step % 3 == 0
                        ? Int.random(in: 10...900, using: &generator) : nil)
                request.siblings = Int.random(in: 0...2, using: &generator)
                var bare = request
                bare.expansion = .none
                let found = try await searcher.search(bare).hits
                let hits = try await searcher.search(request).hits
                let comment: Comment = "seed \(seed), step \(step), \(request)"
                let kept = hits.flatMap { hit in
                    hit.parent?.children.map { ($0.chunk, $0.score) } ?? [(hit.chunk, hit.score)]
                }
                #expect(Set(kept.map(\.0)) == Set(found.map(\.chunk)), comment)
                for (chunk, score) in kept {
                    #expect(found.first { $0.chunk == chunk }?.score == score, comment)
                }
                var tokens = 0
                for hit in hits {
                    guard let passage = hit.parent else {
                        tokens += hit.span.count / 5
                        continue
                    }
                    #expect(
                        Array(passage.text.string.unicodeScalars) == Array(book.text[passage.span]),
                        comment)
                    for child in passage.children {
                        #expect(child.span == book.children[child.chunk], comment)
                        #expect(passage.span.clamped(to: child.span) == child.span, comment)
                    }
                    tokens +=
                        expansion == .parent
                        ? passage.span.count / 5
                        : searcher.embedders.embedder(named: "hashing-lexical")?
                            .countTokens(passage.text.string) ?? 0
                }
                if let budget = request.tokenBudget { #expect(tokens <= budget, comment) }
                let spans = hits.compactMap { $0.parent?.span }
                for (index, span) in spans.enumerated() {
                    for other in spans[..<index] { #expect(!span.overlaps(other), comment) }
                }
                if request.tokenBudget == nil, expansion != .none {
                    #expect(hits.allSatisfy { $0.parent != nil }, comment)
                }
                switch expansion {
                case .section:
                    // Begins and ends where a section, or the chunk that runs over its end, does.
                    #expect(
                        spans.allSatisfy { span in
                            book.sections.contains { $0.lowerBound == span.lowerBound }
                        }, comment)
                case .page where request.tokenBudget == nil:
                    #expect(
                        spans.allSatisfy { span in
                            span.lowerBound % 400 == 0 && span.upperBound % 400 == 0
                        }, comment)
                default: break
                }
            }
        }
    }

    @Test("Spans are merged exactly where they overlap, in one document")
    func merging() {
        let (a, b) = (UUID(), UUID())
        let merged = Passages.merge([
            PassageSpan(document: a, span: 10..<20), nil,
            PassageSpan(document: b, span: 12..<18), PassageSpan(document: a, span: 20..<30),
            PassageSpan(document: a, span: 5..<11), PassageSpan(document: a, span: 6..<8),
        ])
        #expect(merged.map(\.members) == [[0, 4, 5], [2], [3]])
        #expect(merged.map(\.passage.span) == [5..<20, 12..<18, 20..<30])
    }
}
