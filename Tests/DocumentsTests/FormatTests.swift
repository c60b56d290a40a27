import Documents
import Foundation
import Testing

@Suite struct FormatTests {
    // MARK: Text

    @Test("UTF-16 with a byte order mark, Windows-1252 and UTF-8 give the same text")
    func encodings() async throws {
        let text = "Caf\u{e9} \u{201c}na\u{ef}ve\u{201d} \u{2013} 5 \u{20ac}"
        let units = Array(text.utf16)
        let low: [UInt8] = [0xff, 0xfe] + units.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        let high: [UInt8] = [0xfe, 0xff] + units.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        var windows = Array("Caf? ?na?ve? ? 5 ?".utf8)
        for (index, byte) in zip([3, 5, 8, 11, 13, 17], [0xe9, 0x93, 0xef, 0x94, 0x96, 0x80]) {
            windows[index] = UInt8(byte)
        }
        let marked: [UInt8] = [0xef, 0xbb, 0xbf] + Array(text.utf8)
        for bytes in [Array(text.utf8), marked, low, high, windows] {
            let document = try await Fixtures.extract(bytes, named: "a.txt")
            #expect(document.text == text)
            #expect(document.fileType == .text)
        }
    }

    @Test("Form feeds part pages, and an empty page stays")
    func formFeeds() async throws {
        let document = try await Fixtures.extract("One.\u{c}\u{c}Three.\n", named: "a.txt")
        #expect(document.pages.count == 3)
        #expect(folded(document.text(ofPage: 1)) == "One.")
        #expect(document.text(ofPage: 2).isEmpty)
        #expect(document.text(ofPage: 3) == "Three.")
    }

    @Test("Chapters, underlines and numbers are headings; lists and sentences are not")
    func textHeadings() async throws {
        let text = """
            CHAPTER I. The Beginning

            It began on a Monday. Nobody
            knew why.

            Results
            =======

            1. Buy milk

            2. Sell milk

            3.1 Measured speed

            It was fast.

            This is a single sentence.
            """
        let document = try await Fixtures.extract(text, named: "a.txt")
        #expect(
            document.headings == ["CHAPTER I. The Beginning", "Results", "3.1 Measured speed"])
    }

    @Test("Line ends of Windows, old Macs and Unix become line feeds, NUL never passes")
    func lineEnds() async throws {
        let document = try await Fixtures.extract("a\r\nb\rc\nd\u{1}e", named: "a.txt")
        #expect(document.text == "a\nb\nc\nde")
    }

    // MARK: Markdown

    @Test("A fence is never a heading, and its line breaks stay")
    func fences() async throws {
        let markdown = """
            # Title with `code`

            ```sh
            # not a heading
            make all
            ```

            ## Second

            | a | b |
            |---|---|
            | 1 | 2 |

            - [x] done
            - open **bold** [link](http://example.org)
            """
        let document = try await Fixtures.extract(markdown, named: "README")
        #expect(document.fileType == .markdown)
        #expect(document.headings == ["Title with code", "Second"])
        #expect(document.text.contains("# not a heading\nmake all"))
        #expect(document.text.contains("a | b\n1 | 2"))
        #expect(document.text.contains("\u{2022} open bold link"))
        #expect(document.title == "Title with code")
        #expect(document.verbatim.count == 2)
    }

    @Test("A name decides only between text and Markdown")
    func names() async throws {
        let neither = Array("Just a paragraph of words.\n".utf8)
        let html = Array("<!-- hello --><!DOCTYPE html><p>Words.</p>".utf8)
        let pdf = Fixtures.pdf([[PDFText(text: "Words.", y: 700)]])
        let cases: [([UInt8], String, FileType)] = [
            (neither, "a.md", .markdown), (neither, "a.pdf", .text), (html, "a.docx", .html),
            (pdf, "a.txt", .pdf),
        ]
        for (bytes, name, type) in cases {
            let document = try await Fixtures.extract(bytes, named: name)
            #expect(document.fileType == type)
        }
    }

    // MARK: HTML

    @Test("What a page hides is not in its text")
    func hidden() async throws {
        let html = """
            <html><head><title> A  title </title><style>p{}</style></head><body>
            <nav>Menu</nav><script>alert(1)</script><p hidden>no</p><p style="display: none">no</p>
            <h1>One<a class="headerlink" href="#">\u{b6}</a></h1><p>Text <b>bo</b>ld&nbsp;&amp; more<br>next.
            <pre>  a
               b</pre><ol><li>first<li>second</ol>
            <table><tr><th>x<th>y<tr><td>1<td>2</table></body></html>
            """
        let document = try await Fixtures.extract(html, named: "a.html")
        #expect(document.title == "A title")
        #expect(document.headings == ["One"])
        #expect(
            document.text
                == "One\n\nText bold & more\nnext.\n\n  a\n   b\n\n1. first\n2. second\n\nx | y\n1 | 2"
        )
    }

    @Test("A page's declared encoding is believed where it is not UTF-8")
    func declared() async throws {
        let bytes =
            Array("<html><meta charset=\"iso-8859-2\"><p>".utf8) + [0xb1, 0xe6] + Array("</p>".utf8)
        let document = try await Fixtures.extract(bytes, named: "a.html")
        #expect(document.text == "\u{105}\u{107}")
    }

    // MARK: DOCX

    @Test("Headings are known by level, by what a style is based on, and by publishers' names")
    func styles() async throws {
        let styles = """
            <w:styles \(Fixtures.namespace)>
            <w:style w:type="paragraph" w:styleId="h"><w:name w:val="heading 1"/></w:style>
            <w:style w:type="paragraph" w:styleId="mine"><w:name w:val="My own"/><w:basedOn w:val="h"/></w:style>
            <w:style w:type="paragraph" w:styleId="A"><w:name w:val="HeadA"/></w:style>
            <w:style w:type="paragraph" w:styleId="O"><w:name w:val="Odd"/><w:pPr><w:outlineLvl w:val="2"/></w:pPr></w:style>
            <w:style w:type="paragraph" w:styleId="loop"><w:name w:val="Loop"/><w:basedOn w:val="loop"/></w:style>
            </w:styles>
            """
        let body =
            [("One", "h"), ("Two", "mine"), ("Below", "A"), ("Third", "O"), ("Text", "loop")]
            .map { Fixtures.paragraph($0.0, style: $0.1) }.joined()
        let document = try await Fixtures.extract(
            Fixtures.docx(body, parts: ["word/styles.xml": styles]), named: "a.docx")
        #expect(
            document.sections.map(\.headingPath) == [
                ["One"], ["Two"], ["Two", "Below"], ["Two", "Below", "Third"],
            ])
        #expect(document.text.hasSuffix("Third\n\nText"))
    }

    @Test("Footnotes follow their paragraph, tables are rows, page breaks are pages")
    func parts() async throws {
        let notes = """
            <w:footnotes \(Fixtures.namespace)><w:footnote w:id="0" w:type="separator"/>
            <w:footnote w:id="2"><w:p><w:r><w:t>The note.</w:t></w:r></w:p></w:footnote></w:footnotes>
            """
        let cell = { (text: String) in "<w:tc>\(Fixtures.paragraph(text))</w:tc>" }
        let body = """
            <w:p><w:r><w:t xml:space="preserve">A claim</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>
            <w:tbl><w:tr>\(cell("a"))\(cell("b"))</w:tr><w:tr>\(cell("1"))\(cell("2"))</w:tr></w:tbl>
            <w:p><w:r><w:t>before</w:t><w:br w:type="page"/><w:t>after</w:t></w:r></w:p>
            <w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>
            """
        let document = try await Fixtures.extract(
            Fixtures.docx(body, parts: ["word/footnotes.xml": notes]), named: "a.docx")
        #expect(
            document.text == "A claim[1]\n\n[1] The note.\n\na | b\n1 | 2\n\nbefore after")
        #expect(document.pages.count == 2)
        #expect(document.text(ofPage: 2) == "after")
    }

    // MARK: PDF

    private let prose = [
        "It was the best of times, it was the worst of times, it was the age of wis-",
        "dom, it was the age of foolishness, it was the epoch of belief, and so it went",
        "on for a well-known number of lines until the paragraph came to its proper end.",
    ]

    @Test("A hyphenated word is put together, a gap ends the paragraph, a bold line is a heading")
    func paragraphs() async throws {
        var lines = [PDFText(text: "1.2 Of Times", y: 720, size: 11, isBold: true)]
        lines += prose.enumerated().map { PDFText(text: $1, y: 690 - 14 * Double($0)) }
        lines += prose.enumerated().map { PDFText(text: $1, y: 620 - 14 * Double($0)) }
        let document = try await Fixtures.extract(Fixtures.pdf([lines]), named: "a.pdf")
        #expect(document.headings == ["1.2 Of Times"])
        #expect(document.sections[0].headingPath == ["1.2 Of Times"])
        let paragraphs = document.text.components(separatedBy: "\n\n")
        #expect(paragraphs.count == 3)
        #expect(paragraphs[1].contains("the age of wisdom, it was"))
        #expect(!paragraphs[1].contains("\n"))
    }

    @Test("Running heads and page numbers are left out, the sentence goes on over the page")
    func runningHeads() async throws {
        let pages = (1...5).map { number in
            [
                PDFText(text: "A Tale of Two Cities", y: 770, size: 9),
                PDFText(
                    text: "the sentence on page \(number) goes on and on without a stop,", y: 400),
                PDFText(text: "\(number)", x: 300, y: 30, size: 9),
            ]
        }
        let document = try await Fixtures.extract(Fixtures.pdf(pages), named: "a.pdf")
        #expect(document.pages.count == 5)
        #expect(!document.text.contains("Tale"))
        #expect(document.text.contains("without a stop, the sentence on page 4"))
        #expect(folded(document.text(ofPage: 3)).hasPrefix("the sentence on page 3"))
    }
}
