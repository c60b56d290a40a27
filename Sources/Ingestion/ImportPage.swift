// The rows one import call makes. A pure function; the caller knows where in the document it starts.

import Documents
import Foundation
import Library
import Vectors

struct ImportPage {
    let page: Page
    let section: NewSection
    /// Parents before their children, in reading order.
    let chunks: [NewChunk]
    /// In the order of the call.
    let childIDs: [UUID]

    /// Chunk indexes of one page; more than all its children and parents.
    private static let indexesPerPage = 1_024
    static let separator = "\n\n"

    init(
        document: Document, number: Int, start: Int, chunks imported: [ImportedChunk],
        vectors: [UnitVector], tokens: [Int]
    ) {
        let hash = document.fileHash
        let content = imported.map(\.text).joined(separator: Self.separator)
        let pageID = ContentID.uuid5(namespace: document.id, name: "page:\(number)")
        let sectionID = ContentID.uuid5(namespace: document.id, name: "section:\(number):0")
        let end = start + content.unicodeScalars.count
        page = Page(
            sessionID: document.sessionID, id: pageID, documentID: document.id, number: number,
            start: start, end: end)
        section = NewSection(
            id: sectionID, pageID: pageID, index: 0, heading: nil, headingPath: [],
            content: content, start: start, end: end)

        var spans: [Range<Int>] = []
        for chunk in imported {
            let from = spans.last.map { $0.upperBound + Self.separator.count } ?? start
            spans.append(from..<from + chunk.text.unicodeScalars.count)
        }
        var rows: [NewChunk] = []
        func append(
            _ id: UUID, parent: UUID?, _ text: String, _ span: Range<Int>, tokens: Int,
            vector: UnitVector, isGiven: Bool = false
        ) {
            rows.append(
                NewChunk(
                    id: id, documentID: document.id, sectionID: sectionID, parentID: parent,
                    index: number * Self.indexesPerPage + rows.count, text: text,
                    start: span.lowerBound, end: span.upperBound, pageFrom: number,
                    pageTo: number, tokenCount: tokens, embedding: vector.values,
                    isGiven: isGiven))
        }
        var ids: [UUID] = []
        for run in ParentRuns.runs(tokens: tokens) {
            let span = spans[run.lowerBound].lowerBound..<spans[run.upperBound - 1].upperBound
            let parent = ContentID.chunk(
                documentHash: hash, start: span.lowerBound, end: span.upperBound, isParent: true)
            append(
                parent, parent: nil,
                imported[run].map(\.text).joined(separator: Self.separator), span,
                tokens: tokens[run].reduce(0, +),
                vector: ParentVectors.mean(of: vectors[run].map(\.values)))
            for index in run {
                let id = Self.id(
                    imported[index].id, document: document, span: spans[index])
                append(
                    id, parent: parent, imported[index].text, spans[index],
                    tokens: tokens[index], vector: vectors[index],
                    isGiven: imported[index].vector != nil)
                ids.append(id)
            }
        }
        chunks = rows
        childIDs = ids
    }

    private static func id(_ given: String?, document: Document, span: Range<Int>) -> UUID {
        guard let given else {
            return ContentID.chunk(
                documentHash: document.fileHash, start: span.lowerBound, end: span.upperBound,
                isParent: false)
        }
        return UUID(uuidString: given) ?? ContentID.uuid5(namespace: document.id, name: given)
    }
}
