import Documents
import Foundation
import Testing

@Suite struct HostileFileTests {
    /// The error a file fails with.
    private func failure(
        _ bytes: [UInt8], named name: String = "file.bin",
        limits: ExtractionLimits = ExtractionLimits()
    ) async -> DocumentError? {
        do {
            _ = try await Fixtures.extract(bytes, named: name, limits: limits)
            return nil
        } catch {
            return error as? DocumentError
        }
    }

    private let page = Fixtures.pdf([[PDFText(text: "A page.", y: 700)]])

    @Test("An encrypted PDF says that it needs a password")
    func encrypted() async throws {
        let bytes = try Fixtures.committed("encrypted.pdf")
        let error = await failure(bytes)
        #expect(error == .encrypted)
    }

    @Test("A PDF cut off anywhere is damaged, not half a document")
    func truncated() async {
        for share in [0.3, 0.6, 0.95] {
            let cut = Array(page.prefix(Int(Double(page.count) * share)))
            let error = await failure(cut)
            #expect(error?.code == "damaged", "\(share)")
        }
    }

    @Test("A DOCX cut off is damaged")
    func truncatedArchive() async {
        let whole = Fixtures.docx(Fixtures.paragraph("Text."))
        let error = await failure(Array(whole.prefix(whole.count / 2)))
        #expect(error?.code == "damaged")
    }

    @Test("A DOCX with flipped bits fails its checksum or its syntax")
    func corrupted() async throws {
        var bytes = Fixtures.docx(Fixtures.paragraph("A sentence to be spoilt."))
        let place = try #require(bytes.firstRange(of: Array("spoilt".utf8)))
        bytes[place.lowerBound] ^= 0x20
        let error = await failure(bytes)
        #expect(error?.code == "damaged")
    }

    @Test("A picture named .pdf is unsupported and called a picture")
    func picture() async {
        let png: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]
        let error = await failure(png, named: "scan.pdf")
        #expect(error == .unsupported("it is a PNG image"))
        #expect(error?.description.contains("PNG") == true)
    }

    @Test("Binary data without a known signature is unsupported, whatever its name")
    func binary() async {
        let bytes = (0..<4_096).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        for name in ["data.txt", "data.md", "data.html"] {
            let error = await failure(bytes, named: name)
            #expect(error?.code == "unsupported")
        }
    }

    @Test("An empty file, a blank one and a PDF without text are empty")
    func empty() async {
        let files = [
            [], Array(" \n\t \n".utf8), Fixtures.pdf([[]]),
            Array("<html><script>1</script></html>".utf8),
        ]
        for (index, bytes) in files.enumerated() {
            let error = await failure(bytes)
            #expect(error?.code == "empty", "\(index)")
        }
    }

    @Test("Other packed formats are named")
    func packed() async {
        let workbook = Fixtures.zip(["xl/workbook.xml": "<workbook/>"])
        let error = await failure(workbook)
        #expect(error == .unsupported("it is an Excel workbook"))
        let other = await failure(Fixtures.zip(["a.txt": "a"]))
        #expect(other == .unsupported("it is a ZIP archive"))
    }

    @Test("A file over the limit is refused before it is read, with both numbers")
    func oversized() async {
        var limits = ExtractionLimits()
        limits.fileBytes = 100
        let error = await failure(page, limits: limits)
        #expect(error == .tooLarge(.fileBytes, limit: 100, got: page.count))
    }

    @Test("Too many pages and too much text are refused")
    func lengths() async {
        var limits = ExtractionLimits()
        limits.pages = 2
        let pages = Fixtures.pdf((1...3).map { [PDFText(text: "Page \($0).", y: 700)] })
        let error = await failure(pages, limits: limits)
        #expect(error == .tooLarge(.pages, limit: 2, got: 3))
        limits.textBytes = 1_000
        let text = Array(String(repeating: "word ", count: 1_000).utf8)
        let long = await failure(text, limits: limits)
        #expect(long == .tooLarge(.textBytes, limit: 1_000, got: nil))
    }

    @Test("A ZIP bomb stops at the limit")
    func bomb() async throws {
        var limits = ExtractionLimits()
        limits.unpackedBytes = 1 << 20
        let bytes = try Fixtures.committed("bomb.docx")
        let error = await failure(bytes, limits: limits)
        #expect(error == .tooLarge(.unpackedBytes, limit: 1 << 20, got: nil))
    }

    @Test("An entity bomb is refused unexpanded")
    func entities() async {
        let lol = (1...9).map { level in
            "<!ENTITY l\(level) \"\(String(repeating: "&l\(level - 1);", count: 10))\">"
        }.joined()
        let bomb = Fixtures.zip([
            "word/document.xml": "<!DOCTYPE x [<!ENTITY l0 \"lol\">\(lol)]><x>&l9;</x>"
        ])
        let error = await failure(bomb)
        #expect(error?.code == "damaged")
    }

    @Test("An external entity is not followed")
    func external() async throws {
        let html = """
            <!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]>
            <html><body><p>Before &x; after.</p></body></html>
            """
        let document = try await Fixtures.extract(html, named: "x.html")
        #expect(!document.text.contains("root:"))
    }

    @Test("Deep nesting costs no stack", arguments: ["div", "b", "table", "ul"])
    func nesting(_ tag: String) async throws {
        let depth = 20_000
        let html =
            "<html><body>" + String(repeating: "<\(tag)>", count: depth) + "deep inside"
            + String(repeating: "</\(tag)>", count: depth) + "<p>and after</p></body></html>"
        // Either it is read or it is refused in words; the parent is there to be asked again.
        let error = await failure(Array(html.utf8))
        #expect(error == nil || error?.code == "damaged" || error?.code == "empty")
        let next = try await Fixtures.extract("Still here.", named: "a.txt")
        #expect(next.text == "Still here.")
    }

    @Test("A reader that needs too much memory is stopped and says so")
    func memory() async {
        var limits = ExtractionLimits()
        limits.memoryBytes = 48 << 20
        limits.fileBytes = 8 << 20
        let cells = String(repeating: "<p>x</p>", count: 1_000_000)
        let error = await failure(Array("<html><body>\(cells)".utf8), limits: limits)
        #expect(error?.code == "out_of_memory" || error?.code == "damaged", "\(error as Any)")
    }

    @Test("A reader that takes too long is stopped by the processor limit")
    func processorTime() async {
        var limits = ExtractionLimits()
        limits.processorSeconds = 1
        let text = String(repeating: "<h1>a</h1><p>b</p>", count: 2_000_000)
        let error = await failure(Array("<html><body>\(text)".utf8), limits: limits)
        #expect(error == .timedOut(seconds: 1))
    }
}
