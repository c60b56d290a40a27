import Testing

import Study

@Suite("Headings as titles")
struct HeadingTests {
    @Test(
        "Numbers and signs around a heading are no part of its title",
        arguments: [
            ("CHAPTER IV. The Rabbit Sends in a Little Bill", "The Rabbit Sends in a Little Bill"),
            ("3.2 Fundamentalgruppe", "Fundamentalgruppe"),
            ("Chapter 3. The Root Filesystem", "The Root Filesystem"),
            ("9.10. Generator Expressions¶", "Generator Expressions"),
            ("Kapitel 2: Mengen", "Mengen"),
            ("IX. Results", "Results"),
            ("ALICE’S ADVENTURES IN WONDERLAND", "Alice’s Adventures In Wonderland"),
            ("Beweis:", "Beweis"),
            ("  white \n space  ", "White space"),
            // What only looks like a number stays.
            ("Chapter 7", "Chapter 7"), ("2001", "2001"), ("IV", "IV"), ("Civil law", "Civil law"),
            ("802.11 networks", "Networks"), ("HNSW", "HNSW"), ("", ""),
        ])
    func titles(heading: String, title: String) {
        #expect(HeadingText.title(heading) == title)
    }

    @Test("Headings that differ in number only are of one kind")
    func kinds() {
        #expect(HeadingText.kind("Definition 5") == HeadingText.kind("4.1 DEFINITION 76:"))
        #expect(HeadingText.kind("Satz 3.8") != HeadingText.kind("Lemma 3.8"))
    }

    @Test("A long heading is cut between words")
    func cuts() {
        let title = HeadingText.title(String(repeating: "word ", count: 60))
        #expect(title.utf8.count <= 120)
        #expect(title.hasSuffix("word"))
    }
}
