// Files the tests write for themselves: small enough to be read here, real enough for the readers.

import Documents
import Foundation

enum Fixtures {
    static func committed(_ name: String) throws -> [UInt8] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        return Array(try Data(contentsOf: folder.appending(path: "Fixtures/\(name)")))
    }

    /// Extracts bytes given under a name, from a file that is gone afterwards.
    static func extract(
        _ bytes: [UInt8], named name: String, limits: ExtractionLimits = ExtractionLimits()
    ) async throws -> ExtractedDocument {
        let path = try temporaryFile(bytes)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await Extractor(limits: limits).extract(path, fileName: name)
    }

    static func extract(_ text: String, named name: String) async throws -> ExtractedDocument {
        try await extract(Array(text.utf8), named: name)
    }

    static func temporaryFile(_ bytes: [UInt8]) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "carrel-documents-\(UUID().uuidString)")
        try Data(bytes).write(to: file)
        return file.path
    }
}

// MARK: - PDF

/// One line of text on a PDF page.
struct PDFText {
    var text: String
    var x = 72.0
    /// From the bottom of the page.
    var y: Double
    var size = 11.0
    var isBold = false
}

extension Fixtures {
    /// A PDF in Helvetica, 612 × 792 points a page.
    static func pdf(_ pages: [[PDFText]]) -> [UInt8] {
        var objects = [
            "<< /Type /Catalog /Pages 2 0 R >>", "",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
        ]
        var kids: [String] = []
        for page in pages {
            let content = page.map { line in
                "BT /F\(line.isBold ? 2 : 1) \(line.size) Tf \(line.x) \(line.y) Td (\(line.text)) Tj ET"
            }.joined(separator: "\n")
            objects.append("<< /Length \(content.utf8.count) >>\nstream\n\(content)\nendstream")
            objects.append(
                """
                << /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents \(objects.count) 0 R \
                /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>
                """)
            kids.append("\(objects.count) 0 R")
        }
        objects[1] =
            "<< /Type /Pages /Count \(kids.count) /Kids [\(kids.joined(separator: " "))] >>"
        var file = "%PDF-1.4\n"
        var offsets: [Int] = []
        for (index, object) in objects.enumerated() {
            offsets.append(file.utf8.count)
            file += "\(index + 1) 0 obj\n\(object)\nendobj\n"
        }
        let table = file.utf8.count
        file += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for offset in offsets {
            let digits = String(offset)
            file += String(repeating: "0", count: 10 - digits.count) + digits + " 00000 n \n"
        }
        file += "trailer << /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(table)\n%%EOF\n"
        return Array(file.utf8)
    }
}

// MARK: - DOCX

extension Fixtures {
    /// A Word document with the given body and further parts, as WordprocessingML.
    static func docx(_ body: String, parts: [String: String] = [:]) -> [UInt8] {
        var entries = parts.mapValues { #"<?xml version="1.0" encoding="UTF-8"?>"# + $0 }
        entries["[Content_Types].xml"] = "<Types/>"
        entries["word/document.xml"] =
            "<w:document \(namespace)><w:body>\(body)</w:body></w:document>"
        return zip(entries)
    }

    static let namespace =
        #"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main""#

    static func paragraph(_ text: String, style: String? = nil) -> String {
        let properties = style.map { #"<w:pPr><w:pStyle w:val="\#($0)"/></w:pPr>"# } ?? ""
        return "<w:p>\(properties)<w:r><w:t>\(text)</w:t></w:r></w:p>"
    }

    /// A ZIP archive whose entries are stored as they are (APPNOTE §4.3).
    static func zip(_ entries: [String: String]) -> [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for (name, text) in entries.sorted(by: { $0.key < $1.key }) {
            let content = Array(text.utf8)
            let offset = file.count
            var common = [(20, 2), (0, 2), (0, 2), (0, 4), (Int(crc32(content)), 4)]
            common += [(content.count, 4), (content.count, 4), (name.utf8.count, 2), (0, 2)]
            file += fields([(0x0403_4b50, 4)] + common) + Array(name.utf8) + content
            directory += fields([(0x0201_4b50, 4), (20, 2)] + common)
            directory += fields([(0, 2), (0, 2), (0, 2), (0, 4), (offset, 4)]) + Array(name.utf8)
        }
        let end = fields([
            (0x0605_4b50, 4), (0, 4), (entries.count, 2), (entries.count, 2),
            (directory.count, 4), (file.count, 4), (0, 2),
        ])
        return file + directory + end
    }

    /// Numbers with their widths in bytes, least significant byte first.
    private static func fields(_ values: [(value: Int, width: Int)]) -> [UInt8] {
        values.flatMap { field in
            (0..<field.width).map { UInt8(truncatingIfNeeded: field.value >> (8 * $0)) }
        }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc = ~UInt32(0)
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 {
                let isOdd = crc & 1 == 1
                crc >>= 1
                if isOdd { crc ^= 0xedb8_8320 }
            }
        }
        return ~crc
    }
}

// MARK: - Reading results

extension ExtractedDocument {
    var scalars: [Unicode.Scalar] { Array(text.unicodeScalars) }

    var headings: [String] { sections.compactMap(\.heading) }

    func text(ofPage number: Int) -> String {
        let page = pages[number - 1]
        return String(String.UnicodeScalarView(scalars[page.start..<page.end]))
    }

    func text(of section: SectionSpan) -> String {
        String(String.UnicodeScalarView(scalars[section.start..<section.end]))
    }
}

/// White space folded to single spaces.
func folded(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
}

func isBlank(_ scalars: some Sequence<Unicode.Scalar>) -> Bool {
    scalars.allSatisfy { $0.properties.isWhitespace }
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same text from the same seed on every machine.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
