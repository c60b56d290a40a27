// Quotations: what counts as the same text, and where it stands.

import Documents
import Foundation
import Testing

@Suite("A quotation")
struct QuotationTests {
    /// What of the text the quotation was found to be.
    private func found(_ quotation: String, in text: String) -> [String] {
        let scalars = Array(text.unicodeScalars)
        return FoldedText(text).occurrences(of: FoldedText(quotation)).map { range in
            var part = String.UnicodeScalarView()
            part.append(contentsOf: scalars[range])
            return String(part)
        }
    }

    @Test(
        "stands where only white space, ligatures, accents' spelling or word division differ",
        arguments: [
            ("net  income\nof the year", "The net income of\tthe year rose."),
            ("efficient office", "An e\u{FB03}cient o\u{FB03}ce."),
            ("e\u{FB03}cient", "An efficient office."),
            ("first flat", "\u{FB01}rst \u{FB02}at"),
            ("contract", "the con-\ntract ends"),
            ("con- tract", "the con-\ntract ends"), ("contract", "the con- tract ends"),
            ("con- tract", "the contract ends"), ("con-\ntract", "the con- tract ends"),
            ("Haupt- und Nebensatz", "im Haupt- und Nebensatz"),
            ("con-\ntract", "the contract ends"),
            ("con-\ntract", "the con-tract ends"),
            ("contract", "the con- \n  tract ends"),
            ("contract", "the con\u{AD}\ntract ends"),
            ("contract", "the con\u{AD}tract ends"),
            ("con\u{AD}tract", "the contract ends"),
            ("contract", "the con\u{2010}\ntract ends"),
            ("well-known author", "a well-\nknown author"),
            ("well-known", "a well\u{2011}known author"),
            ("café", "the cafe\u{301} closes"), ("cafe\u{301}", "the café closes"),
            ("Zürich 東京", "in Zu\u{308}rich\u{A0}東京 now"),
            ("zero width", "zero\u{200B} \u{2060}width"),
            ("-1,234.50", "a loss of -1,234.50 dollars"),
            ("- item", "list:\n- item one"),
            ("1,500", "about 1,500."), ("pages 3-5", "see pages 3-5, 7"),
            (" padded ", "well padded text"),
        ])
    func stands(quotation: String, text: String) {
        #expect(found(quotation, in: text).count == 1, "\(found(quotation, in: text))")
    }

    @Test(
        "does not stand where a letter, a sign or a number is another",
        arguments: [
            ("Net income", "net income"), ("recover", "re-cover the chair"),
            ("contract", "con tract"), ("500", "1,500"), ("500", "500.25"), ("500", "5001"),
            ("500", "a loss of -500"), ("1.5", "11.5"), ("“quoted”", "\"quoted\""),
            ("10²", "102"), ("102", "10²"), ("", "anything"), ("-", "a-b"), (" \n", "a b"),
            ("a longer quotation", "a longer"),
        ])
    func standsNot(quotation: String, text: String) {
        #expect(found(quotation, in: text).isEmpty, "\(found(quotation, in: text))")
    }

    @Test("is located in Unicode scalars, the whole of a ligature and no space around it")
    func offsets() {
        #expect(found("office", in: "👩‍🔬 café\u{301}  o\u{FB03}ce  ") == ["o\u{FB03}ce"])
        #expect(found("contract", in: "東京 con-\ntract.") == ["con-\ntract"])
        #expect(found("fine", in: "de\u{FB01}ne") == ["\u{FB01}ne"])
        #expect(found("a a", in: "a a a a a") == ["a a", "a a"])
    }

    @Test("that was edited is found with what was removed and what was added")
    func nearest() throws {
        let text = FoldedText(
            "Statement of income.\nThe annual base salary is $92,500 before tax, paid monthly.\nEnd."
        )
        let likeness = try #require(
            text.nearest(to: FoldedText("The annual base salary is $85,000 before tax")))
        #expect(
            likeness.difference == [
                Change(.same, "The annual base salary is"), Change(.removed, "$85,000"),
                Change(.added, "$92,500"), Change(.same, "before tax"),
            ])
        #expect(likeness.similarity > 0.6 && likeness.similarity < 0.9)
        let last = try #require(text.nearest(to: FoldedText("annual base salary is $85,000")))
        #expect(
            last.difference.suffix(2) == [Change(.removed, "$85,000"), Change(.added, "$92,500")])
        #expect(text.nearest(to: FoldedText("nothing alike")) == nil)
        let short = try #require(text.nearest(to: FoldedText("base salary is $85,000 before")))
        #expect(short.similarity > 0.6)
    }

    @Test(
        "that was edited is found without the marks beside it, and with those of its own",
        arguments: [
            ("earns 5,000 a month", "He earns 6,000 a month, paid late.", "earns 6,000 a month"),
            ("earns 5,000 a month.", "He earns 6,000 a month. Paid late.", "earns 6,000 a month."),
            ("rate is 5.50%", "The rate is 5.25%; it is fixed.", "rate is 5.25%"),
            ("he earns 5,000 a month", "(he earns 6,000 a month).", "he earns 6,000 a month"),
            ("loss of last (1,500)", "a loss of last (1,200), as said", "loss of last (1,200)"),
            (
                "never been late in 2024", "“never been late in 2025” he said",
                "never been late in 2025"
            ),
            ("said it is not so today", "said it is “not so now”.", "said it is “not so now”"),
            ("con- tract ends in May", "the con-\ntract ends in June!", "con-\ntract ends in June"),
        ])
    func edges(quotation: String, text: String, expected: String) throws {
        let likeness = try #require(FoldedText(text).nearest(to: FoldedText(quotation)))
        var stretch = String.UnicodeScalarView()
        stretch.append(contentsOf: Array(text.unicodeScalars)[likeness.span])
        #expect(String(stretch) == expected)
    }

    @Test("is the same, moved, edited or gone")
    func verdicts() {
        let first = "Terms.\nThe borrower earns 5,000 a month at Acme Works.\n"
        let second = "More.\nThe borrower earns 5,000 a month at Acme Works.\n"
        let text = first + second
        let pages = [
            PageSpan(number: 1, start: 0, end: first.count),
            PageSpan(number: 2, start: first.count, end: text.count),
        ]
        func check(_ snippet: String, page: Int, _ span: Range<Int>? = nil) -> Citation.Verdict {
            Citation(snippet: snippet, page: page, span: span).check(in: text, pages: pages)
        }
        let snippet = "The borrower earns 5,000 a month"
        let there = Citation.Place(page: 1, span: 7..<7 + snippet.count)
        let later = Citation.Place(
            page: 2, span: first.count + 6..<first.count + 6 + snippet.count)
        #expect(check(snippet, page: 1) == .unchanged(there))
        #expect(check(snippet, page: 1, 7..<7 + snippet.count) == .unchanged(there))
        #expect(check(snippet, page: 1, 9..<9 + snippet.count) == .moved(there))
        #expect(check(snippet, page: 3) == .moved(later))
        #expect(check(snippet, page: 2) == .unchanged(later))
        guard case .edited(let place, _) = check("The borrower earns 4,000 a month", page: 2) else {
            Issue.record("not edited")
            return
        }
        #expect(place.span.lowerBound == 7)
        #expect(check("Entirely unrelated sentence about volcanoes", page: 1) == .gone)
    }

    @Test(
        "of every sentence of a real file is found at its own place", arguments: SharedDocument.all)
    func realFiles(file: SharedDocument) async throws {
        let document = try await file.extracted()
        let folded = FoldedText(document.text)
        let scalars = Array(document.text.unicodeScalars)
        for start in stride(from: 0, to: scalars.count, by: max(97, scalars.count / 12)) {
            var words = String.UnicodeScalarView()
            words.append(contentsOf: scalars[start..<min(start + 160, scalars.count)])
            // Whole words, as a reader would copy them, in one line.
            let snippet = String(words).split(whereSeparator: \.isWhitespace).dropFirst().dropLast()
                .joined(separator: " ")
            guard snippet.count > 20 else { continue }
            let places = folded.occurrences(of: FoldedText(snippet))
            #expect(
                places.contains { $0.lowerBound >= start && $0.lowerBound < start + 160 },
                "\(file.file) at \(start): \(snippet)")
        }
    }
}
