// What one ingested document becomes in the database. A pure function of the file's bytes, the chunker
// and the model, ids included: whoever finishes a job writes the same rows.

import Documents
import Foundation
import Library
import Vectors

/// A chunk as the chunker cut it, without its text: that is a slice of the document's.
struct CutChunk: Codable, Equatable {
    let id: UUID
    let parentID: UUID?
    let section: Int
    let index: Int
    let start: Int
    let end: Int
    let pageFrom: Int
    let pageTo: Int
    let tokenCount: Int

    init(_ chunk: DocumentChunk) {
        id = chunk.id
        parentID = chunk.parentID
        section = chunk.section
        index = chunk.index
        start = chunk.start
        end = chunk.end
        pageFrom = chunk.pageFrom
        pageTo = chunk.pageTo
        tokenCount = chunk.tokenCount
    }
}

struct DocumentRows {
    let text: String
    let fileType: String
    let pages: [Page]
    let sections: [NewSection]
    let chunks: [NewChunk]

    /// `childVectors` holds one row of 768 floats per child, in the order of `chunks`.
    init(
        document: Document, extracted: ExtractedDocument, chunks cut: [CutChunk],
        childVectors: [Float]
    ) {
        let slices = TextSlices(extracted.text)
        let hash = document.fileHash
        text = extracted.text
        fileType = extracted.fileType.rawValue
        pages = extracted.pages.map { page in
            Page(
                sessionID: document.sessionID, id: Self.id(hash, "page:\(page.number)"),
                documentID: document.id, number: page.number, start: page.start, end: page.end)
        }
        let sections = extracted.sections.map { section in
            NewSection(
                id: Self.id(hash, "section:\(section.page):\(section.index)"),
                pageID: Self.id(hash, "page:\(section.page)"), index: section.index,
                heading: section.heading, headingPath: section.headingPath,
                content: slices[section.start..<section.end], start: section.start,
                end: section.end)
        }
        let vectors = Self.vectors(of: cut, childVectors: childVectors)
        self.sections = sections
        chunks = cut.map { chunk in
            NewChunk(
                id: chunk.id, documentID: document.id, sectionID: sections[chunk.section].id,
                parentID: chunk.parentID, index: chunk.index,
                text: slices[chunk.start..<chunk.end], start: chunk.start, end: chunk.end,
                pageFrom: chunk.pageFrom, pageTo: chunk.pageTo, tokenCount: chunk.tokenCount,
                embedding: vectors[chunk.id])
        }
    }

    /// Ids are unique within a session, and so are a session's file hashes.
    private static func id(_ hash: String, _ part: String) -> UUID {
        ContentID.uuid5(namespace: ContentID.namespace, name: "\(hash):\(part)")
    }

    private static func vectors(of cut: [CutChunk], childVectors: [Float]) -> [UUID: [Float]] {
        var vectors: [UUID: [Float]] = [:]
        var ofParent: [UUID: [[Float]]] = [:]
        var next = 0
        for chunk in cut {
            guard let parent = chunk.parentID else { continue }
            let vector = Array(childVectors[next..<next + UnitVector.dimension])
            next += UnitVector.dimension
            vectors[chunk.id] = vector
            ofParent[parent, default: []].append(vector)
        }
        for (parent, children) in ofParent {
            vectors[parent] = ParentVectors.mean(of: children).values
        }
        return vectors
    }
}

/// A text by Unicode scalar offsets, which is how everything is stored; a slice costs its length.
struct TextSlices {
    private let scalars: [Unicode.Scalar]

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    subscript(span: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[span])
        return String(view)
    }
}

extension [Float] {
    /// Little-endian, as this machine's scratch files have it.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * 4)
        for value in self {
            let bits = value.bitPattern
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 24))
        }
        return bytes
    }
}

extension [UInt8] {
    /// What `[Float].bytes` wrote.
    var floats: [Float] {
        stride(from: 0, to: count - count % 4, by: 4).map { at in
            let low = UInt32(self[at]) | UInt32(self[at + 1]) << 8
            return Float(bitPattern: low | UInt32(self[at + 2]) << 16 | UInt32(self[at + 3]) << 24)
        }
    }
}
