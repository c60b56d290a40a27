// From the bytes of a file to its text, pages and sections: find out what it is, hand it to the
// reader of that format, and put the blocks that come back in order. Runs only in `carrel-extract`.

package import Documents

package enum DocumentReader {
    /// Reads a whole file, already in memory.
    ///
    /// Throws what keeps the file from being read, in words for whoever uploaded it.
    package static func read(
        _ bytes: [UInt8], _ request: ExtractionRequest
    ) throws(DocumentError) -> ExtractedDocument {
        var blocks = BlockList(limits: request.limits)
        let type = try FileSignature.type(of: bytes, request)
        switch type {
        case .pdf: try PDFReader.read(bytes, into: &blocks)
        case .docx: try DOCXReader.read(bytes, into: &blocks)
        case .html: try HTMLReader.read(bytes, into: &blocks)
        case .markdown: try MarkdownReader.read(try TextEncoding.decode(bytes), into: &blocks)
        case .text: try TextReader.read(try TextEncoding.decode(bytes), into: &blocks)
        }
        return try blocks.document(type)
    }
}
