// Sections become parents, parents become children.
//
// A parent is what an answer is written from: one section, or neighbours too small to stand alone,
// or a part of one too large. A child is what is searched: about 200 tokens, which fits MiniLM's 256
// with its markers and is the size at which one thought still fills the vector.
//
// Everything is decided on an array of Unicode scalars, and each piece of text is tokenized once to
// be packed and once as a chunk, so the whole is linear in the text. Token counts are added up over
// units; for WordPiece, which splits on white space first, the sum is exact.

package import FoundationEssentials

/// A stretch of a document to be embedded (child) or shown (parent).
package struct DocumentChunk: Sendable, Equatable {
    package let id: UUID
    /// `nil` for a parent.
    package let parentID: UUID?
    /// Index into the document's sections; the first one, if the chunk runs over several.
    package let section: Int
    /// Position among all chunks of the document, parents and children counted together.
    package let index: Int
    /// Exactly `text[start..<end]` of the document.
    package let text: String
    package let start: Int
    package let end: Int
    package let pageFrom: Int
    package let pageTo: Int
    package let tokenCount: Int
}

/// Cuts documents into parents and children; the same document always into the same ones.
package struct Chunker: Sendable {
    /// Part of every chunk id: a change to the borders below must change it.
    package static let version = 1

    static let parentLimit = 1_200
    static let childTarget = 200
    /// The last child of a parent may take a short rest along; with two markers it still fits 256.
    static let childLimit = 240
    /// Below this a section is joined with its neighbours in one parent.
    static let smallSection = 300
    /// Below this a child runs on over a section border, so that a bare heading is not a child.
    static let smallChild = 48
    /// A child begins with the last sentence of the one before if that is no longer than this: a
    /// pronoun keeps what it refers to. At 40 of 200 tokens at most, and one sentence at most, the
    /// children of the shared documents repeat 7 % of the text.
    static let overlapLimit = 40

    private let countTokens: @Sendable (String) -> Int

    /// - Parameter countTokens: Tokens of a text as the embedding model counts them, with or
    ///   without the markers around an input. It must be additive over white space for the limits
    ///   to hold exactly (WordPiece is).
    package init(countTokens: @escaping @Sendable (String) -> Int = TokenEstimate.count) {
        self.countTokens = countTokens
    }

    /// The chunks of a document in the order of the text, each parent before its children.
    ///
    /// `documentHash` is the lower-case hex SHA-256 of the file; the chunks' ids follow from it.
    ///
    /// - Complexity: O(length of the text), one string per chunk.
    package func chunks(of document: ExtractedDocument, documentHash: String) -> [DocumentChunk] {
        let markers = countTokens("")
        let scalars = Array(document.text.unicodeScalars)
        var cutter = UnitCutter(scalars: scalars, limit: Self.childTarget) { [countTokens] in
            countTokens($0) - markers
        }
        var verbatim = document.verbatim[...]
        for (index, section) in document.sections.enumerated() {
            while let span = verbatim.first, span.upperBound <= section.start {
                verbatim.removeFirst()
            }
            cutter.cut(
                section.start..<section.end, section: index,
                verbatim: verbatim.prefix { $0.lowerBound < section.end })
        }
        var writer = ChunkWriter(
            document: document, scalars: scalars, documentHash: documentHash,
            countTokens: countTokens)
        for parent in parents(of: cutter.units, in: document.sections) {
            writer.write(parent, children: children(of: parent))
        }
        return writer.chunks
    }
}

// MARK: - Parents

extension Chunker {
    private func parents(
        of units: [TextUnit], in sections: [SectionSpan]
    ) -> [ArraySlice<TextUnit>] {
        var found: [ArraySlice<TextUnit>] = []
        var run = units[0..<0]
        var runTokens = 0
        var position = 0
        while position < units.count {
            let section = units[position].section
            var end = position
            var tokens = 0
            while end < units.count, units[end].section == section {
                tokens += units[end].tokens
                end += 1
            }
            let joins =
                !run.isEmpty && runTokens + tokens <= Self.parentLimit
                && min(runTokens, tokens) < Self.smallSection
                && belongTogether(sections[run[run.startIndex].section], sections[section])
            if joins {
                run = units[run.startIndex..<end]
                runTokens += tokens
            } else {
                found += split(run, tokens: runTokens)
                run = units[position..<end]
                runTokens = tokens
            }
            position = end
        }
        return found + split(run, tokens: runTokens)
    }

    /// Siblings, or what stands under the heading the run began with.
    private func belongTogether(_ first: SectionSpan, _ next: SectionSpan) -> Bool {
        next.headingPath.starts(with: first.headingPath.dropLast())
    }

    /// Parts of about equal size, cut before a paragraph where one begins in the second half.
    private func split(_ units: ArraySlice<TextUnit>, tokens: Int) -> [ArraySlice<TextUnit>] {
        guard tokens > Self.parentLimit else { return units.isEmpty ? [] : [units] }
        let parts = (tokens + Self.parentLimit - 1) / Self.parentLimit
        let target = tokens / parts
        var found: [ArraySlice<TextUnit>] = []
        var start = units.startIndex
        var sum = 0
        for position in units.indices {
            let unit = units[position]
            let isFull = sum + unit.tokens > Self.parentLimit
            if isFull || (sum >= target && unit.opensParagraph) {
                found.append(units[start..<position])
                start = position
                sum = 0
            }
            sum += unit.tokens
        }
        found.append(units[start...])
        return found
    }
}

// MARK: - Children

extension Chunker {
    /// Runs of units; each may begin with the last unit of the run before (the overlap).
    private func children(of parent: ArraySlice<TextUnit>) -> [ArraySlice<TextUnit>] {
        var runs: [(units: ArraySlice<TextUnit>, tokens: Int)] = []
        var start = parent.startIndex
        var tokens = 0
        for position in parent.indices {
            let unit = parent[position]
            let entersSection =
                position > parent.startIndex && parent[position - 1].section != unit.section
            let isFull = tokens + unit.tokens > Self.childTarget
            if position > start, isFull || (entersSection && tokens >= Self.smallChild) {
                runs.append((parent[start..<position], tokens))
                let last = parent[position - 1]
                let overlaps =
                    !entersSection && position - 1 > start && last.tokens <= Self.overlapLimit
                    && last.tokens + unit.tokens <= Self.childTarget
                start = overlaps ? position - 1 : position
                tokens = overlaps ? last.tokens : 0
            }
            tokens += unit.tokens
        }
        let rest = parent[start...]
        // A short rest goes with the run before it; what they overlap is counted twice, on the
        // safe side.
        if let last = runs.last, tokens < Self.smallChild, last.tokens + tokens <= Self.childLimit {
            runs[runs.count - 1].units = parent[last.units.startIndex...]
        } else {
            runs.append((rest, tokens))
        }
        return runs.map(\.units)
    }
}

// MARK: - Writing

/// Turns runs of units into chunks with text, pages and ids.
private struct ChunkWriter {
    let document: ExtractedDocument
    let scalars: [Unicode.Scalar]
    let documentHash: String
    let countTokens: @Sendable (String) -> Int
    var chunks: [DocumentChunk] = []

    mutating func write(
        _ parent: ArraySlice<TextUnit>, children: [ArraySlice<TextUnit>]
    ) {
        let id = append(parent, parentID: nil)
        for child in children { append(child, parentID: id) }
    }

    @discardableResult
    private mutating func append(_ units: ArraySlice<TextUnit>, parentID: UUID?) -> UUID {
        let first = units[units.startIndex]
        let start = first.start
        let end = units[units.endIndex - 1].end
        let text = string(scalars[start..<end])
        let id = ContentID.chunk(
            documentHash: documentHash, start: start, end: end, isParent: parentID == nil)
        chunks.append(
            DocumentChunk(
                id: id, parentID: parentID, section: first.section, index: chunks.count,
                text: text, start: start, end: end, pageFrom: page(of: start),
                pageTo: page(of: end - 1), tokenCount: countTokens(text)))
        return id
    }

    /// The number of the page that holds an offset.
    private func page(of offset: Int) -> Int {
        var (low, high) = (0, document.pages.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if document.pages[middle].end <= offset { low = middle + 1 } else { high = middle }
        }
        return document.pages[low].number
    }
}
