// What a file is, by what is in it. Names lie, and mail programs rename; the first bytes do not.

import Documents

enum FileSignature {
    /// The type of a file we can read.
    ///
    /// Throws `unsupported`, naming what it is instead where its signature is known, or `encrypted`
    /// and `damaged` where the container already shows it.
    static func type(
        of bytes: [UInt8], _ request: ExtractionRequest
    ) throws(DocumentError) -> FileType {
        // Adobe's readers accept the mark anywhere in the first 1,024 bytes (ISO 32000-1, H.3).
        if firstIndex(of: "%PDF-", in: bytes.prefix(1_024)) != nil { return .pdf }
        if bytes.starts(with: [0x50, 0x4b, 0x03, 0x04]) { return try packedType(bytes) }
        if bytes.starts(with: [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) {
            // An encrypted DOCX is an OLE container around the package (MS-OFFCRYPTO §2.3).
            let mark = Array("EncryptedPackage".utf16).flatMap { [UInt8($0 & 0xff), 0] }
            if firstIndex(of: mark, in: bytes[...]) != nil { throw .encrypted }
            throw .unsupported("it is a file of Word, Excel or PowerPoint before 2007")
        }
        for (mark, name) in foreign where bytes.starts(with: mark) {
            throw .unsupported("it is \(name)")
        }
        guard TextEncoding.isText(bytes) else { throw .unsupported("it is not a text file") }
        let text = try TextEncoding.decode(bytes)
        if looksLikeHTML(text) { return .html }
        if text.hasPrefix("<?xml") { throw .unsupported("it is an XML file, not a document") }
        return MarkdownReader.looksLikeMarkdown(text) || request.namedMarkdown ? .markdown : .text
    }

    private static func packedType(_ bytes: [UInt8]) throws(DocumentError) -> FileType {
        let archive = try ZipArchive(bytes)
        let names = archive.names()
        if names.contains(where: { $0 == "word/document.xml" }) { return .docx }
        if names.contains(where: { $0.hasPrefix("xl/") }) {
            throw .unsupported("it is an Excel workbook")
        }
        if names.contains(where: { $0.hasPrefix("ppt/") }) {
            throw .unsupported("it is a PowerPoint presentation")
        }
        if names.first == "mimetype" {
            throw .unsupported("it is an e-book or an OpenDocument file")
        }
        throw .unsupported("it is a ZIP archive")
    }

    private static let foreign: [([UInt8], String)] = [
        ([0x89, 0x50, 0x4e, 0x47], "a PNG image"),
        ([0xff, 0xd8, 0xff], "a JPEG image"),
        (Array("GIF8".utf8), "a GIF image"),
        (Array("II*\u{0}".utf8), "a TIFF image"),
        (Array("MM\u{0}*".utf8), "a TIFF image"),
        (Array("RIFF".utf8), "a sound, image or video file"),
        (Array("ID3".utf8), "a sound file"),
        (Array("OggS".utf8), "a sound or video file"),
        ([0x1f, 0x8b], "a gzip archive"),
        (Array("BZh".utf8), "a bzip2 archive"),
        ([0xfd, 0x37, 0x7a, 0x58, 0x5a], "an xz archive"),
        ([0x37, 0x7a, 0xbc, 0xaf], "a 7-Zip archive"),
        (Array("Rar!".utf8), "a RAR archive"),
        (Array("PK\u{5}\u{6}".utf8), "an empty ZIP archive"),
        ([0x7f, 0x45, 0x4c, 0x46], "a program"),
        (Array("MZ\u{90}".utf8), "a program"),
        (Array("{\\rtf".utf8), "a Rich Text file"),
        (Array("%!PS".utf8), "a PostScript file"),
        (Array("SQLite format 3".utf8), "a database"),
    ]

    /// Whether, past comments, declarations and white space, a page's first tag follows.
    private static func looksLikeHTML(_ text: String) -> Bool {
        var rest = text.unicodeScalars.prefix(4_096)[...]
        while true {
            rest = rest.drop { $0.properties.isWhitespace }
            if rest.starts(with: "<!--".unicodeScalars) {
                guard let end = firstIndex(of: "-->", in: Array(String(rest).utf8)[...]) else {
                    return false
                }
                rest =
                    Substring(
                        String(decoding: Array(String(rest).utf8)[(end + 3)...], as: UTF8.self)
                    )
                    .unicodeScalars[...]
            } else if rest.starts(with: "<?xml".unicodeScalars),
                let end = rest.firstIndex(of: ">")
            {
                rest = rest[rest.index(after: end)...]
            } else {
                break
            }
        }
        let head = String(rest.prefix(64)).lowercased()
        let tags = ["<!doctype html", "<html", "<head", "<body", "<title", "<meta "]
        return tags.contains { head.hasPrefix($0) }
    }
}

/// Where `needle` begins in `bytes`.
func firstIndex(of needle: some Collection<UInt8>, in bytes: ArraySlice<UInt8>) -> Int? {
    guard let first = needle.first, bytes.count >= needle.count else { return nil }
    var position = bytes.startIndex
    let last = bytes.endIndex - needle.count
    while position <= last {
        if bytes[position] == first, bytes[position...].starts(with: needle) { return position }
        position += 1
    }
    return nil
}

func firstIndex(of needle: String, in bytes: ArraySlice<UInt8>) -> Int? {
    firstIndex(of: Array(needle.utf8), in: bytes)
}
