// What the helper process says on its standard output: one line of JSON that describes the document
// (or the error), then the text itself as UTF-8 up to the end. The text is by far the largest part
// and needs no escaping that way; the line is small and checked like anything from outside.

import FoundationEssentials

package enum Handover {
    private struct Header: Codable {
        var error: DocumentError?
        var fileType: FileType?
        var title: String?
        var pages: [PageSpan]?
        var sections: [SectionSpan]?
        var verbatim: [Range<Int>]?
        var textBytes: Int?
    }

    package static func encode(_ result: Result<ExtractedDocument, DocumentError>) -> [UInt8] {
        var header = Header()
        var text = ""
        switch result {
        case .failure(let error):
            header.error = error
        case .success(let document):
            text = document.text
            header.fileType = document.fileType
            header.title = document.title
            header.pages = document.pages
            header.sections = document.sections
            header.verbatim = document.verbatim
            header.textBytes = text.utf8.count
        }
        guard let line = try? JSONEncoder().encode(header) else {
            preconditionFailure("a header of numbers and strings always encodes")
        }
        return Array(line) + [UInt8(ascii: "\n")] + Array(text.utf8)
    }

    /// The document the helper found, with every promise of `ExtractedDocument` checked.
    ///
    /// Throws what the helper threw, or `extractorFailed` when its answer does not hold together.
    package static func decode(_ bytes: [UInt8]) throws(DocumentError) -> ExtractedDocument {
        guard let newline = bytes.firstIndex(of: UInt8(ascii: "\n")),
            let header = try? JSONDecoder().decode(Header.self, from: Data(bytes[..<newline]))
        else { throw .extractorFailed("its answer cannot be understood") }
        if let error = header.error { throw error }
        guard let fileType = header.fileType, let pages = header.pages,
            let sections = header.sections, let verbatim = header.verbatim,
            header.textBytes == bytes.count - newline - 1,
            let text = String(validating: bytes[(newline + 1)...], as: UTF8.self)
        else { throw .extractorFailed("its answer is incomplete") }
        let document = ExtractedDocument(
            fileType: fileType, title: header.title, text: text, pages: pages,
            sections: sections, verbatim: verbatim)
        if let violation = document.violation() { throw .extractorFailed(violation) }
        return document
    }
}
